/** The graphs that an evaluation compiles: rows differ in length, and so do batches; and answers end one after another. */
import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { stepRows } from '../../../compute/evaluation/generation/generate.js';
import { lossRows } from '../../../compute/evaluation/losses.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { QUERY_BLOCK } from '../../../compute/models/architectures/graphs/attention.js';
import { cacheSize } from '../../../compute/models/decoder/caches.js';
import { chunkSize } from '../../../compute/models/decoder/chunks.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { paddedLength } from '../../../compute/training/batch.js';
import { BIN, type Lengths } from '../expected-rows.js';
import { type Answered, type Answers, answeredTogether } from './answers.js';
import { MOST_SESSIONS, SESSION } from './calibration.js';
import type { PlanDecoder } from './plan-decoder.js';
import { blockGraphs, type Graphs } from './sessions.js';

/** The model that is asked, and tokens of the longest row. */
interface Asked {
  readonly config: ModelConfig;
  readonly adapter?: AdapterConfig;
  readonly weightBytes: number;
  readonly decoded: boolean;
  readonly longest: number;
  readonly planDecoder: PlanDecoder;
}

/** The rows whose losses are asked, by their lengths. */
export type LossRows = Pick<Lengths, 'histogram' | 'longest'>;

/**
 * Bytes of the graphs that are compiled when the last answer ends, or the last loss where nothing is answered, beyond those of one
 * batch. A decoder keeps so many and no more, and what those of one model have taken serves those of the next.
 */
export function evaluatedBytes(
  memory: Asked,
  losses: LossRows | undefined,
  answers: Answers | undefined,
): number {
  const blocks = blocksOf(memory);
  const all = evaluatedGraphs(memory, losses, answers, blocks);
  const one = blocks(QUERY_BLOCK);
  const kept = Math.min(1, MOST_SESSIONS / Math.max(1, all.count));
  const { bytes, node } = SESSION;
  return Math.max(0, kept * (bytes * all.count + node * all.nodes) - bytes * one.count - node * one.nodes);
}

/** All graphs that these losses and answers want. */
export function evaluatedGraphs(
  memory: Asked,
  losses: LossRows | undefined,
  answers: Answers | undefined,
  blocks = blocksOf(memory),
): Graphs {
  const virtual = virtualTokensOf(memory.adapter);
  const lengths = losses === undefined ? [] : batchLengths(losses);
  const batches = answers === undefined ? [] : answeredTogether(memory.config, virtual, answers);
  const steps = batches.reduce((sum, batch) => sum + 1 + stepShapes(batch, virtual), 0);
  // the graph of a step has about as many nodes as that of a short row
  const { count, nodes: short } = blocks(QUERY_BLOCK);
  return {
    count: count * (lengths.length + steps) + headSizes(lengths.length > 0, batches),
    nodes: lengths.reduce((sum, length) => sum + blocks(length).nodes, steps * short),
  };
}

/** The graphs of the blocks, by the length of rows. */
function blocksOf({ config, adapter, weightBytes, decoded, planDecoder, longest }: Asked) {
  const length = Math.min(paddedLength(Math.max(QUERY_BLOCK, longest)), config.maxPositions);
  return blockGraphs(planDecoder, {
    ...{ config, adapter, trainable: 'none', weightBytes, dequantised: decoded, rows: 1, length },
    ...{ checkpointedBlocks: 0, logitsChunk: EVALUATION_SHAPES.logitsChunk },
  });
}

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

/** Rows and sizes of the cache that the steps of a batch have: rows leave, and the cache grows, one after another. */
export function stepShapes({ rows, capacity, prompt }: Answered, virtual: number): number {
  let sizes = 1;
  for (let size = cacheSize(virtual + prompt, capacity); size < capacity; sizes++)
    size = cacheSize(size + 1, capacity);
  return stepRows(rows).length + sizes - 1;
}

/** Sizes in which logits are computed: of losses those that chunks of several sizes have, of answers those of all steps. */
function headSizes(hasLosses: boolean, batches: readonly Answered[]): number {
  const { logitsChunk } = EVALUATION_SHAPES;
  const ofSteps = batches.flatMap(({ rows }) =>
    stepRows(rows).map((left) => chunkSize(left, logitsChunk, 1)),
  );
  const ofLosses = hasLosses ? Math.log2(logitsChunk / chunkSize(1, logitsChunk)) + 1 : 0;
  return new Set(ofSteps).size + ofLosses;
}
