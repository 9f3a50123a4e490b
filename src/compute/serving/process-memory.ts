/** What the process of a model takes besides its weights and caches. */
import { cacheSizes } from '../models/decoder/caches.js';
import { MOST_COMPILED } from '../models/decoder/resources.js';
import { keptTokenizer } from '../models/tokenizer/memory.js';
import type { ServingInfo } from './types.js';

const MIB = 2 ** 20;

/**
 * Node, this program and the library that computes; of the embedded engine also what a step works in. Measured on Linux x64 with
 * Node 20 and the starter model: the most that the process took (VmHWM), less weights, caches, graphs and what its 4,096 tokens take;
 * of the embedded engine 111 to 115 MiB of 4 and 16 answers of 256 and 512 tokens. docs/serving.md has what was planned and measured
 * with these figures.
 */
const PROCESS: Readonly<Record<ServingInfo['engine'], number>> = {
  embedded: 115 * MIB,
  accelerate: 121 * MIB,
  'llama.cpp': 91 * MIB,
};

/**
 * A token of the vocabulary in the tables of answers in JSON, which the first of them makes: growth of the peak by 103 MiB with the
 * 262,144 tokens of Gemma 3, and by 7 and 11 with the 49,152 of SmolLM2.
 */
const TOKEN_IN_JSON = 400;

/** A token of the vocabulary in llama.cpp, which has tables of its own: what SmolLM2 and Gemma 3 took there beyond what is counted. */
const TOKEN_OF_ENGINE: Partial<Record<ServingInfo['engine'], number>> = { 'llama.cpp': 530 };

export const processMemory = (engine: ServingInfo['engine'], vocabSize: number): number =>
  PROCESS[engine] + keptTokenizer(vocabSize) + (TOKEN_IN_JSON + (TOKEN_OF_ENGINE[engine] ?? 0)) * vocabSize;

/** A compiled graph of a token's step through a block: 28 of the starter's took 0.41 MiB each, of 39 nodes. */
const STEP_GRAPH = 0.41 * MIB;

/** The decoder compiles one for every number of answers and size of their caches. */
export const stepGraphBytes = (rows: number, contextTokens: number): number =>
  STEP_GRAPH * Math.min(MOST_COMPILED, rows * cacheSizes(1, contextTokens).length);
