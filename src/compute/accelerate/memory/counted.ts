/** What was counted of tiny models with the versions that compute (`python/ftpc_driver/probe`), in the place of the tables. */
import type { TorchShape } from './shape.js';

/** What the bytes per token that a block saves are a sum of. */
const BLOCK_TERMS = [
  'constant',
  'hidden',
  'queries',
  'keys',
  'inner',
  'heads',
  'keyHeads',
  'scores',
] as const;
type BlockTerm = (typeof BLOCK_TERMS)[number];

/** Bytes per token and unit of each, with factors of rank {@link COUNTED_RANK} over every target and without dropout. */
type BlockTerms = Readonly<Record<BlockTerm, number>>;

export const COUNTED_RANK = 8;

export interface CountedBlock {
  readonly saved: BlockTerms;
  /** Bytes per logit, at their fullest. */
  readonly logits: number;
}

/** Bytes that an update makes besides the state, per trained number, and per number of the largest tensor. */
interface CountedUpdate {
  readonly all: number;
  readonly largest: number;
}

export interface TensorCounts {
  /** Left out where what blocks save could not be told from their widths. */
  readonly block?: CountedBlock;
  readonly update: CountedUpdate;
}

/** Of one block, bytes per token. */
export function countedSaved(saved: BlockTerms, shape: TorchShape, length: number): number {
  const { hidden, queries, keys, inner, heads, keyValueHeads } = shape;
  const widths: BlockTerms = {
    constant: 1,
    ...{ hidden, queries, keys, inner, heads, keyHeads: keyValueHeads, scores: heads * length },
  };
  return BLOCK_TERMS.reduce((sum, term) => sum + saved[term] * widths[term], 0);
}
