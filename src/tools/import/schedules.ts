/** Schedules of the learning rate by the names that other tools have for them, and their arguments. */
import { lookUp } from '../../language/source/look-up.js';
import { number, percent } from './literals.js';
import type { Recipe } from './recipe.js';

interface Schedule {
  /** `undefined`: the rate stays as it is, without warm-up. */
  readonly call?:
    | 'cosine'
    | 'cosine_restarts'
    | 'polynomial'
    | 'inverse_sqrt'
    | 'linear'
    | 'constant'
    | 'warmup_stable_decay'
    | 'reduce_on_plateau';
  readonly near?: string;
}

const SCHEDULES: Readonly<Record<string, Schedule>> = {
  linear: { call: 'linear' },
  cosine: { call: 'cosine' },
  cosine_with_restarts: { call: 'cosine_restarts' },
  cosine_with_min_lr: { call: 'cosine' },
  polynomial: { call: 'polynomial' },
  constant: {},
  constant_with_warmup: { call: 'constant' },
  inverse_sqrt: { call: 'inverse_sqrt' },
  warmup_stable_decay: { call: 'warmup_stable_decay' },
  reduce_lr_on_plateau: { call: 'reduce_on_plateau' },
};

/** Schedules of Trainer and of Axolotl. */
export function scheduleOf(name: string): Schedule {
  const key = name.replace(/^SchedulerType\./, '').toLowerCase();
  const known = lookUp(SCHEDULES, key);
  return known ?? { call: 'cosine', near: 'ftpc does not have this schedule; a cosine takes its place' };
}

/** The argument here, written out, empty for what is so without it; `undefined` for a value that it cannot have. */
type Argument = (value: number | string, rate: number) => string | undefined;

const argument =
  (name: string, fits: (value: number) => boolean, text: (value: number) => string): Argument =>
  (value) =>
    typeof value === 'number' && fits(value) ? `${name}: ${text(value)}` : undefined;

const isShare = (value: number): boolean => value >= 0 && value <= 1;
const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;

const lowest = argument('min', isShare, percent);
const lowestShare: Argument = (value, rate) => (value === 0 ? '' : lowest(value, rate));
const lowestRate: Argument = (value, rate) => lowestShare(Number(value) / rate, rate);

const SHAPES: Readonly<Record<string, string>> = { cosine: 'cosine', linear: 'linear', '1-sqrt': 'sqrt' };

/** Arguments of each schedule by their names there. */
const ARGUMENTS: Readonly<{ [call in NonNullable<Schedule['call']>]?: Readonly<Record<string, Argument>> }> =
  {
    cosine: {
      min_lr_rate: lowestShare,
      min_lr: lowestRate,
      num_cycles: (value) => (value === 0.5 ? '' : undefined),
    },
    cosine_restarts: { num_cycles: argument('cycles', (value) => isCount(value) && value > 0, String) },
    polynomial: {
      power: argument('power', (value) => value > 0, number),
      lr_end: argument('end', (value) => value >= 0, number),
    },
    warmup_stable_decay: {
      num_decay_steps: argument('decay', isCount, (value) => `${value}steps`),
      decay_type: (value) => {
        const shape = lookUp(SHAPES, String(value));
        return shape === undefined ? undefined : `shape: ${shape}`;
      },
      warmup_type: (value) => (value === 'linear' ? '' : undefined),
      min_lr_ratio: lowestShare,
    },
    reduce_on_plateau: {
      factor: argument('factor', isShare, percent),
      patience: argument('patience', isCount, String),
      threshold: argument('threshold', isShare, percent),
      min_lr: lowestRate,
      mode: (value) => (value === 'min' ? '' : undefined),
    },
  };

type Arguments = Pick<Recipe, 'schedule' | 'scheduleArguments' | 'rate'>;

/** Each argument of the file by its name there, and what it is here. */
function argumentsOf({ schedule = 'linear', scheduleArguments = {}, rate = 0 }: Arguments) {
  const { call } = scheduleOf(schedule);
  const known = call === undefined ? undefined : ARGUMENTS[call];
  return Object.entries(scheduleArguments).map(([name, value]) => ({
    name,
    text: lookUp(known ?? {}, name)?.(value, rate),
  }));
}

/** Names of arguments that the schedule does not have here, or not with such a value. */
export const unreadArguments = (recipe: Arguments): readonly string[] =>
  argumentsOf(recipe).flatMap(({ name, text }) => (text === undefined ? [name] : []));

/** The schedule as a pipeline has it; `undefined`: the rate is constant. */
export function scheduleText(
  recipe: Arguments & Pick<Recipe, 'warmupSteps' | 'warmupRatio'>,
): string | undefined {
  const { call } = scheduleOf(recipe.schedule ?? 'linear');
  if (call === undefined) return undefined;
  const { warmupSteps, warmupRatio = 0 } = recipe;
  if (call === 'constant' && warmupSteps === undefined && warmupRatio === 0) return undefined;
  // `0%` is written: without it, ftpc has 3 %.
  const warmup = warmupSteps === undefined ? percent(warmupRatio) : `${warmupSteps}steps`;
  const others = argumentsOf(recipe).flatMap(({ text = '' }) => (text === '' ? [] : [text]));
  return `${call}(${[`warmup: ${warmup}`, ...others].join(', ')})`;
}
