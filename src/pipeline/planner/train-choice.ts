/** What is chosen for a train stage: an earlier choice that still fits, or the fastest that machine and budgets allow. */

import type { Stage } from '../../language/ir/program.js';
import { hasFactors } from '../../language/schemas/methods.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { factorsOf } from '../stages/train/adapters/kinds.js';
import { isSamePlan, underMethod, withKeyOf } from '../stages/train-plan/fields.js';
import type { RelaxationLimits } from '../stages/train-plan/freedom.js';
import { LISTABLE, ladder, type Relaxation } from '../stages/train-plan/ladder.js';
import { type TrainPlan, withMicro } from '../stages/train-plan/plan.js';
import { shortened } from './expected-rows.js';
import type { KeyPart } from './key-parts.js';
import { keyOf, planFromParts } from './keys.js';
import { computedRows, longestPadded, type TrainMemory } from './memory/train.js';
import { trainPeak } from './memory/train-peak.js';
import type { PlanContext } from './plan-context.js';
import type { StageLimits } from './plan-json.js';
import { quickest, remembered, type Solution, type SolveRequest, solve } from './solve/solve.js';
import { fastestPlan, materialisedIfSmall } from './solve/start.js';
import { trainingTimes } from './time/time-of-training.js';
import { memoryBudgetOf, type TrainFacts } from './train-stage.js';

/** The plan of an earlier run that differs from this stage in nothing but its plan. */
export function earlierPlan(
  context: PlanContext,
  stage: Stage,
  parts: readonly KeyPart[],
): TrainPlan | undefined {
  const { global, micro } = settingsOf(stage, 'train').batch;
  for (const record of context.records()) {
    if (record.kind !== 'train') continue;
    const plan = planFromParts(record.parts, global);
    if (plan !== undefined && isAllowed(plan, stage, micro) && keyOf(parts, plan).key === record.key)
      return plan;
  }
  return undefined;
}

function isAllowed({ method, microBatch }: TrainPlan, { preset }: Stage, micro: number | undefined): boolean {
  if (!hasFactors(preset) || !hasFactors(method)) return method === preset;
  if (preset === 'qlora' && method !== 'qlora') return false;
  return micro === undefined || microBatch <= micro;
}

interface Decision extends Solution {
  /** A relaxation that the file does not allow and with which the stage would fit. */
  readonly wouldHelp?: string;
  /** What a budget allows less of than the machine, and whether that is why this was chosen. */
  readonly limits?: StageLimits;
}

interface DecideInput {
  readonly stage: Stage;
  readonly facts: TrainFacts;
  readonly parts: readonly KeyPart[];
  readonly earlier?: TrainPlan;
  readonly limits: StageLimits;
}

/**
 * The plan of the least change that keeps machine and budgets; where none does, the closest one, with what would
 * help.
 */
export async function decide(context: PlanContext, input: DecideInput): Promise<Decision> {
  const { stage, facts, limits } = input;
  const request = solveRequest(context, input);
  const machine = solve(request);
  const advised = (solution: Solution, asked: SolveRequest): Decision =>
    solution.fits || !context.advises ? solution : { ...solution, wouldHelp: wouldHelp(asked, facts) };
  if (limits.memory === undefined && limits.time === undefined) return advised(machine, request);
  const times =
    limits.time === undefined ? undefined : await trainingTimes({ context, stage, facts, look: true });
  const secondsOf = remembered((plan) => times?.(plan).seconds?.expected ?? 0);
  const time = limits.time === undefined ? undefined : { limit: limits.time, secondsOf };
  const budgeted: SolveRequest = { ...request, limit: limits.memory, time };
  const strict = solve(budgeted);
  const solution = strict.fits ? strict : leniently(budgeted);
  return {
    ...advised(solution, { ...budgeted, isLenient: true }),
    limits: { ...limits, ...(isSamePlan(solution.plan, machine.plan) ? {} : { decides: true }) },
  };
}

/** What keeps the budgets by what is expected; where no plan does, the closest one. */
function leniently(request: SolveRequest): Solution {
  const lenient = solve({ ...request, isLenient: true });
  return lenient.fits ? lenient : closest(request);
}

/** Where no plan keeps the budget: the quickest of those that fit, or else the one that needs least memory. */
function closest({ time, ...request }: SolveRequest): Solution {
  if (time === undefined) return solve(request);
  const quick = solve({ ...request, start: quickest(request.start, request.ladder, time), earlier: [] });
  return { ...(quick.fits ? quick : solve({ ...request, isLenient: true })), fits: false };
}

/**
 * The ladder of a stage, as far down as there are rows to train on: longer ones than a plan allows are left out. A base that is
 * stored in 4 bits has no less to come to.
 */
const rungsOf = ({ model, memory, maxLength }: TrainFacts, limits: RelaxationLimits): readonly Relaxation[] =>
  ladder(limits)
    .filter(({ name }) => name !== 'qlora' || model.config.isInFourBits !== true)
    .map((rung) => ({
      ...rung,
      states: (from) =>
        rung
          .states(from)
          .filter(
            (plan) => plan.maxLength >= maxLength || shortened(memory.lengths, plan.maxLength).rows > 0,
          ),
    }));

function solveRequest(context: PlanContext, { stage, facts, parts, earlier }: DecideInput): SolveRequest {
  const { limits, memory } = facts;
  const start = startOf(stage, facts);
  const kept =
    (earlier && withMicro(earlier, earlier.microBatch, limits.global)) ??
    resumablePlan(context, parts, start, { stage, facts });
  return {
    start,
    ladder: rungsOf(facts, limits),
    // a frozen base is no smaller version of an adapter's training, nor the other way round
    methods: stage.preset === 'head' ? [] : undefined,
    isInFourBits: facts.model.config.isInFourBits === true,
    ...memoryBudgetOf(context),
    peakOf: remembered((plan) => trainPeak(memory, plan)),
    earlier: kept === undefined ? [] : keptPlans(memory, kept, start),
  };
}

/** A plan of a key, which does not say how the base is held, nor how ranks share it: in the order in which they are tried. */
function keptPlans(memory: TrainMemory, kept: TrainPlan, { sharding }: TrainPlan): readonly TrainPlan[] {
  if (memory.ranks === undefined) return [materialisedIfSmall(memory, kept), kept];
  if (kept.sharding !== undefined || kept.cpuOffload || sharding === undefined) return [kept];
  const shared = { ...kept, sharding };
  return memory.ranks.sharding === 'auto' ? [shared, { ...kept, sharding: 'fsdp' }] : [shared];
}

function startOf(stage: Stage, { model, memory, limits, maxLength }: TrainFacts): TrainPlan {
  const fastest = fastestPlan({
    preset: stage.preset,
    config: model.config,
    global: limits.global,
    packed: memory.packed !== undefined,
    micro: limits.micro,
    maxLength,
    longestPadded: longestPadded(memory, { maxLength }),
    lengths: computedRows(memory, maxLength),
    texts: memory.preferences?.sharesPrompts === true ? 1 : memory.preferences?.texts,
    ranks: memory.ranks,
    ...factorsOf(memory.adapter),
  });
  return materialisedIfSmall(memory, fastest);
}

/**
 * The plan of the newest checkpoint of this very stage: what its key was made of is kept next to it, so that it is found whatever
 * would be chosen now. What is not in the key is as in the fastest plan.
 */
function resumablePlan(
  { store }: PlanContext,
  parts: readonly KeyPart[],
  start: TrainPlan,
  { stage, facts }: Pick<DecideInput, 'stage' | 'facts'>,
): TrainPlan | undefined {
  const { global, micro } = facts.limits;
  for (const begun of store.begun()) {
    const plan = planFromParts(begun.parts, global);
    if (plan === undefined || !isAllowed(plan, stage, micro) || !isOffered(plan, start, facts)) continue;
    if (keyOf(parts, plan).key !== begun.key || !store.resumable(begun.key)) continue;
    const base = plan.method === start.method ? start : underMethod(start, plan.method);
    return withKeyOf(withMicro(base, plan.microBatch, global), plan);
  }
  return undefined;
}

/** What only the ladder changes, where the file lets it: another machine may have gone down further. */
const LADDERED = ['maxLength', 'rank'] as const satisfies readonly (keyof TrainPlan)[];

function isOffered(plan: TrainPlan, start: TrainPlan, facts: TrainFacts): boolean {
  const states = rungsOf(facts, facts.limits).flatMap((rung) => rung.states(start));
  return LADDERED.every((field) => [start, ...states].some((state) => state[field] === plan[field]));
}

const wouldHelp = ({ earlier: _, ...request }: SolveRequest, facts: TrainFacts): string | undefined =>
  LISTABLE.find(({ call }) => {
    const { fallback } = facts.limits;
    if (fallback.some((listed) => listed.call === call.call)) return false;
    return solve({ ...request, ladder: rungsOf(facts, { ...facts.limits, fallback: [...fallback, call] }) })
      .fits;
  })?.text;
