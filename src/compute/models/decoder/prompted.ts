/** Rows with room for virtual tokens before them: their ids are 0 there, and nothing is supervised. */
import type { Batch } from './types.js';

const IGNORED = -100;

/** Nothing before a text supervises its first token, as nothing does without virtual tokens. */
export function prompted(batch: Batch, count: number): Batch {
  if (count === 0) return batch;
  const { rows, length, ids, labels, lengths } = batch;
  const whole = length + count;
  const out = { ids: new Int32Array(rows * whole), labels: new Int32Array(rows * whole).fill(IGNORED) };
  for (let row = 0; row < rows; row++) {
    const to = row * whole + count;
    out.ids.set(ids.subarray(row * length, (row + 1) * length), to);
    out.labels.set(labels.subarray(row * length + 1, (row + 1) * length), to + 1);
  }
  return { rows, length: whole, lengths: lengths?.map((tokens) => tokens + count), ...out };
}

export function promptedIds(ids: Int32Array, count: number): Int32Array {
  const out = new Int32Array(count + ids.length);
  out.set(ids, count);
  return out;
}
