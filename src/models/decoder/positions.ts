/** Angles of the rotary embedding and the causal mask. */
import type { ModelConfig } from '../types.js';

/** Far below any score, and finite: a row that is masked in full still gives numbers. */
export const MASKED = -1e9;

/**
 * Cosine and sine by position, `[positions, dim/2]` each; rounded to float32 at the steps where transformers'
 * `LlamaRotaryEmbedding` rounds, so that far positions turn by the same angle.
 */
export class Angles {
  readonly #inverse: readonly number[];

  constructor({ headDim, ropeTheta }: ModelConfig) {
    this.#inverse = Array.from({ length: headDim / 2 }, (_, pair) =>
      Math.fround(1 / Math.fround(ropeTheta ** Math.fround((2 * pair) / headDim))),
    );
  }

  /** Writes the angles of one position at `offset`. */
  write(position: number, cos: Float32Array, sin: Float32Array, offset: number): void {
    this.#inverse.forEach((frequency, pair) => {
      const angle = Math.fround(position * frequency);
      cos[offset + pair] = Math.cos(angle);
      sin[offset + pair] = Math.sin(angle);
    });
  }

  /** `[rows, length, dim/2]`, with positions from 0 in each row. */
  fill(rows: number, length: number, cos: Float32Array, sin: Float32Array): void {
    const half = this.#inverse.length;
    for (let position = 0; position < length; position++) this.write(position, cos, sin, position * half);
    for (let row = 1; row < rows; row++)
      for (const angles of [cos, sin]) angles.copyWithin(row * length * half, 0, length * half);
  }
}

/** `[length, length]`: 0 where the column is not after the row. */
export function causalMask(length: number, out: Float32Array): void {
  for (let row = 0; row < length; row++) {
    out.fill(0, row * length, row * length + row + 1);
    out.fill(MASKED, row * length + row + 1, (row + 1) * length);
  }
}
