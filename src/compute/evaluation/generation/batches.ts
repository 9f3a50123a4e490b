import type { ModelConfig } from '../../models/types.js';

const MOST_ROWS = 32;
/** Tokens by which prompts of one batch may differ, and an eighth of the longest. */
const SPREAD = 8;

/** Rows that are answered together, by their index, and the tokens that the longest may reach. */
export interface GenerationBatch {
  readonly rows: readonly number[];
  readonly capacity: number;
}

/**
 * Groups prompts of similar length, longest first, so that little is padded and the largest batch comes first.
 * A batch's keys and values stay below `cacheBytes`.
 */
export function generationBatches(
  lengths: readonly number[],
  maxTokens: number,
  config: ModelConfig,
  cacheBytes: number,
): readonly GenerationBatch[] {
  const order = lengths.map((_, row) => row).sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  function lengthOf(row: number): number {
    return lengths[row] as number;
  }
  const batches: GenerationBatch[] = [];
  let rows: number[] = [];
  let capacity = 0;
  const close = (): void => {
    if (rows.length > 0) batches.push({ rows, capacity });
    rows = [];
  };
  for (const row of order) {
    const first = rows[0];
    const alike = first === undefined || lengthOf(first) - lengthOf(row) <= SPREAD + lengthOf(first) / 8;
    if (first === undefined || !alike || rows.length >= batchRows(config, capacity, cacheBytes)) {
      close();
      capacity = Math.min(lengthOf(row) + maxTokens, config.maxPositions);
    }
    rows.push(row);
  }
  close();
  return batches;
}

/** Rows that are answered together at most, each with so many tokens; the planner measures this shape. */
export const batchRows = (config: ModelConfig, capacity: number, cacheBytes: number): number =>
  Math.max(1, Math.min(MOST_ROWS, Math.floor(cacheBytes / (cacheBytesPerToken(config) * capacity))));

/** Keys and values of a token: two float32 vectors of every layer's key-value heads. */
export const cacheBytesPerToken = ({ layers, keyValueHeads, headDim }: ModelConfig): number =>
  layers * 2 * keyValueHeads * headDim * 4;
