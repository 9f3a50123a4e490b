/** What the process of a model takes besides its weights and caches. */
import type { ServingInfo } from './types.js';

const MIB = 2 ** 20;

/**
 * Node, this program and the library that computes; of the embedded engine also what a step works in. Measured on Linux x64 with
 * Node 20: the most that the process took (VmHWM), less weights, caches and tokenizer. With these figures, 185 MiB were planned and
 * measured for the starter model, 2108 and 2133 for Gemma 3 270M, 998 and 953 for SmolLM2, and 1793 and 1784 for SmolLM2 in llama.cpp.
 */
const PROCESS: Readonly<Record<ServingInfo['engine'], number>> = {
  embedded: 121 * MIB,
  accelerate: 121 * MIB,
  'llama.cpp': 91 * MIB,
};

/** A token of the vocabulary, in the tables of the tokenizer. */
const TOKEN = 700;

export const processMemory = (engine: ServingInfo['engine'], vocabSize: number): number =>
  PROCESS[engine] + TOKEN * vocabSize;
