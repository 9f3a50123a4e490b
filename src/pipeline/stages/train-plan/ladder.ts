/**
 * What may be changed where a training does not fit into memory, step by step: the one ladder of the planner and of a
 * training that ran out of memory. What cannot change the result is always allowed; the rest only where the file lists
 * it, or leaves the method open.
 */
import type { Call } from '../../../language/ir/program.js';
import { FIELDS } from './fields.js';
import { COSTS, type RelaxationLimits, type RelaxationRule } from './freedom.js';
import type { TrainPlan } from './plan.js';

/** A rung of the ladder. */
export interface Relaxation extends Pick<RelaxationRule, 'name' | 'isExact' | 'text'> {
  /** From the least change to the greatest; the state that it starts from is not among them. */
  states(from: TrainPlan): readonly TrainPlan[];
}

/** In the order of their costs, and of the table where they cost the same. */
const RELAXATIONS: readonly RelaxationRule[] = COSTS.flatMap((cost) =>
  FIELDS.flatMap(({ relaxation }) => (relaxation?.cost === cost ? [relaxation] : [])),
);

/** In the order in which they are taken. */
export function ladder(limits: RelaxationLimits): readonly Relaxation[] {
  const listed = limits.fallback.flatMap(({ call, args }) =>
    RELAXATIONS.filter(({ name }) => name === call).map((rule) => ({ rule, args })),
  );
  const open = RELAXATIONS.filter(
    (rule) => rule.isOpen(limits) && !listed.some(({ rule: { name } }) => name === rule.name),
  ).map((rule): (typeof listed)[number] => ({ rule, args: {} }));
  const costOf = ({ rule }: (typeof listed)[number]): number => COSTS.indexOf(rule.cost);
  const rungs = [...open.filter((one) => costOf(one) === 0), ...listed];
  for (const one of open.filter((rung) => costOf(rung) > 0)) {
    const dearer = rungs.findIndex((rung) => costOf(rung) > costOf(one));
    rungs.splice(dearer < 0 ? rungs.length : dearer, 0, one);
  }
  return rungs
    .filter(({ rule }) => rule.applies?.(limits) ?? true)
    .map(({ rule: { name, isExact, text, states }, args }) => ({
      ...{ name, isExact, text },
      states: (from) => states(from, limits, args),
    }));
}

/**
 * What a training continues with that ran out of memory under a plan: of the first relaxation that has states left and
 * cannot change the result, the state half way to its end. A try begins at the last checkpoint, so that few of them are
 * better than the least change. `undefined` if nothing is left: what would change the result is for the planner.
 */
export function nextExact(plan: TrainPlan, limits: RelaxationLimits): TrainPlan | undefined {
  for (const { isExact, states } of ladder(limits)) {
    const left = isExact ? states(plan) : [];
    if (left.length > 0) return left[Math.ceil(left.length / 2) - 1];
  }
  return undefined;
}

/** What a file could list, with what a call of it says. */
export const LISTABLE: readonly { readonly call: Call; readonly text: string }[] = RELAXATIONS.flatMap(
  ({ name, help }) =>
    help === undefined ? [] : [{ call: { call: name, args: help.args }, text: help.text }],
);
