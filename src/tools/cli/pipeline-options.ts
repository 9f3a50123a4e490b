import { readFileSync, statSync } from 'node:fs';
import { joined, type ParamFile, type ParamValues } from '../../language/check/overrides.js';
import { readParamFile } from '../../language/check/param-file.js';
import { paramFileUnreadable } from '../../language/diagnostics/catalogue/params.js';
import type { Arguments, OptionSpec } from './command.js';
import { UsageError } from './usage-error.js';

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
