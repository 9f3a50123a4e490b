/** Options of commands that read a pipeline, and what they ask for. */
import { readFileSync, statSync } from 'node:fs';
import { joined, type ParamFile, type ParamValues } from '../../../language/check/overrides.js';
import { readParamFile } from '../../../language/check/param-file.js';
import { paramFileUnreadable } from '../../../language/diagnostics/catalogue/params.js';
import type { PlanRequest } from '../../../pipeline/prepare/index.js';
import type { MachineChoice } from '../../review/plan-quietly.js';
import { type Arguments, type OptionSpec, option, UsageError } from '../command.js';
import {
  PLAN_ENGINE_OPTIONS,
  planEngineOf,
  RANK_OPTIONS,
  RUN_ENGINE_OPTIONS,
  ranksOf,
  runEngineOf,
} from './engine-options.js';
import {
  MACHINE,
  MEMORY,
  memoryOf,
  namedMachine,
  RUNTIME,
  runtimeOf,
  THREADS,
  threadsOf,
} from './machine-options.js';

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

export const STORE_OPTION: Readonly<Record<string, OptionSpec>> = {
  store: option.text(
    'FOLDER',
    'The folder of outputs and checkpoints, which others may use too; default: FTPC_STORE, or `.ftp` here.',
  ),
};

/** Of commands that run a pipeline on this machine. */
export const RUN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...PARAM_OPTION,
  memory: MEMORY,
  ...RUN_ENGINE_OPTIONS,
  runtime: RUNTIME,
  threads: THREADS,
  ...STORE_OPTION,
  ...LOCKED_OPTION,
};

/** Of commands that plan, also for machines that are not here. */
export const PLAN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...PARAM_OPTION,
  machine: MACHINE.machine,
  memory: MEMORY,
  devices: MACHINE.devices,
  ...PLAN_ENGINE_OPTIONS,
  runtime: RUNTIME,
  threads: THREADS,
  ...STORE_OPTION,
};

/** Of what is written for the accelerate engine, and runs elsewhere. */
export const EJECT_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...PARAM_OPTION,
  machine: MACHINE.machine,
  memory: MEMORY,
  devices: MACHINE.devices,
  ...RANK_OPTIONS,
  ...STORE_OPTION,
};

/** Of a snapshot, which is of one machine; `doc` says for which. */
export const snapshotOptions = (doc: string): Readonly<Record<string, OptionSpec>> => ({
  ...PARAM_OPTION,
  ...MACHINE,
  machine: { ...MACHINE.machine, doc },
});

/** A pipeline as `-p`, `--memory`, `--engine`, `--runtime` and `--threads` ask for it, on this machine. */
export const runRequest = (file: string, args: Arguments): PlanRequest => ({
  ...hereRequest(file, args),
  ...runEngineOf(args),
});

const hereRequest = (file: string, args: Arguments): PlanRequest => ({
  file,
  params: paramsOf(args),
  memoryBytes: memoryOf(args),
  runtime: runtimeOf(args),
  threads: threadsOf(args),
});

/** The same on the machine that is named. */
export const planRequest = async (file: string, args: Arguments): Promise<PlanRequest> => ({
  ...hereRequest(file, args),
  ...(await planMachine(args)),
});

/** A pipeline as {@link EJECT_OPTIONS} ask for it. */
export const ejectRequest = async (file: string, args: Arguments): Promise<PlanRequest> => ({
  file,
  params: paramsOf(args),
  memoryBytes: memoryOf(args),
  ...namedMachine(args),
  ...ranksOf(args),
  engine: 'accelerate',
});

export const planMachine = async (args: Arguments): Promise<MachineChoice> => ({
  ...namedMachine(args),
  ...planEngineOf(args),
});
