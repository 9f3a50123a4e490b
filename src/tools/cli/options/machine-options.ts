/** Options about the machine and the runtime, and what they ask for. Light: a command that reads no pipeline has some too. */
import { UNITS } from '../../../../grammar/units.js';
import { MOST_DEVICES } from '../../../language/ir/engines.js';
import { RUNTIME_CHOICES, type RuntimeChoice } from '../../../language/ir/runtimes.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { MachineChoice } from '../../review/plan-quietly.js';
import { type Arguments, type OptionSpec, option, UsageError } from '../command.js';

export const MEMORY: OptionSpec = option.text(
  'SIZE',
  'Plan for this much memory, e.g. 24GiB, instead of that of the machine.',
);

export const THREADS: OptionSpec = option.number(
  'N',
  'Threads of the tensor runtime; default: one per core.',
);

export const PARALLEL: OptionSpec = option.text(
  'N',
  'Stages that run at once, at most; default: auto, as many as make the planned time shortest, within its memory.',
);

/** `fallback`: what applies where the option is left out. */
const runtimeOption = (fallback: string): OptionSpec =>
  option.choice(
    RUNTIME_CHOICES,
    `The tensor runtime; default: ${fallback}. auto takes TensorFlow if it is installed for a GPU on this machine, or else the faster one on the CPU, as measured.`,
  );

export const RUNTIME = runtimeOption('as the pipeline says');

/** Of commands that read no pipeline. */
export const MODEL_RUNTIME = runtimeOption('auto');

export const MACHINE = {
  machine: option.text(
    'NAME',
    'Plan for a machine of the catalogue or of the pipeline, e.g. rtx3090, a100-40gb or cpu-8gib; default: this machine.',
    { words: 'machines' },
  ),
  memory: MEMORY,
  devices: option.number(
    'N',
    'How many devices the machine has, each of which computes for the accelerate engine.',
  ),
} as const;

export const PRICE: OptionSpec = option.number(
  'USD',
  'What an hour of the machine costs, in US dollars, in place of the price that it is declared with.',
);

/** Throws a `UsageError`. */
export function priceOf(args: Arguments): number | undefined {
  const price = args.number('price');
  if (price === undefined || price >= 0) return price;
  throw new UsageError('`--price` needs a number of US dollars per hour, 0 or more');
}

/** A machine as the command line describes it; who plans for it looks it up, among those of the pipeline too. */
export function namedMachine(args: Arguments): Omit<MachineChoice, 'engine'> {
  const memoryBytes = memoryOf(args);
  return { memoryBytes, machine: args.text('machine'), devices: devicesOf(args) };
}

export const devicesOf = (args: Arguments): number | undefined => wholeNumber(args, 'devices', MOST_DEVICES);

/** `24GiB` in bytes; units as in the language. */
export function memoryOf(args: Arguments): number | undefined {
  const text = args.text('memory');
  if (text === undefined) return undefined;
  const [, number, suffix = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B)$/.exec(text) ?? [];
  const unit = lookUp(UNITS, suffix);
  if (unit === undefined)
    throw new UsageError(`\`--memory\` needs a size with its unit, e.g. 24GiB, not \`${text}\``);
  const bytes = Math.round(Number(number) * unit.factor);
  if (bytes === 0) throw new UsageError('`--memory` needs a size above 0, e.g. 24GiB');
  return bytes;
}

/** A number of which there is at least one; `undefined` if it is left out. Throws a `UsageError`. */
export function wholeNumber(args: Arguments, name: string, most?: number): number | undefined {
  const value = args.number(name);
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= (most ?? value)))
    return value;
  throw new UsageError(`\`--${name}\` needs a whole number from 1${most === undefined ? '' : ` to ${most}`}`);
}

/** More than any machine has cores; the system would be busy with starting more. */
const MOST_THREADS = 1024;

export const threadsOf = (args: Arguments): number | undefined => wholeNumber(args, 'threads', MOST_THREADS);

/** Stages at once; `undefined` where the plan decides. */
export function parallelOf(args: Arguments): number | undefined {
  const text = args.text('parallel') ?? 'auto';
  if (text === 'auto') return undefined;
  const stages = Number(text);
  if (/^\d+$/.test(text) && stages >= 1 && stages <= MOST_PARALLEL) return stages;
  throw new UsageError(
    `\`--parallel\` needs \`auto\` or a whole number from 1 to ${MOST_PARALLEL}, not \`${text}\``,
  );
}

/** Each stage has a process of its own. */
const MOST_PARALLEL = 64;

/** `undefined` if it is left out: then the pipeline may say it. */
export const runtimeOf = (args: Arguments): RuntimeChoice | undefined =>
  RUNTIME_CHOICES.find((name) => name === args.text('runtime'));
