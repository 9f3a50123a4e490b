import type { TrainPlan } from './plan.js';

/** `global`: rows of a step, or sequences of them. */
export const withMicro = (plan: TrainPlan, microBatch: number, global: number): TrainPlan => ({
  ...plan,
  microBatch,
  accumulation: Math.ceil(global / microBatch),
});

/** Divisors of a number, the largest first. */
export function divisors(number: number): readonly number[] {
  const found: number[] = [];
  for (let small = 1; small * small <= number; small++) {
    if (number % small !== 0) continue;
    found.push(small);
    if (small * small !== number) found.push(number / small);
  }
  return found.sort((a, b) => b - a);
}
