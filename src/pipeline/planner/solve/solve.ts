/** Finds the choice with the least change that fits, along the declared ladder. */
import { type Chosen, hasFactors, type Method } from '../../../language/schemas/types.js';
import { canonical } from '../canonical.js';
import { holding } from '../memory/train.js';
import { fitsIn, type Room } from '../room.js';
import type { Peak, Rejected } from '../types.js';
import type { Step, StepName } from './ladder.js';
import { describeStep, whyOtherMethod, whyTooLarge } from './why.js';

export interface SolveRequest extends Room {
  readonly start: Chosen;
  readonly steps: readonly Step[];
  /** Choices under which the stage has an output or a checkpoint: the first that still fits is kept. */
  readonly kept?: readonly Chosen[];
  /** Methods that are shown beside the choice; left out: those that train more than a head. */
  readonly methods?: readonly Method[];
  peakOf(chosen: Chosen): Peak;
}

export interface Solution {
  /** The choice, or, where nothing fits, the one that needs least. */
  readonly chosen: Chosen;
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
  const fits = (chosen: Chosen): boolean => fitsIn(peakOf(chosen), request);
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
  from: Chosen,
  dimensions: readonly Step[],
  fits: (chosen: Chosen) => boolean,
  must: boolean,
): Chosen | undefined {
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
function extreme(from: Chosen, dimensions: readonly Step[]): Chosen {
  return dimensions.reduce((chosen, step) => step.states(chosen).at(-1) ?? chosen, from);
}

const USUAL = ['lora', 'qlora', 'full'] as const satisfies readonly Method[];

/** The other methods in the same shape. */
function sideBySide(
  chosen: Chosen,
  peakOf: (chosen: Chosen) => Peak,
  room: Room,
  methods: readonly Method[] = USUAL,
): readonly Rejected[] {
  return methods
    .filter((method) => method !== chosen.method)
    .map((method) => {
      const { paged: _, decodedOnce: __, headEntries, ...shape } = chosen;
      // a head that is trained is computed as a whole
      const pieces = headEntries !== undefined && hasFactors(method) ? { headEntries } : {};
      const other: Chosen = { ...shape, ...pieces, method };
      const peak = peakOf(other);
      return reject(other, peak, whyOtherMethod(other, peak, room, chosen.method));
    });
}

const reject = (chosen: Chosen, peak: Peak, why: string): Rejected => ({
  ...chosen,
  peakBytes: peak.bytes,
  why,
});

const identity = (chosen: Chosen): string => {
  const { method, microBatch, maxLength, rank, checkpointedBlocks, stateInFile = 0 } = chosen;
  const mlps = Math.max(chosen.recomputedMlps ?? 0, checkpointedBlocks);
  const shares = Math.max(chosen.recomputedShares ?? 0, mlps);
  return canonical({
    method,
    microBatch,
    maxLength,
    rank,
    checkpointedBlocks,
    mlps,
    shares,
    held: holding(chosen),
    stateInFile,
    headEntries: chosen.headEntries ?? 0,
  });
};
const same = (a: Chosen, b: Chosen): boolean => identity(a) === identity(b);
const unlike = (more: readonly Rejected[], those: readonly Rejected[]): readonly Rejected[] =>
  more.filter((one) => !those.some((other) => same(one, other)));

function remembered(peakOf: (chosen: Chosen) => Peak): (chosen: Chosen) => Peak {
  const known = new Map<string, Peak>();
  return (chosen) => {
    const key = canonical(chosen);
    const peak = known.get(key) ?? peakOf(chosen);
    known.set(key, peak);
    return peak;
  };
}
