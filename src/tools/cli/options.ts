import { readFileSync, statSync } from 'node:fs';
import { joined, type ParamFile, type ParamValues } from '../../language/check/overrides.js';
import { readParamFile } from '../../language/check/param-file.js';
import { paramFileUnreadable } from '../../language/diagnostics/catalogue/params.js';
import { RUNTIME_CHOICES, type RuntimeChoice } from '../../language/ir/runtimes.js';
import { type Arguments, type OptionSpec, UsageError, unknown } from './command.js';

/** `-p name=value`, of every command that reads a pipeline. */
export const PARAM_OPTION: Readonly<Record<string, OptionSpec>> = {
  param: {
    type: 'string',
    short: 'p',
    many: true,
    value: 'NAME=VALUE',
    doc: 'Set a parameter of the pipeline, or select a value of a matrix; may be given more than once.',
  },
  params: {
    type: 'string',
    many: true,
    value: 'FILE.json',
    doc: 'Set parameters from a JSON object; later files override earlier ones, and `-p` overrides them all.',
  },
};

export const LOCKED_OPTION: Readonly<Record<string, OptionSpec>> = {
  locked: {
    type: 'boolean',
    doc: 'Refuse anything that differs from the lock file or is not in it; see `ftpc lock`.',
  },
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

const MEMORY: OptionSpec = {
  type: 'string',
  value: 'SIZE',
  doc: 'Plan for this much memory, e.g. 24GiB, instead of that of the machine.',
};

const THREADS: OptionSpec = {
  type: 'number',
  value: 'N',
  doc: 'Threads of the tensor runtime; default: one per core.',
};

/** `fallback`: what applies where the option is left out. */
const runtimeOption = (fallback: string): OptionSpec => ({
  type: 'string',
  choices: RUNTIME_CHOICES,
  doc: `The tensor runtime; default: ${fallback}. auto takes TensorFlow if it is installed for a GPU on this machine, or else the faster one on the CPU, as measured.`,
});

const RUNTIME = runtimeOption('as the pipeline says');

/** Of commands that read no pipeline. */
export const MODEL_RUNTIME = runtimeOption('auto');

/** Options of commands that run on this machine. */
export const RUN_MACHINE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  memory: MEMORY,
  runtime: RUNTIME,
  threads: THREADS,
};

/** Options of `plan`, which may look at machines that are not here. */
export const PLAN_MACHINE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  machine: {
    type: 'string',
    value: 'NAME',
    doc: 'Plan for a machine of the catalogue, e.g. rtx3090, a100-40gb or cpu-8gib; default: this machine.',
  },
  memory: MEMORY,
  engine: {
    type: 'string',
    choices: ['embedded', 'accelerate'],
    doc: 'The engine that would run it; default: embedded.',
  },
  devices: { type: 'number', value: 'N', doc: 'How many devices the machine has.' },
  runtime: RUNTIME,
  threads: THREADS,
};

export interface NamedMachine {
  readonly machine?: string;
  readonly devices?: number;
}

/** Throws a `UsageError` for a machine that the catalogue does not have. */
export async function namedMachine(args: Arguments): Promise<NamedMachine> {
  const machine = args.text('machine');
  if (machine !== undefined) {
    const { machineNames } = await import('../../pipeline/planner/machines.js');
    if (!machineNames().includes(machine)) throw unknown('machine', machine, machineNames());
  }
  const devices = args.number('devices');
  if (devices !== undefined && (!Number.isInteger(devices) || devices < 1))
    throw new UsageError('`--devices` needs a whole number from 1');
  return { machine, devices };
}

export const planMachine = async (args: Arguments): Promise<NamedMachine & { readonly engine?: string }> => ({
  ...(await namedMachine(args)),
  engine: args.text('engine'),
});

const UNITS: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `24GiB` in bytes; units as in the language. */
export function memoryOf(args: Arguments): number | undefined {
  const text = args.text('memory');
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new UsageError(`\`--memory\` needs a size with its unit, e.g. 24GiB, not \`${text}\``);
  return Math.round(Number(match[1]) * unit);
}

/** More than any machine has cores; the system would be busy with starting more. */
const MOST_THREADS = 1024;

export function threadsOf(args: Arguments): number | undefined {
  const threads = args.number('threads');
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS))
    throw new UsageError(`\`--threads\` needs a whole number from 1 to ${MOST_THREADS}`);
  return threads;
}

/** `undefined` if it is left out: then the pipeline may say it. */
export const runtimeOf = (args: Arguments): RuntimeChoice | undefined =>
  RUNTIME_CHOICES.find((name) => name === args.text('runtime'));
