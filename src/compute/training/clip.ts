/** Global L2 norm of all gradients, summed in float64: float32 sums stop growing beyond 2²⁴ terms. */
export function globalNorm(gradients: ReadonlyMap<string, Float32Array>): number {
  let total = 0;
  for (const gradient of gradients.values()) total += sumOfSquares(gradient);
  return Math.sqrt(total);
}

/** In float64. */
export function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  const { length } = values;
  for (let i = 0; i < length; i++) {
    const value = values[i] as number;
    sum += value * value;
  }
  return sum;
}

/**
 * What gradients are multiplied with so that their norm is at most `clip` (`torch.nn.utils.clip_grad_norm_`); left out,
 * they stay as they are.
 */
export function clipFactor(norm: number, clip: number | undefined): number {
  return clip === undefined ? 1 : Math.min(1, clip / (norm + 1e-6));
}
