import type { Decoder } from '../models/decoder/types.js';
import { buildBatch } from './batch.js';
import type { TokenRows } from './token-rows.js';

interface ValidationInput {
  readonly decoder: Decoder;
  readonly source: TokenRows;
  readonly microBatch: number;
  readonly padId: number;
  pause(): Promise<void>;
}

/** Mean cross entropy over all supervised tokens, in nats: no batch counts more than its tokens. */
export async function validationLoss(input: ValidationInput): Promise<number> {
  const { decoder, source, microBatch, padId } = input;
  const order = byLength(source);
  let sum = 0;
  let tokens = 0;
  for (let start = 0; start < order.length; start += microBatch) {
    await input.pause();
    const rows = order.subarray(start, start + microBatch);
    const result = await decoder.loss(buildBatch(source, rows, padId, decoder.options.config.maxPositions));
    sum += result.sum;
    tokens += result.tokens;
  }
  return tokens > 0 ? sum / tokens : 0;
}

/** Longest first, so that batches pad little. */
function byLength(source: TokenRows): Uint32Array {
  const order = Uint32Array.from({ length: source.count }, (_, row) => row);
  return order.sort((a, b) => source.lengthOf(b) - source.lengthOf(a) || a - b);
}
