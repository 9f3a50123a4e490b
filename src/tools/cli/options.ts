import { readFileSync, statSync } from 'node:fs';
import { UNITS } from '../../../grammar/units.js';
import { joined, type ParamFile, type ParamValues } from '../../language/check/overrides.js';
import { readParamFile } from '../../language/check/param-file.js';
import { paramFileUnreadable } from '../../language/diagnostics/catalogue/params.js';
import { RUNTIME_CHOICES, type RuntimeChoice } from '../../language/ir/runtimes.js';
import { lookUp } from '../../language/source/look-up.js';
import type { PlanRequest } from '../../pipeline/prepare/index.js';
import type { MachineChoice } from '../review/plan-quietly.js';
import { type Arguments, type OptionSpec, option, UsageError, unknown } from './command.js';

/** `-p name=value`, of every command that reads a pipeline. */
export const PARAM_OPTION: Readonly<Record<string, OptionSpec>> = {
  param: option.text(
    'NAME=VALUE',
    'Set a parameter of the pipeline, or select a value of a matrix; may be given more than once.',
    { short: 'p', many: true },
  ),
  params: option.text(
    'FILE.json',
    'Set parameters from a JSON object; later files override earlier ones, and `-p` overrides them all.',
    { many: true },
  ),
};

export const LOCKED_OPTION: Readonly<Record<string, OptionSpec>> = {
  locked: option.flag('Refuse anything that differs from the lock file or is not in it; see `ftpc lock`.'),
};

export function paramsOf(args: Arguments): ParamValues {
  const params = args.texts('param').map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`\`-p\` needs \`name=value\`, not \`${text}\``);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return joined(args.texts('params').map(readFile), Object.fromEntries(params));
}

/** A file that cannot be read is a diagnostic of the compilation, like everything else that is wrong with it. */
function readFile(file: string): ParamFile {
  try {
    const stat = statSync(file);
    // a pipe, as of a shell's `<(…)`, comes to its end; a device need not
    if (stat.isCharacterDevice() || stat.isBlockDevice())
      throw Object.assign(new Error(), { code: 'ENODEV' });
    return readParamFile(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)), file);
  } catch (error) {
    const why =
      error instanceof TypeError ? 'not UTF-8 text' : REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    return { overrides: {}, diagnostics: [paramFileUnreadable(file, why ?? 'the system refuses')] };
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'this is a folder',
  EACCES: 'no permission to read it',
  ENODEV: 'this is a device',
};

const MEMORY: OptionSpec = option.text(
  'SIZE',
  'Plan for this much memory, e.g. 24GiB, instead of that of the machine.',
);

const THREADS: OptionSpec = option.number('N', 'Threads of the tensor runtime; default: one per core.');

/** `fallback`: what applies where the option is left out. */
const runtimeOption = (fallback: string): OptionSpec =>
  option.choice(
    RUNTIME_CHOICES,
    `The tensor runtime; default: ${fallback}. auto takes TensorFlow if it is installed for a GPU on this machine, or else the faster one on the CPU, as measured.`,
  );

const RUNTIME = runtimeOption('as the pipeline says');

/** Of commands that read no pipeline. */
export const MODEL_RUNTIME = runtimeOption('auto');

/** Of commands that run a pipeline on this machine. */
export const RUN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...PARAM_OPTION,
  memory: MEMORY,
  runtime: RUNTIME,
  threads: THREADS,
  ...LOCKED_OPTION,
};

const MACHINE = {
  machine: option.text(
    'NAME',
    'Plan for a machine of the catalogue, e.g. rtx3090, a100-40gb or cpu-8gib; default: this machine.',
  ),
  memory: MEMORY,
  devices: option.number('N', 'How many devices the machine has.'),
} as const;

/** Of commands that plan, also for machines that are not here. */
export const PLAN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...PARAM_OPTION,
  machine: MACHINE.machine,
  memory: MEMORY,
  engine: option.choice(['embedded', 'accelerate'], 'The engine that would run it; default: embedded.'),
  devices: MACHINE.devices,
  runtime: RUNTIME,
  threads: THREADS,
};

/** Of a snapshot, which is of one machine; `doc` says for which. */
export const snapshotOptions = (doc: string): Readonly<Record<string, OptionSpec>> => ({
  ...PARAM_OPTION,
  ...MACHINE,
  machine: { ...MACHINE.machine, doc },
});

/** A machine as the command line describes it. Throws a `UsageError` for one that the catalogue does not have. */
export async function namedMachine(args: Arguments): Promise<Omit<MachineChoice, 'engine'>> {
  const memoryBytes = memoryOf(args);
  const machine = args.text('machine');
  if (machine !== undefined) {
    const { machineNames } = await import('../../pipeline/planner/machines.js');
    if (!machineNames().includes(machine)) throw unknown('machine', machine, machineNames());
  }
  return { memoryBytes, machine, devices: wholeNumber(args, 'devices') };
}

export const planMachine = async (args: Arguments): Promise<MachineChoice> => ({
  ...(await namedMachine(args)),
  engine: args.text('engine'),
});

/** A pipeline as `-p`, `--memory`, `--runtime` and `--threads` ask for it, on this machine. */
export const runRequest = (file: string, args: Arguments): PlanRequest => ({
  file,
  params: paramsOf(args),
  memoryBytes: memoryOf(args),
  runtime: runtimeOf(args),
  threads: threadsOf(args),
});

/** The same on the machine that is named. */
export const planRequest = async (file: string, args: Arguments): Promise<PlanRequest> => ({
  ...runRequest(file, args),
  ...(await planMachine(args)),
});

/** `24GiB` in bytes; units as in the language. */
function memoryOf(args: Arguments): number | undefined {
  const text = args.text('memory');
  if (text === undefined) return undefined;
  const [, number, suffix = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B)$/.exec(text) ?? [];
  const unit = lookUp(UNITS, suffix);
  if (unit === undefined)
    throw new UsageError(`\`--memory\` needs a size with its unit, e.g. 24GiB, not \`${text}\``);
  return Math.round(Number(number) * unit.factor);
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

/** `undefined` if it is left out: then the pipeline may say it. */
export const runtimeOf = (args: Arguments): RuntimeChoice | undefined =>
  RUNTIME_CHOICES.find((name) => name === args.text('runtime'));
