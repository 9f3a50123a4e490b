/** Finds the plan with the least change that fits, along the ladder. */
import type { Method } from '../../../language/schemas/methods.js';
import { hasSameKey, isSamePlan, underMethod } from '../../stages/train-plan/fields.js';
import type { RelaxationName } from '../../stages/train-plan/freedom.js';
import type { Relaxation } from '../../stages/train-plan/ladder.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { canonical } from '../canonical.js';
import { limitText } from '../limits.js';
import {
  availableText,
  fitsIn,
  largestText,
  type MemoryBudget,
  refusedText,
  tighter,
} from '../memory-budget.js';
import type { BudgetLimit, Peak, RejectedPlan } from '../plan-json.js';
import { bytes, duration } from '../quantities.js';

export interface SolveRequest extends MemoryBudget {
  readonly start: TrainPlan;
  readonly ladder: readonly Relaxation[];
  /**
   * Plans under which the stage has an output or a checkpoint: the first that still fits is kept, with more of what
   * changes no result where it does not fit as it is.
   */
  readonly earlier?: readonly TrainPlan[];
  /** Methods that are shown next to the plan; default: those that train more than a head. */
  readonly methods?: readonly Method[];
  /** The base is stored in 4 bits, in which `lora` and `qlora` leave it alike. */
  readonly isInFourBits?: boolean;
  /** Where a budget limits the time of the stage. */
  readonly time?: TimeBudget;
  /** Asked many times of one plan, so that it is {@link remembered}. */
  readonly peakOf: (plan: TrainPlan) => Peak;
}

interface TimeBudget {
  readonly limit: BudgetLimit;
  readonly secondsOf: (plan: TrainPlan) => number;
}

export interface Solution {
  /** Where nothing fits, the plan that needs least. */
  readonly plan: TrainPlan;
  readonly peak: Peak;
  readonly fits: boolean;
  /** Relaxations that were needed. */
  readonly taken: readonly RelaxationName[];
  readonly rejected: readonly RejectedPlan[];
}

/**
 * Goes down the ladder rung by rung; on each, all states of the rungs above are tried again, so that no rung is used
 * further than needed.
 */
export function solve(request: SolveRequest): Solution {
  const { start, earlier = [] } = request;
  // a freedom at its end offers no state
  const rungs = request.ladder.filter(({ states }) => states(start).length > 0);
  const { peakOf, time } = request;
  const fits = (plan: TrainPlan): boolean => fitsIn(peakOf(plan), request);
  const isInTime = (plan: TrainPlan): boolean =>
    time === undefined || time.secondsOf(plan) <= time.limit.most;
  const mayBeInTime = (plan: TrainPlan, freedoms: readonly Relaxation[]): boolean =>
    time === undefined || isInTime(quickest(plan, freedoms, time));
  const fitsAll = (plan: TrainPlan): boolean => fits(plan) && isInTime(plan);
  const solution = (plan: TrainPlan, taken: number, tried: readonly RejectedPlan[]): Solution => ({
    plan,
    peak: peakOf(plan),
    fits: fitsAll(plan),
    taken: rungs.slice(0, taken).map(({ name }) => name),
    rejected: [...tried, ...unlike(underOtherMethods(plan, request), tried)],
  });
  const checks: Checks = { fits, isInTime, mayBeInTime };
  const sameKey = withinKey(request.ladder).reverse();
  const kept = firstOf(earlier, (plan) => search(plan, sameKey, checks, false));
  const first = kept ?? (fitsAll(start) ? start : undefined);
  if (first !== undefined) return solution(first, 0, []);

  const why = (plan: TrainPlan): string =>
    fits(plan) && time !== undefined ? tooSlow(time, plan) : whyTooLarge(peakOf(plan), request);
  const tried: RejectedPlan[] = [reject(start, peakOf(start), why(start))];
  const leasts: TrainPlan[] = [];
  for (const [index, rung] of rungs.entries()) {
    const dimensions = rungs.slice(0, index + 1).reverse();
    const found = search(start, dimensions, checks, true);
    if (found !== undefined) return solution(found, index + 1, tried);
    const least = extreme(start, dimensions);
    leasts.push(least);
    const peak = peakOf(least);
    const helps = !rung.isExact || !fits(start);
    if (helps && !tried.some((one) => isSamePlan(one, least)))
      tried.push(reject(least, peak, `${rung.text(least)}: ${why(least)}`));
  }
  // further down is not always less: a base in 4 bits has less than one that is read block by block
  const least = leasts.reduce(
    (best, one) => (peakOf(one).high <= peakOf(best).high ? one : best),
    extreme(start, [...rungs].reverse()),
  );
  return solution(least, rungs.length, tried);
}

/** The first result that there is. */
function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of each rung the states that lead to the same key: an output or a checkpoint serves them all. */
const withinKey = (rungs: readonly Relaxation[]): Relaxation[] =>
  rungs.map((rung) => ({
    ...rung,
    states: (from) => rung.states(from).filter((state) => hasSameKey(state, from)),
  }));

interface Checks extends Readonly<Record<'fits' | 'isInTime', (plan: TrainPlan) => boolean>> {
  mayBeInTime(plan: TrainPlan, freedoms: readonly Relaxation[]): boolean;
}

/** The first state that fits, the outermost dimension changing last; `must` leaves out its unchanged state. */
function search(
  from: TrainPlan,
  dimensions: readonly Relaxation[],
  checks: Checks,
  must: boolean,
): TrainPlan | undefined {
  const [outer, ...inner] = dimensions;
  if (outer === undefined) return checks.fits(from) && checks.isInTime(from) ? from : undefined;
  for (const state of must ? outer.states(from) : [from, ...outer.states(from)]) {
    if (!checks.fits(extreme(state, inner)) || !checks.mayBeInTime(state, inner)) continue;
    const found = search(state, inner, checks, false);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every freedom used to its end: what needs least memory. */
function extreme(from: TrainPlan, dimensions: readonly Relaxation[]): TrainPlan {
  return dimensions.reduce((plan, rung) => rung.states(plan).at(-1) ?? plan, from);
}

/** What takes least time: of the freedoms that leave something out, those that make it quicker, and nothing twice. */
export const quickest = (
  from: TrainPlan,
  rungs: readonly Relaxation[],
  { secondsOf }: Pick<TimeBudget, 'secondsOf'>,
): TrainPlan =>
  rungs
    .filter(({ isExact }) => !isExact)
    .reduce((plan, rung) => {
      const least = rung.states(plan).at(-1) ?? plan;
      return secondsOf(least) < secondsOf(plan) ? least : plan;
    }, from);

const tooSlow = ({ limit, secondsOf }: TimeBudget, plan: TrainPlan): string =>
  `takes ${duration(secondsOf(plan))}, and ${limitText(limit)} leaves it ${duration(limit.most)}`;

const USUAL = ['lora', 'qlora', 'full'] as const satisfies readonly Method[];

/** The same shape under the other methods. */
function underOtherMethods(plan: TrainPlan, request: SolveRequest): readonly RejectedPlan[] {
  return (request.methods ?? USUAL)
    .filter((method) => method !== plan.method)
    .map((method) => {
      const other = underMethod(plan, method);
      const peak = request.peakOf(other);
      return reject(other, peak, whyOtherMethod(other, peak, request, plan.method));
    });
}

const reject = (plan: TrainPlan, peak: Peak, why: string): RejectedPlan => ({
  ...plan,
  peakBytes: peak.bytes,
  why,
});

const unlike = (more: readonly RejectedPlan[], those: readonly RejectedPlan[]): readonly RejectedPlan[] =>
  more.filter((one) => !those.some((other) => isSamePlan(one, other)));

/** A figure of plans, computed once for each: several searches for one stage look at the same plans. */
export function remembered<T>(figureOf: (plan: TrainPlan) => T): (plan: TrainPlan) => T {
  const known = new Map<string, T>();
  return (plan) => {
    const key = canonical(plan);
    const figure = known.get(key) ?? figureOf(plan);
    known.set(key, figure);
    return figure;
  };
}

function whyTooLarge(peak: Peak, budget: MemoryBudget): string {
  if (peak.refused !== undefined) return refusedText(peak.refused);
  const tight = tighter(peak, budget);
  const { needs, available } = tight;
  return `needs ${bytes(needs.high - available)} more than the ${availableText(tight)}; ${largestText(needs)}`;
}

function whyOtherMethod(
  other: TrainPlan,
  peak: Peak,
  budget: MemoryBudget & Pick<SolveRequest, 'isInFourBits'>,
  taken: TrainPlan['method'],
): string {
  if (!fitsIn(peak, budget)) return whyTooLarge(peak, budget);
  if (other.method === 'full') return 'fits, but trains every weight: only with `using full`';
  if (other.method === 'qlora') {
    if (taken === 'full') return 'fits, but trains an adapter: only with `using qlora`';
    return budget.isInFourBits === true
      ? 'fits, and trains the same: the base is stored in 4 bits'
      : 'fits, but quantises the base to 4 bits: chosen only if the base as stored does not fit';
  }
  return taken === 'qlora'
    ? 'fits, but the file asks for `qlora`'
    : 'fits, but trains an adapter: only with `using lora`';
}
