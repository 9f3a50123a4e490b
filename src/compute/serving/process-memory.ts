/** What the process of a model takes besides its weights and caches. */
import type { ServingInfo } from './types.js';

const MIB = 2 ** 20;

/**
 * Node, this program and the library that computes; of the embedded engine also what a step works in. Measured on Linux x64 with
 * Node 20: the most that the process took (VmHWM), less weights, caches and tokenizer. docs/serving.md has what was planned and
 * measured with these figures.
 */
const PROCESS: Readonly<Record<ServingInfo['engine'], number>> = {
  embedded: 121 * MIB,
  accelerate: 121 * MIB,
  'llama.cpp': 91 * MIB,
};

/** A token of the vocabulary, in the tables of the tokenizer. */
const TOKEN = 740;
/**
 * In the tables of answers in JSON, which the first of them makes: growth of the peak by 103 MiB with the 262,144 tokens of
 * Gemma 3, and by 7 and 11 with the 49,152 of SmolLM2.
 */
const TOKEN_IN_JSON = 400;

export const processMemory = (engine: ServingInfo['engine'], vocabSize: number): number =>
  PROCESS[engine] + (TOKEN + TOKEN_IN_JSON) * vocabSize;
