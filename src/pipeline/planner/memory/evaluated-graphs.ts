/** The graphs that an evaluation compiles: rows differ in length, and so do batches; and answers end one after another. */

import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { lossRows } from '../../../compute/evaluation/losses.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { QUERY_BLOCK } from '../../../compute/models/architectures/graphs/attention.js';
import { chunkSize } from '../../../compute/models/decoder/chunks.js';
import { compiledBytes, type Graphs, graphBytes } from '../../../compute/models/decoder/compiled-bytes.js';
import type { Dequantised } from '../../../compute/models/decoder/types.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { PlannedCodes } from '../../../compute/models/weights/stored-codes.js';
import { paddedLength } from '../../../compute/training/batch.js';
import { BIN, type Lengths } from '../expected-rows.js';
import { stepShapes } from './answered-steps.js';
import { type Answers, answeredTogether } from './answers.js';
import type { PlanDecoder } from './plan-decoder.js';
import { blockGraphs, buckets } from './sessions.js';

/** The model that is asked, and tokens of the longest row. */
interface Asked {
  readonly config: ModelConfig;
  readonly adapter?: AdapterConfig;
  readonly weightBytes: number;
  readonly decoded: Dequantised;
  readonly longest: number;
  readonly planDecoder: PlanDecoder;
}

/** The rows whose losses are asked, by their lengths. */
interface LossRows extends Pick<Lengths, 'histogram' | 'longest'> {
  /** They are choices of questions, each question read by itself. */
  readonly isRead?: boolean;
}

/** Bytes of these graphs beyond those of one pass over rows of `counted` tokens. What those of one model have taken serves those of the next. */
export function evaluatedBytes(memory: Asked, graphs: Graphs, counted: number): number {
  return Math.max(0, compiledBytes(graphs) - graphBytes(blocksOf(memory)(counted)));
}

/** Bytes of the graphs of a step over codes, which have each block once and the codes within, while they are compiled. */
export function codedStepBytes(memory: Asked, codes: PlannedCodes | undefined): number {
  if (codes === undefined) return 0;
  const { count, nodes } = blocksOf(memory)(QUERY_BLOCK);
  return codes.peak + graphBytes({ count: codes.graphs, nodes: memory.config.layers * (nodes / count) });
}

/** All graphs that are compiled by the time that losses are there, and then by the time that each batch is answered. */
export function compiledGraphs(
  memory: Asked,
  losses: LossRows | undefined,
  answers: Answers | undefined,
): readonly [Graphs, ...Graphs[]] {
  const virtual = virtualTokensOf(memory.adapter);
  const blocks = blocksOf(memory);
  const lengths = losses === undefined ? [] : passedLengths(losses);
  const batches = answers === undefined ? [] : answeredTogether(memory.config, virtual, answers);
  // the graph of a step has about as many nodes as that of a short row
  const { count, nodes: short } = blocks(QUERY_BLOCK);
  const heads = new Set(lengths.length > 0 ? lossHeads() : []);
  // by what they are compiled for: one that another batch has had serves again
  const nodesOf = new Map(lengths.map((length) => [`losses ${length}`, blocks(length).nodes]));
  const all = (): Graphs => ({
    count: count * nodesOf.size + heads.size,
    nodes: [...nodesOf.values()].reduce((sum, nodes) => sum + nodes, 0),
  });
  const first = all();
  const after = batches.map((batch) => {
    const steps = answers?.codes === undefined ? stepShapes(batch, virtual) : [];
    const prompt = paddedLength(batch.prompt);
    nodesOf.set(`prompts ${batch.rows}x${prompt}`, blocks(prompt).nodes);
    heads.add(headOf(batch.rows));
    for (const { rows, size } of steps) {
      nodesOf.set(`steps ${rows}x${size}`, short);
      heads.add(headOf(rows));
    }
    return all();
  });
  return [first, ...after];
}

/**
 * The batch of answers, by its number, in which keys and values and what has been compiled by then take most: those of long prompts
 * come first, and their keys and values are gone when the last graphs are compiled.
 */
export function fullestBatch(caches: readonly number[], [_, ...after]: readonly Graphs[]): number {
  const bytes = caches.map((taken, at) => taken + compiledBytes(after[at] ?? { count: 0, nodes: 0 }));
  return bytes.indexOf(Math.max(...bytes));
}

/** The graphs of the blocks, by the length of rows. */
function blocksOf({ config, adapter, weightBytes, decoded, planDecoder, longest }: Asked) {
  const length = Math.min(paddedLength(Math.max(QUERY_BLOCK, longest)), config.maxPositions);
  return blockGraphs(planDecoder, {
    ...{ config, adapter, trainable: 'none', weightBytes, dequantised: decoded, rows: 1, length },
    ...{ checkpointedBlocks: 0, logitsChunk: EVALUATION_SHAPES.logitsChunk },
  });
}

const passedLengths = (losses: LossRows): readonly number[] =>
  losses.isRead === true ? [...new Set(buckets(losses).map(({ padded }) => padded))] : batchLengths(losses);

/** Padded lengths of the batches of losses, each once: rows are taken longest first. */
export function batchLengths({ histogram, longest }: LossRows): readonly number[] {
  const found = new Set<number>();
  let room = 0;
  for (const [bin, count] of [...histogram.entries()].reverse()) {
    const length = paddedLength(Math.max(1, Math.min(longest, BIN * (bin + 1))));
    // the rows that are left over from longer batches fill up those first
    let rows = Math.round(count) - room;
    room = Math.max(0, -rows);
    for (const size = lossRows(EVALUATION_SHAPES.batchTokens, length); rows > 0; rows -= size) {
      found.add(length);
      room = Math.max(0, size - rows);
    }
  }
  return [...found];
}

/** Sizes in which logits are computed: of losses those that chunks of several sizes have … */
function lossHeads(): readonly string[] {
  const { logitsChunk } = EVALUATION_SHAPES;
  const sizes = Math.log2(logitsChunk / chunkSize(1, logitsChunk)) + 1;
  return Array.from({ length: sizes }, (_, at) => `loss ${at}`);
}

/** … and of answers those of a step. */
const headOf = (rows: number): string => `logits ${chunkSize(rows, EVALUATION_SHAPES.logitsChunk, 1)}`;
