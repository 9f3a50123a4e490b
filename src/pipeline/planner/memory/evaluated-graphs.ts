/** The graphs that an evaluation compiles: rows differ in length, and so do batches; and answers end one after another. */
import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { leftRows, stepRows } from '../../../compute/evaluation/generation/generate.js';
import { lossRows } from '../../../compute/evaluation/losses.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { QUERY_BLOCK } from '../../../compute/models/architectures/graphs/attention.js';
import { cacheSize, cacheSizes } from '../../../compute/models/decoder/caches.js';
import { chunkSize } from '../../../compute/models/decoder/chunks.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { PlannedCodes } from '../../../compute/models/weights/stored-codes.js';
import { paddedLength } from '../../../compute/training/batch.js';
import { BIN, type Lengths } from '../expected-rows.js';
import { type Answered, type Answers, answeredTogether } from './answers.js';
import { MOST_SESSIONS, SESSION } from './calibration.js';
import type { PlanDecoder } from './plan-decoder.js';
import { blockGraphs, buckets, type Graphs } from './sessions.js';

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
interface LossRows extends Pick<Lengths, 'histogram' | 'longest'> {
  /** They are choices of questions, each question read by itself. */
  readonly isRead?: boolean;
}

/** Bytes of these graphs beyond those of one pass over rows of `counted` tokens. What those of one model have taken serves those of the next. */
export function evaluatedBytes(memory: Asked, graphs: Graphs, counted: number): number {
  const { bytes, node } = SESSION;
  const one = blocksOf(memory)(counted);
  return Math.max(0, bytesOf(graphs) - bytes * one.count - node * one.nodes);
}

/** A decoder keeps so many and no more. */
function bytesOf({ count, nodes }: Graphs): number {
  const kept = Math.min(1, MOST_SESSIONS / Math.max(1, count));
  return kept * (SESSION.bytes * count + SESSION.node * nodes);
}

/** Bytes of the graphs of a step over codes, which have each block once and the codes within, while they are compiled. */
export function codedStepBytes(memory: Asked, codes: PlannedCodes | undefined): number {
  if (codes === undefined) return 0;
  const { count, nodes } = blocksOf(memory)(QUERY_BLOCK);
  const ofBlocks = memory.config.layers * (nodes / count);
  return codes.peak + SESSION.bytes * codes.graphs + SESSION.node * ofBlocks;
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
  let graphs = {
    count: count * lengths.length,
    nodes: lengths.reduce((sum, length) => sum + blocks(length).nodes, 0),
  };
  const all = (): Graphs => ({ ...graphs, count: graphs.count + heads.size });
  const first = all();
  const after = batches.map((batch) => {
    const steps = answers?.codes === undefined ? stepShapes(batch, virtual, answers?.ends) : [];
    heads.add(headOf(batch.rows));
    for (const { rows } of steps) heads.add(headOf(rows));
    graphs = {
      count: graphs.count + count * (1 + steps.length),
      nodes: graphs.nodes + blocks(paddedLength(batch.prompt)).nodes + steps.length * short,
    };
    return all();
  });
  return [first, ...after];
}

/**
 * The batch of answers, by its number, in which keys and values and what has been compiled by then take most: those of long prompts
 * come first, and their keys and values are gone when the last graphs are compiled.
 */
export function fullestBatch(caches: readonly number[], [_, ...after]: readonly Graphs[]): number {
  const bytes = caches.map((taken, at) => taken + bytesOf(after[at] ?? { count: 0, nodes: 0 }));
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

/** What a step of a batch is compiled for. */
interface StepShape {
  readonly rows: number;
  /** Of the cache. */
  readonly size: number;
}

/**
 * Those of all steps, each once: rows leave, and the cache grows, one after another. `ends`: what answers come to, as the rows of the data
 * set have them; without it, they end as late as lets rows leave one after another.
 */
export function stepShapes(batch: Answered, virtual: number, ends?: Answers['ends']): readonly StepShape[] {
  const { rows: all, capacity, prompt } = batch;
  const sizeAfter = (tokens: number): number => cacheSize(virtual + prompt + tokens, capacity);
  if (ends === undefined) {
    const sizes = cacheSizes(virtual + prompt, capacity);
    const left = stepRows(all).map((rows) => ({ rows, size: capacity }));
    return [...sizes.slice(0, -1).map((size) => ({ rows: all, size })), ...left];
  }
  const answers = spreadAnswers(all, ends);
  const found = new Map<string, StepShape>();
  let rows = all;
  for (let taken = 1; taken < capacity - virtual - prompt; taken++) {
    const going = answers.filter((tokens) => tokens > taken).length;
    if (going === 0) break;
    rows = leftRows(rows, going);
    const shape = { rows, size: sizeAfter(taken) };
    found.set(`${shape.rows} ${shape.size}`, shape);
  }
  return [...found.values()];
}

/** Tokens of so many answers of this mean and deviation, spread evenly. */
const spreadAnswers = (count: number, { mean, deviation }: NonNullable<Answers['ends']>): readonly number[] =>
  Array.from({ length: count }, (_, at) =>
    Math.max(1, Math.round(mean + Math.sqrt(3) * deviation * ((2 * at + 1) / count - 1))),
  );

/** Sizes in which logits are computed: of losses those that chunks of several sizes have … */
function lossHeads(): readonly string[] {
  const { logitsChunk } = EVALUATION_SHAPES;
  const sizes = Math.log2(logitsChunk / chunkSize(1, logitsChunk)) + 1;
  return Array.from({ length: sizes }, (_, at) => `loss ${at}`);
}

/** … and of answers those of a step. */
const headOf = (rows: number): string => `logits ${chunkSize(rows, EVALUATION_SHAPES.logitsChunk, 1)}`;
