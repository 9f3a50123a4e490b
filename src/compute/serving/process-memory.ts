/** What the process of a model takes besides its weights and caches. */
import { cacheSizes, roomFor } from '../models/decoder/caches.js';
import { compiledBytes, type Graphs, graphBytes } from '../models/decoder/compiled-bytes.js';
import { paddedLength } from '../models/decoder/extension.js';
import { keptTokenizer } from '../models/tokenizer/memory.js';
import type { PlannedCodes } from '../models/weights/stored-codes.js';
import { MOST_DISCARDED } from '../tensor/garbage.js';
import { PIECE } from './prompt-group.js';
import type { ServingInfo } from './types.js';

const MIB = 2 ** 20;

/**
 * Node, this program and the library that computes; of the embedded engine also what a step works in. Measured on Linux x64 with
 * Node 20 and the starter model: the most that the process took (VmHWM), less weights, caches, graphs and what its 4,096 tokens take;
 * of the embedded engine, after 90 and 45 turns of many lengths and numbers of answers at once, 101 MiB with 4 of 256 tokens and 105 with 16 of 512.
 * docs/serving.md has what was planned and measured with these figures.
 */
const PROCESS: Readonly<Record<ServingInfo['engine'], number>> = {
  embedded: 104 * MIB,
  accelerate: 121 * MIB,
  'llama.cpp': 91 * MIB,
};

/**
 * A token of the vocabulary in the tables of answers in JSON, which the first of them makes: growth of the peak by 103 MiB with the
 * 262,144 tokens of Gemma 3, and by 7 and 11 with the 49,152 of SmolLM2.
 */
const TOKEN_IN_JSON = 400;

/**
 * A token of the vocabulary in llama.cpp, which has tables of its own: what SmolLM2 and Gemma 3 took there beyond what is counted. Of it,
 * vocabularies that are opened alone take some 170 to 200 bytes a token and 190 a merge (17 and 42 to 50 MiB), and two samplers 24 a token; what
 * is left grows while steps are computed and log-probabilities written, and has not been told apart.
 */
const TOKEN_OF_ENGINE: Partial<Record<ServingInfo['engine'], number>> = { 'llama.cpp': 530 };

export const processMemory = (engine: ServingInfo['engine'], vocabSize: number): number =>
  PROCESS[engine] + keptTokenizer(vocabSize) + (TOKEN_IN_JSON + (TOKEN_OF_ENGINE[engine] ?? 0)) * vocabSize;

/** A model of the embedded engine, and what it has room for. */
interface EmbeddedModel {
  readonly weightBytes: number;
  readonly codes?: PlannedCodes | undefined;
  readonly layers: number;
  /** The graphs of a short pass through each kind of block. */
  readonly blocks: Graphs;
  /** Bytes of keys and values of a token. */
  readonly perToken: number;
  readonly rows: number;
  readonly contextTokens: number;
  readonly batchTokens: number;
  readonly prefixTokens: number;
}

/**
 * Bytes of weights, codes, graphs, and keys and values: of a prompt that is read, of texts that were, and of the batch, or of the
 * one row that is answered while codes are compiled. Where rows join, caches move layer by layer into larger ones, and what they were waits
 * for the collector.
 */
export function embeddedBytes(model: EmbeddedModel): number {
  const { weightBytes, codes, blocks, perToken, rows, contextTokens, prefixTokens } = model;
  const nodes = model.layers * (blocks.nodes / blocks.count);
  const coded = codes === undefined ? 0 : codes.held + graphBytes({ count: codes.graphs, nodes });
  const compiling = codes === undefined ? 0 : codes.peak - codes.held;
  const batch = perToken * heldTokens(model);
  const moving = batch / model.layers + Math.min(MOST_DISCARDED, batch);
  return (
    weightBytes +
    coded +
    compiledBytes(times(blocks, shapesOf(rows, contextTokens))) +
    perToken * (contextTokens + prefixTokens) +
    Math.max(batch + moving, perToken * contextTokens + compiling)
  );
}

/** Tokens that the caches of a batch have room for at most: those of some size, of as many rows as fit. */
function heldTokens({ rows, contextTokens, batchTokens }: EmbeddedModel): number {
  const held = cacheSizes(1, contextTokens).map((size) => {
    let joined = rows;
    while (joined > 1 && roomFor(joined) * size > batchTokens) joined--;
    return roomFor(joined) * size;
  });
  return Math.max(...held);
}

const times = ({ count, nodes }: Graphs, factor: number): Graphs => ({
  count: factor * count,
  nodes: factor * nodes,
});

/**
 * For each number of answers and size of their caches there is a graph of a step; for each number of prompts that are read together, and
 * padded length of their pieces, one that begins, and one that goes on in caches of each size.
 */
function shapesOf(rows: number, contextTokens: number): number {
  const sizes = cacheSizes(1, contextTokens).length;
  const pieces = Math.ceil(Math.min(PIECE, contextTokens) / paddedLength([1]));
  let prompts = 0;
  for (let together = 1; together <= rows; together++) prompts += Math.floor(pieces / together);
  return rows * sizes + prompts * (1 + sizes);
}
