/** FTP05xx: parameters and secrets. */
import type { Span } from '../../source/span.js';
import { nearest, suggestion } from '../did-you-mean.js';
import { error, named, replace } from '../make.js';
import type { Diagnostic, Place } from '../types.js';

/** A fault of `-p name=value`. */
export const COMMAND_LINE = '<command line>';
const commandLine: Place = { file: COMMAND_LINE, line: 0, column: 0 };

export const unknownParam = (name: string, known: readonly string[]): Diagnostic => {
  const meant = nearest(name, known);
  return error('FTP0501', commandLine, `the pipeline has no parameter \`${name}\``, {
    help:
      meant !== undefined
        ? `did you mean \`-p ${meant}=…\`?`
        : known.length === 0
          ? 'it has no parameters at all'
          : `its parameters are ${named(known, 'and')}`,
  });
};

export const missingParam = (at: Span, name: string): Diagnostic =>
  error('FTP0502', at, `the parameter \`${name}\` has no value`, {
    label: 'no default',
    help: `give it one: \`-p ${name}=…\` on the command line, or a default here`,
  });

export const badParamValue = (name: string, value: string, type: string, why: string): Diagnostic =>
  error('FTP0503', commandLine, `\`-p ${name}=${value}\` is no ${type}: ${why}`, {
    help: `the parameter is declared as \`${name}: ${type}\``,
  });

export const unknownParamType = (at: Span, type: string, known: readonly string[]): Diagnostic =>
  error('FTP0504', at, `there is no type \`${type}\` for a parameter`, {
    label: 'unknown type',
    ...suggestion(type, at, known),
  });

export const secretUsed = (at: Span, name: string, declared: Span): Diagnostic =>
  error('FTP0505', at, `the secret \`${name}\` cannot be the value of this setting`, {
    label: 'would be printed and stored',
    related: [{ at: declared, message: 'declared as a secret' }],
    help: 'settings are printed in plans and kept in records; use a `param` for what is not secret',
  });

export const badSecret = (at: Span): Diagnostic =>
  error('FTP0506', at, 'a secret is read from the environment', {
    label: 'not `env("NAME")`',
    help: 'write `env("NAME")`, and set NAME where ftpc runs; a secret never stands in a file',
    fixes: [replace('write `env("NAME")`', at, 'env("NAME")', 'has_placeholders')],
  });

export const envOutsideSecret = (at: Span): Diagnostic =>
  error('FTP0507', at, '`env` stands only in a `secret`', {
    label: 'would make the run depend on the machine',
    help: 'declare a `param`, and give it on the command line: `-p name="$NAME"`',
  });
