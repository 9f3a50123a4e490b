/** What a whole training compiles besides the graphs of its longest batch: rows differ in length, and so do batches. */

import { QUERY_BLOCK } from '../../../compute/models/architectures/graphs/attention.js';
import { compiledBytes, type Graphs } from '../../../compute/models/decoder/compiled-bytes.js';
import { LONG_REACH } from '../../../compute/models/decoder/graphs.js';
import { MOST_COMPILED } from '../../../compute/models/decoder/resources.js';
import type { DecoderPlan, DecoderPlanOptions } from '../../../compute/models/decoder/types.js';
import { paddedLength } from '../../../compute/training/batch.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { BIN, type Lengths } from '../expected-rows.js';
import type { PlanDecoder } from './plan-decoder.js';

export interface SessionInput {
  readonly lengths: Lengths;
  readonly validation: Lengths | undefined;
  readonly plan: Pick<TrainPlan, 'microBatch' | 'accumulation'>;
  /** Optimiser steps of the whole training. */
  readonly steps: number;
  /** Tokens of a sequence, where rows share them. */
  readonly packed: number | undefined;
  /** The graphs of all blocks for batches of this padded length: forward and backward. */
  readonly training: (length: number) => Graphs;
  /** The same of a validation. */
  readonly watching: (length: number) => Graphs;
  readonly head: Graphs;
  /** What validations answer with. */
  readonly answers?: Graphs | undefined;
}

/** Sizes of the head's last chunk that turn up, in training and in validation each. */
const HEADS = 2;

/** Bytes of the graphs that are compiled at the end of a training beyond those of its longest batch and of one head. */
export function sessionBytes(input: SessionInput): number {
  const { validation, training, watching, head, answers } = input;
  const watched = validation === undefined ? [] : shapesOf(validation);
  const more = sumOf([
    ...shorterShapes(input).map(times(training)),
    ...watched.map(times(watching)),
    ...Array.from({ length: HEADS - 1 + (validation === undefined ? 0 : HEADS) }, () => head),
    ...(answers === undefined ? [] : [answers]),
  ]);
  return compiledBytes(more, MOST_COMPILED - training(longestOf(input)).count - head.count);
}

const longestOf = ({ lengths, packed }: SessionInput): number =>
  packed ?? paddedLength(Math.max(1, lengths.longest));

/** A shape of batches: its padded length, and how probably there is one. */
interface Shape {
  readonly length: number;
  readonly chance: number;
}

const times =
  (graphsOf: (length: number) => Graphs) =>
  ({ length, chance }: Shape): Graphs => {
    const { count, nodes } = graphsOf(length);
    return { count: chance * count, nodes: chance * nodes };
  };

const sumOf = (graphs: readonly Graphs[]): Graphs =>
  graphs.reduce((sum, { count, nodes }) => ({ count: sum.count + count, nodes: sum.nodes + nodes }), {
    count: 0,
    nodes: 0,
  });

/** Of rows that are computed in batches of like length: those of every length, and that of the last batch. */
function shapesOf(lengths: Lengths): readonly Shape[] {
  const all = buckets(lengths).map(({ padded }) => ({ length: padded, chance: 1 }));
  return [...all, ...all.slice(0, 1)];
}

/** The longest length of batches below `limit` that probably turns up in training. */
export const longestBelow = (input: SessionInput, limit: number): number | undefined =>
  shorterShapes(input).findLast(({ length, chance }) => length < limit && chance >= 0.5)?.length;

/** Shapes of micro batches in training, but for the longest. */
function shorterShapes(input: SessionInput): readonly Shape[] {
  const { lengths, plan, steps, packed } = input;
  const { microBatch, accumulation } = plan;
  if (packed === undefined) return paddedShapes(lengths, microBatch, accumulation, steps);
  const count = Math.min(steps, packedShapes(microBatch, accumulation)) - 1;
  return Array.from({ length: count }, () => ({ length: packed, chance: 1 }));
}

/**
 * Shapes that packed micro batches come in. Full ones have one length, but steps differ by a sequence; the last of
 * several, or the only sequence of a step, differs in its length too. Counted over 100 steps: 3 to 8, the rare ones late.
 */
const packedShapes = (micro: number, parts: number): number => (micro > 1 && parts === 1 ? 3 : 5);

/**
 * Rows of a step are drawn from all, sorted, and cut into batches, each of which is as long as its first row: the lengths but for
 * the longest. Rows that do not fill the last step of a pass make a shape of their own, of any length.
 */
function paddedShapes(lengths: Lengths, micro: number, parts: number, steps: number): readonly Shape[] {
  let before: readonly number[] = [];
  let shorter = 0;
  const shapes = buckets(lengths).map(({ padded, upTo }): Shape => {
    const [ofLength, drawn] = [upTo - shorter, steps * parts];
    shorter = upTo;
    // no row comes again before all have come
    if (micro === 1)
      return { length: padded, chance: 1 - Math.max(0, 1 - drawn / Math.max(1, lengths.rows)) ** ofLength };
    const until = firstRows(micro, parts, upTo / Math.max(1, lengths.rows));
    const inStep = until.reduce((sum, chance, at) => sum + Math.max(0, chance - (before[at] ?? 0)), 0);
    before = until;
    return { length: padded, chance: 1 - Math.max(0, 1 - inStep) ** steps };
  });
  const isPassed = steps * micro * parts >= lengths.rows;
  const isCut = lengths.rows > micro && lengths.rows % micro !== 0;
  const mean = paddedLength(lengths.tokens / Math.max(1, lengths.rows));
  return [...shapes.slice(0, -1), ...(isCut && isPassed ? [{ length: mean, chance: 1 }] : [])];
}

/** Lengths that rows are padded to, the shortest first, and how many rows are no longer. */
export function buckets({
  histogram,
}: Pick<Lengths, 'histogram'>): readonly { readonly padded: number; readonly upTo: number }[] {
  const found = new Map<number, number>();
  let upTo = 0;
  for (const [bin, count] of histogram.entries()) {
    upTo += count;
    if (count > 0) found.set(paddedLength((bin + 1) * BIN), upTo);
  }
  return [...found].map(([padded, upTo]) => ({ padded, upTo }));
}

/**
 * Of batches of `micro` rows, `parts` of them, into which rows are cut that are sorted by length, the longest first: how probably
 * the first row of each is no longer than this share of all rows.
 */
function firstRows(micro: number, parts: number, share: number): readonly number[] {
  if (share >= 1 || share <= 0) return new Array<number>(parts).fill(share >= 1 ? 1 : 0);
  const rows = micro * parts;
  const chances: number[] = [];
  // how many rows are longer is distributed binomially; the first row of a batch is not if the batches before it hold them
  let [upTo, logChance] = [0, rows * Math.log(share)];
  for (let longer = 0; chances.length < parts; longer++) {
    upTo += Math.exp(logChance);
    if (longer % micro === 0) chances.push(Math.min(1, upTo));
    logChance += Math.log(((rows - longer) * (1 - share)) / ((longer + 1) * share));
  }
  return chances;
}

/** Those of these roles. */
export const graphsOf = (
  graphs: DecoderPlan['graphs'],
  ...roles: DecoderPlan['graphs'][number]['role'][]
): Graphs => {
  const found = graphs.filter(({ role }) => roles.includes(role));
  return { count: found.length, nodes: found.reduce((sum, { graph }) => sum + graph.nodes.length, 0) };
};

/**
 * The graphs of the blocks by the length of rows. Attention is computed in blocks of queries, of which each has as many nodes: what
 * lies between one of them and those of the longest rows follows from both. Where longer rows meet their keys in tiles, each
 * block has the more nodes the later it is: a square of the length, which follows from three.
 */
export function blockGraphs(planDecoder: PlanDecoder, shape: DecoderPlanOptions): (length: number) => Graphs {
  const parts = (length: number): number => Math.ceil(length / QUERY_BLOCK);
  const known = new Map<number, Graphs>();
  const at = (length: number): Graphs => {
    const found =
      known.get(length) ??
      graphsOf(planDecoder({ ...shape, length }).graphs, 'block_forward', 'block_backward');
    known.set(length, found);
    return found;
  };
  const [least, longest] = [Math.min(QUERY_BLOCK, shape.length), shape.length];
  const short = Math.min(longest, LONG_REACH - 1);
  const middle = QUERY_BLOCK * Math.ceil(parts(LONG_REACH + longest) / 2);
  return (length) => {
    const between = length <= short ? [least, short] : [LONG_REACH, Math.min(middle, longest), longest];
    const points = [...new Map(between.map((one) => [parts(one), at(one).nodes]))];
    return {
      // rows that are met in tiles save alike in all blocks
      count: at(between.at(-1) ?? longest).count,
      nodes: interpolated(points, Math.min(parts(length), parts(longest))),
    };
  };
}

/** What a polynomial through these points, `[x, y]`, gives at `x` (Lagrange's). */
const interpolated = (points: readonly (readonly [number, number])[], x: number): number =>
  points.reduce((sum, [own, y]) => {
    const others = points.filter(([other]) => other !== own);
    return sum + others.reduce((product, [other]) => (product * (x - other)) / (own - other), y);
  }, 0);
