/** Finds the choice with the least change that fits, along the declared ladder. */
import { hasFactors, type Method, type TrainPlan } from '../../../language/schemas/types.js';
import { canonical } from '../canonical.js';
import { holding } from '../memory/train.js';
import { fitsIn, type Room } from '../room.js';
import type { Peak, Rejected } from '../types.js';
import type { Step, StepName } from './ladder.js';
import { describeStep, whyOtherMethod, whyTooLarge } from './why.js';

export interface SolveRequest extends Room {
  readonly start: TrainPlan;
  readonly steps: readonly Step[];
  /** Choices under which the stage has an output or a checkpoint: the first that still fits is kept. */
  readonly kept?: readonly TrainPlan[];
  /** Methods that are shown beside the choice; left out: those that train more than a head. */
  readonly methods?: readonly Method[];
  peakOf(chosen: TrainPlan): Peak;
}

export interface Solution {
  /** The choice, or, where nothing fits, the one that needs least. */
  readonly chosen: TrainPlan;
  readonly peak: Peak;
  readonly fits: boolean;
  /** Ladder steps that were needed. */
  readonly taken: readonly StepName[];
  readonly rejected: readonly Rejected[];
}

export function solve(request: SolveRequest): Solution {
  const { start, kept = [] } = request;
  // a freedom at its end offers no step
  const steps = request.steps.filter((step) => step.states(start).length > 0);
  const peakOf = remembered(request.peakOf);
  const fits = (chosen: TrainPlan): boolean => fitsIn(peakOf(chosen), request);
  const first = [...kept, start].find(fits);
  if (first !== undefined)
    return {
      chosen: first,
      peak: peakOf(first),
      fits: true,
      taken: [],
      rejected: sideBySide(first, peakOf, request, request.methods),
    };

  const tried: Rejected[] = [reject(start, peakOf(start), whyTooLarge(peakOf(start), request))];
  for (let count = 1; count <= steps.length; count++) {
    const dimensions = steps.slice(0, count).reverse();
    const found = search(start, dimensions, fits, true);
    const taken = steps.slice(0, count).map(({ name }) => name);
    if (found !== undefined) {
      const others = sideBySide(found, peakOf, request, request.methods);
      return {
        chosen: found,
        peak: peakOf(found),
        fits: true,
        taken,
        rejected: [...tried, ...unlike(others, tried)],
      };
    }
    const least = extreme(start, dimensions);
    const step = steps[count - 1];
    if (step !== undefined && !tried.some((one) => same(one, least)))
      tried.push(
        reject(
          least,
          peakOf(least),
          `${describeStep(step.name, least)}: ${whyTooLarge(peakOf(least), request)}`,
        ),
      );
  }
  const least = extreme(start, [...steps].reverse());
  const others = sideBySide(least, peakOf, request, request.methods);
  return {
    chosen: least,
    peak: peakOf(least),
    fits: false,
    taken: steps.map(({ name }) => name),
    rejected: [...tried, ...unlike(others, tried)],
  };
}

/** The first state that fits, the outermost dimension changing last; `must` leaves out its unchanged state. */
function search(
  from: TrainPlan,
  dimensions: readonly Step[],
  fits: (chosen: TrainPlan) => boolean,
  must: boolean,
): TrainPlan | undefined {
  const [outer, ...inner] = dimensions;
  if (outer === undefined) return fits(from) ? from : undefined;
  for (const state of must ? outer.states(from) : [from, ...outer.states(from)]) {
    if (!fits(extreme(state, inner))) continue;
    const found = search(state, inner, fits, false);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every freedom used to its end: what needs least memory. */
function extreme(from: TrainPlan, dimensions: readonly Step[]): TrainPlan {
  return dimensions.reduce((chosen, step) => step.states(chosen).at(-1) ?? chosen, from);
}

const USUAL = ['lora', 'qlora', 'full'] as const satisfies readonly Method[];

/** The other methods in the same shape. */
function sideBySide(
  chosen: TrainPlan,
  peakOf: (chosen: TrainPlan) => Peak,
  room: Room,
  methods: readonly Method[] = USUAL,
): readonly Rejected[] {
  return methods
    .filter((method) => method !== chosen.method)
    .map((method) => {
      const { pagedWeights: _, materialised: __, vocabularyShard, ...shape } = chosen;
      // a head that is trained is computed as a whole
      const pieces = vocabularyShard !== undefined && hasFactors(method) ? { vocabularyShard } : {};
      const other: TrainPlan = { ...shape, ...pieces, method };
      const peak = peakOf(other);
      return reject(other, peak, whyOtherMethod(other, peak, room, chosen.method));
    });
}

const reject = (chosen: TrainPlan, peak: Peak, why: string): Rejected => ({
  ...chosen,
  peakBytes: peak.bytes,
  why,
});

const identity = (chosen: TrainPlan): string => {
  const { method, microBatch, maxLength, rank, checkpointedBlocks, offloadedState = 0 } = chosen;
  const mlps = Math.max(chosen.recomputedMlps ?? 0, checkpointedBlocks);
  const shares = Math.max(chosen.recomputedAttention ?? 0, mlps);
  return canonical({
    method,
    microBatch,
    maxLength,
    rank,
    checkpointedBlocks,
    mlps,
    shares,
    held: holding(chosen),
    offloadedState,
    vocabularyShard: chosen.vocabularyShard ?? 0,
  });
};
const same = (a: TrainPlan, b: TrainPlan): boolean => identity(a) === identity(b);
const unlike = (more: readonly Rejected[], those: readonly Rejected[]): readonly Rejected[] =>
  more.filter((one) => !those.some((other) => same(one, other)));

function remembered(peakOf: (chosen: TrainPlan) => Peak): (chosen: TrainPlan) => Peak {
  const known = new Map<string, Peak>();
  return (chosen) => {
    const key = canonical(chosen);
    const peak = known.get(key) ?? peakOf(chosen);
    known.set(key, peak);
    return peak;
  };
}
