/** How the learning rate moves: transformers' `optimization.py`, with the step counted from 0. */
export interface Schedule {
  readonly name: ScheduleName;
  readonly warmupSteps: number;
  /** `polynomial`: the power of the rest, and the rate at the end. */
  readonly power?: number;
  readonly end?: number;
  /** `cosine_restarts`. */
  readonly cycles?: number;
}

interface Moment {
  readonly schedule: Schedule;
  /** From 0 at the end of the warm-up to 1 at the step after the last. */
  readonly progress: number;
  /** Steps taken, those of the warm-up among them. */
  readonly done: number;
  /** The highest rate. */
  readonly rate: number;
}

/** Steps over which the inverse square root would have warmed up, if there is no warm-up. */
const TIMESCALE = 10_000;

const halfCosine = (turns: number): number => Math.max(0, 0.5 * (1 + Math.cos(Math.PI * turns)));

/** Factor after the warm-up. */
const AFTER_WARMUP = {
  cosine: ({ progress }) => halfCosine(progress),
  linear: ({ progress }) => Math.max(0, 1 - progress),
  constant: () => 1,
  cosine_restarts: ({ progress, schedule }) =>
    progress >= 1 ? 0 : halfCosine((progress * (schedule.cycles ?? 1)) % 1),
  polynomial({ progress, schedule, rate }) {
    const { power = 1, end = 0 } = schedule;
    return progress > 1 ? end / rate : ((rate - end) * (1 - progress) ** power + end) / rate;
  },
  inverse_sqrt({ done, schedule }) {
    const timescale = schedule.warmupSteps || TIMESCALE;
    return 1 / Math.sqrt((done + timescale - schedule.warmupSteps) / timescale);
  },
} as const satisfies Record<string, (moment: Moment) => number>;

export type ScheduleName = keyof typeof AFTER_WARMUP;

export const isScheduleName = (name: string): name is ScheduleName => Object.hasOwn(AFTER_WARMUP, name);

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
  const progress = (done - warmup) / Math.max(1, total - warmup);
  return rate * AFTER_WARMUP[name]({ schedule, progress, done, rate });
}
