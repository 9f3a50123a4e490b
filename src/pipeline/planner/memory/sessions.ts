/** How many graphs a whole training compiles besides those of one shape: rows differ in length, and so do batches. */

import { paddedLength } from '../../../compute/training/batch.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { BIN, type Lengths } from '../expected-rows.js';
import { MOST_SESSIONS } from './calibration.js';

interface SessionInput {
  readonly lengths: Lengths;
  readonly validation: Lengths | undefined;
  readonly plan: Pick<TrainPlan, 'microBatch' | 'accumulation'>;
  /** Optimiser steps of the whole training. */
  readonly steps: number;
  /** Rows share sequences. */
  readonly packed: boolean;
  /** Forward and backward graphs of one shape of batch. */
  readonly perShape: number;
}

/** Sizes of the head's last chunk that turn up, in training and in validation each. */
const HEADS = 2;

/** Compiled graphs at the end of a training beyond those of one shape and one head. */
export function moreSessions(input: SessionInput): number {
  const { lengths, validation, plan, steps, packed, perShape } = input;
  const { microBatch, accumulation } = plan;
  const shapes = packed
    ? Math.min(steps, packedShapes(microBatch, accumulation))
    : paddedShapes(lengths, microBatch, microBatch * accumulation, steps);
  // rows that do not fill the last batch of a pass are a shape of their own
  const rest = lengths.rows % microBatch === 0 || lengths.rows < microBatch ? 0 : 1;
  const watched = validation === undefined ? 0 : distinct(validation) + 1 + HEADS;
  const all = perShape * (shapes + rest) + HEADS + watched;
  return Math.max(0, Math.min(MOST_SESSIONS, all) - perShape - 1);
}

/**
 * Shapes that packed micro batches come in. Full ones have one length, but steps differ by a sequence; the last of
 * several, or the only sequence of a step, differs in its length too. Counted over 100 steps: 3 to 8, the rare ones late.
 */
const packedShapes = (micro: number, parts: number): number => (micro > 1 && parts === 1 ? 3 : 5);

const distinct = (lengths: Lengths): number => new Set(buckets(lengths).map(({ padded }) => padded)).size;

/**
 * Padded lengths that micro batches have: rows of a step are sorted and cut, so that a short length turns up where
 * at least a micro batch of the step's rows is that short.
 */
function paddedShapes(lengths: Lengths, micro: number, global: number, steps: number): number {
  const found = new Set<number>();
  for (const { padded, upTo } of buckets(lengths))
    if (steps * atLeast(micro, global, upTo / Math.max(1, lengths.rows)) >= 0.5) found.add(padded);
  return Math.max(1, found.size);
}

/** Lengths that rows are padded to, and how many rows are no longer. */
function buckets({ histogram }: Lengths): readonly { readonly padded: number; readonly upTo: number }[] {
  let upTo = 0;
  return histogram.flatMap((count, bin) => {
    upTo += count;
    return count >= 0.5 ? [{ padded: paddedLength((bin + 1) * BIN), upTo }] : [];
  });
}

/** Probability of at least `least` hits in `tries`, each with this `chance`. */
function atLeast(least: number, tries: number, chance: number): number {
  if (chance >= 1) return 1;
  if (chance <= 0) return 0;
  let term = (1 - chance) ** tries;
  let below = 0;
  for (let hits = 0; hits < least; hits++) {
    below += term;
    term *= ((tries - hits) / (hits + 1)) * (chance / (1 - chance));
  }
  return Math.max(0, 1 - below);
}
