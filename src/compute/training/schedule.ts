/** How the learning rate moves: transformers' `optimization.py`, with the step counted from 0. */
export interface Schedule {
  readonly name: ScheduleName;
  readonly warmupSteps: number;
  /** `polynomial`: the power of the rest, and the rate at the end. */
  readonly power?: number;
  readonly end?: number;
  /** `cosine_restarts`. */
  readonly cycles?: number;
  /** The lowest rate, as a fraction of the highest. Default: 0. */
  readonly min?: number;
  /** `warmup_stable_decay`: how many of the last steps the rate falls over, and along what. */
  readonly decaySteps?: number;
  readonly shape?: DecayShape;
  /** `reduce_on_plateau`. */
  readonly plateau?: Plateau;
  /** Of a training that has diverged: what the rates of later steps are multiplied by, in any order. */
  readonly setbacks?: readonly Setback[];
}

/** Training went back to the checkpoint of a step, to go on more slowly. */
export interface Setback {
  /** The step; 0 is the start. */
  readonly to: number;
  readonly factor: number;
}

/** When and how far the rate falls: PyTorch's `ReduceLROnPlateau` with a relative threshold, for losses. */
export interface Plateau {
  /** What the rate is multiplied by. */
  readonly factor: number;
  /** Validations in a row without a better loss that are let pass. */
  readonly patience: number;
  /** Fraction of the best loss by which a better one is below it. */
  readonly threshold: number;
}

interface Moment {
  readonly schedule: Schedule;
  readonly total: number;
  /** From 0 at the end of the warm-up to 1 at the step after the last. */
  readonly progress: number;
  /** Steps taken, those of the warm-up among them. */
  readonly done: number;
  /** The highest rate. */
  readonly rate: number;
  /** Validation losses so far, oldest first. */
  readonly losses: readonly number[];
}

/** Steps over which the inverse square root would have warmed up, if there is no warm-up. */
const TIMESCALE = 10_000;

const halfCosine = (turns: number): number => Math.max(0, 0.5 * (1 + Math.cos(Math.PI * turns)));

const SHAPES = {
  cosine: halfCosine,
  linear: (progress) => 1 - progress,
  sqrt: (progress) => 1 - Math.sqrt(progress),
} as const satisfies Record<string, (progress: number) => number>;

export type DecayShape = keyof typeof SHAPES;

export const isDecayShape = (name: unknown): name is DecayShape =>
  typeof name === 'string' && Object.hasOwn(SHAPES, name);

/** The rest of a factor above the lowest one. */
const above = (min: number, factor: number): number => factor * (1 - min) + min;

/** Factor after the warm-up. */
const AFTER_WARMUP = {
  cosine: ({ progress, schedule: { min = 0 } }) => above(min, halfCosine(progress)),
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
  warmup_stable_decay({ done, total, schedule: { decaySteps = 0, min = 0, shape = 'cosine' } }) {
    const decayed = done - (total - decaySteps);
    if (decayed < 0) return 1;
    return decayed < decaySteps ? above(min, SHAPES[shape](decayed / decaySteps)) : min;
  },
  reduce_on_plateau: ({ schedule: { plateau, min = 0 }, losses }) =>
    plateau === undefined ? 1 : afterPlateaus(plateau, min, losses),
} as const satisfies Record<string, (moment: Moment) => number>;

/** The factor after these validations. */
function afterPlateaus(
  { factor, patience, threshold }: Plateau,
  min: number,
  losses: readonly number[],
): number {
  let best = Number.POSITIVE_INFINITY;
  let worse = 0;
  let result = 1;
  for (const loss of losses) {
    if (loss < best * (1 - threshold)) {
      best = loss;
      worse = 0;
    } else if (++worse > patience) {
      result = Math.max(result * factor, min);
      worse = 0;
    }
  }
  return result;
}

export type ScheduleName = keyof typeof AFTER_WARMUP;

export const isScheduleName = (name: string): name is ScheduleName => Object.hasOwn(AFTER_WARMUP, name);

/** Steps that a share of all is: rounded up, as transformers does with a warm-up. */
export function stepsIn(steps: { readonly unit: string; readonly value: number }, total: number): number {
  return steps.unit === 'ratio' ? Math.ceil(total * steps.value) : Math.floor(steps.value);
}

/**
 * Rate of step `step` (from 1) of `total`, after these validation losses. With a warm-up of `w` steps, step k ≤ w has
 * `rate · (k − 1) / w`: the first is 0, or the lowest rate of `warmup_stable_decay`. The rate of the last step is not
 * 0: that would be the one after it.
 */
export function rateOf(
  schedule: Schedule,
  rate: number,
  {
    step,
    total,
    losses = [],
  }: { readonly step: number; readonly total: number; readonly losses?: readonly number[] },
): number {
  const { name, warmupSteps: warmup, setbacks = [] } = schedule;
  const slowed = setbacks.filter(({ to }) => step > to);
  if (slowed.length > 0) {
    const factor = slowed.reduce((product, setback) => product * setback.factor, 1);
    return factor * rateOf({ ...schedule, setbacks: [] }, rate, { step, total, losses });
  }
  const done = step - 1;
  if (done < warmup) {
    const risen = done / Math.max(1, warmup);
    return rate * (name === 'warmup_stable_decay' ? above(schedule.min ?? 0, risen) : risen);
  }
  const progress = (done - warmup) / Math.max(1, total - warmup);
  return rate * AFTER_WARMUP[name]({ schedule, total, progress, done, rate, losses });
}
