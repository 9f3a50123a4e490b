/** How the learning rate moves: transformers' `optimization.py`, with the step counted from 0. */
export type ScheduleName = 'cosine' | 'linear' | 'constant';

export interface Schedule {
  readonly name: ScheduleName;
  readonly warmupSteps: number;
}

/** Factor after the warm-up; `progress` runs from 0 to 1 at the step after the last. */
const AFTER_WARMUP: Readonly<Record<ScheduleName, (progress: number) => number>> = {
  cosine: (progress) => Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress))),
  linear: (progress) => Math.max(0, 1 - progress),
  constant: () => 1,
};

export function isScheduleName(name: string): name is ScheduleName {
  return Object.hasOwn(AFTER_WARMUP, name);
}

/** Steps of warm-up: a share is rounded up, as transformers does. */
export function warmupSteps(
  warmup: { readonly unit: string; readonly value: number },
  total: number,
): number {
  return warmup.unit === 'ratio' ? Math.ceil(total * warmup.value) : Math.floor(warmup.value);
}

/**
 * Rate of step `step` (from 1) of `total`. With a warm-up of `w` steps, step k ≤ w has `rate · (k − 1) / w`: the first
 * is 0. The rate of the last step is not 0: that would be the one after it.
 */
export function rateOf(schedule: Schedule, rate: number, step: number, total: number): number {
  const { name, warmupSteps: warmup } = schedule;
  const done = step - 1;
  if (done < warmup) return rate * (done / Math.max(1, warmup));
  return rate * AFTER_WARMUP[name]((done - warmup) / Math.max(1, total - warmup));
}
