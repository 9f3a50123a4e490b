import type { ModelConfig } from '../../../src/models/types.js';
import type { Chosen } from '../../../src/stages/types.js';

/** What a measured child trains. */
export interface Workload {
  readonly config: ModelConfig;
  /** How the base is stored, where it is not in NF4. */
  readonly file: 'F32' | 'F16';
  readonly chosen: Chosen;
  readonly dropout: number;
  readonly rows: number;
  readonly validation: number;
  /** Lengths of the rows in tokens, in turn. */
  readonly lengths: readonly number[];
  readonly steps: number;
  /** Prints what is resident after each step. */
  readonly trace?: boolean;
}

export const STARTER: ModelConfig = {
  architecture: 'llama',
  vocabSize: 4096,
  hiddenSize: 192,
  intermediateSize: 512,
  layers: 6,
  heads: 6,
  keyValueHeads: 2,
  headDim: 32,
  maxPositions: 1024,
  ropeTheta: 10_000,
  rmsEpsilon: 1e-5,
  tieEmbeddings: true,
  bosTokenId: 0,
  eosTokenIds: [1],
  padTokenId: null,
};
