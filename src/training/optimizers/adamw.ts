import { elements, floats, type Rule, type RuleInput } from './optimizer.js';

/**
 * `torch.optim.AdamW` (Loshchilov and Hutter, 2019, arXiv 1711.05101): decay first, then moments, then the update with
 * bias correction. The moments are rounded to float32 where torch rounds them, so that the codes of an 8-bit state come
 * out alike; the update is computed in float64 and rounded once.
 */
export const adamw: Rule = {
  slots: (shape) => ({ m: floats(elements(shape)), v: floats(elements(shape)) }),
  update: (input) =>
    adamStep(
      input,
      input.slots['m'] as Float32Array,
      input.slots['v'] as Float32Array,
      0,
      input.gradient.length,
    ),
};

const { fround } = Math;

/** Elements `first … end` of a parameter; the moments begin at `first`. */
export function adamStep(
  { parameter: { data }, gradient, options, decay, step, rate, gradientScale }: RuleInput,
  m: Float32Array,
  v: Float32Array,
  first: number,
  end: number,
): void {
  const { beta1, beta2, epsilon } = options;
  const [keep1, keep2] = [fround(beta1), fround(beta2)];
  const [take1, take2] = [fround(1 - beta1), fround(1 - beta2)];
  const keep = 1 - rate * decay;
  const correction = Math.sqrt(1 - beta2 ** step);
  // m̂ ÷ (√v̂ + ε), both sides times the correction of √v: a division fewer an element
  const stepSize = (rate / (1 - beta1 ** step)) * correction;
  const small = epsilon * correction;
  for (let i = first; i < end; i++) {
    const g = fround((gradient[i] as number) * gradientScale);
    const mean = fround(fround((m[i - first] as number) * keep1) + g * take1);
    const square = fround(fround((v[i - first] as number) * keep2) + fround(fround(take2 * g) * g));
    m[i - first] = mean;
    v[i - first] = square;
    data[i] = (data[i] as number) * keep - (stepSize * mean) / (Math.sqrt(square) + small);
  }
}
