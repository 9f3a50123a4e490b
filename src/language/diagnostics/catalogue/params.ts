/** FTP05xx: parameters and secrets. */
import { byWord, lookUp } from '../../source/look-up.js';
import type { Span } from '../../source/span.js';
import { instead, nearest, suggestion } from '../did-you-mean.js';
import { error, named, replace, wholeFile } from '../make.js';
import type { Place } from '../types.js';

/** The file of an error in `-p name=value`. */
export const COMMAND_LINE = '<command line>';

/** How and where a value was given: `-p rate=3`, or a member of a file of parameters. */
export interface ParamInput {
  readonly shown: string;
  readonly at: Place;
}

export const unknownParam = (at: Place, name: string, known: readonly string[]) => {
  const meant = nearest(name, known);
  return error('FTP0501', at, `the pipeline has no parameter \`${name}\``, {
    help:
      meant !== undefined
        ? at.file === COMMAND_LINE
          ? `did you mean \`-p ${meant}=…\`?`
          : `did you mean \`${meant}\`?`
        : known.length === 0
          ? 'it has no parameters'
          : `its parameters are ${named(known, 'and')}`,
  });
};

/** `isGivable`: the pipeline itself declares it; the command line cannot set parameters of imported files. */
export const missingParam = (at: Span, name: string, isGivable: boolean) =>
  error('FTP0502', at, `the parameter \`${name}\` has no value`, {
    label: 'no default',
    help: isGivable
      ? `give it one: \`-p ${name}=…\` on the command line, or a default here`
      : 'give it a default here: the command line gives values to the parameters of the pipeline itself',
  });

/** `meant`: a call that the value stands for. */
export const badParamValue = (
  { shown, at }: ParamInput,
  name: string,
  type: string,
  why: string,
  meant?: string,
) =>
  error('FTP0503', at, `\`${shown}\` is not a valid ${type}: ${why}`, {
    help:
      meant === undefined
        ? `the parameter is declared as \`${name}: ${type}\``
        : `write \`-p '${name}=${meant}'\``,
  });

/** What other languages call the types. */
const FOREIGN_TYPES = byWord({
  Number: 'float double real decimal',
  String: 'str text path',
  Bool: 'flag',
  Bytes: 'size memory',
  Duration: 'time timeout seconds',
  Ratio: 'percent share fraction',
  Tokens: 'length',
});

export const unknownParamType = (at: Span, type: string, known: readonly string[]) => {
  const meant = lookUp(FOREIGN_TYPES, type.toLowerCase());
  return error('FTP0504', at, `there is no type \`${type}\` for a parameter`, {
    label: 'unknown type',
    ...(meant === undefined ? suggestion(type, at, known) : instead(meant, at)),
  });
};

export const secretUsed = (at: Span, name: string, declared: Span) =>
  error('FTP0505', at, `the secret \`${name}\` cannot be used here`, {
    label: 'would be printed and stored',
    related: [{ at: declared, message: 'declared as a secret' }],
    help: 'only settings that take a secret, such as `token` of `hf`, may use one; all other values appear in plans and records: use a `param` for what is not secret',
  });

export const badSecret = (at: Span) =>
  error('FTP0506', at, 'a secret is read from the environment', {
    label: 'not `env("NAME")`',
    help: 'write `env("NAME")`, and set NAME where ftpc runs; secrets are never written in files',
    fixes: [replace('write `env("NAME")`', at, 'env("NAME")', 'has_placeholders')],
  });

export const envOutsideSecret = (at: Span) =>
  error('FTP0507', at, '`env` can only be used in a `secret`', {
    label: 'would make the run depend on the machine',
    help: 'declare a `param`, and set it on the command line: `-p name="$NAME"`',
  });

export const rangeWithoutOrder = (at: Span, type: string) =>
  error('FTP0508', at, `a \`${type}\` has no range`, {
    label: 'only numbers and quantities have one',
    help: 'remove the range',
    fixes: [replace('remove the range', at, '')],
  });

export const emptyRange = (at: Span) =>
  error('FTP0509', at, 'no value is in this range', {
    label: 'the lower bound is above the upper bound',
    help: 'write the lower bound first: `(1..64)`',
  });

export const matrixOfMatrix = (at: Span, name: string) =>
  error('FTP0510', at, `the values of a matrix cannot depend on the matrix \`${name}\``, {
    label: 'has several values itself',
    help: 'write the values out; every combination of two matrices is tried anyway',
  });

export const equalValues = (at: Span, value: string, first: Span) =>
  error('FTP0511', at, `\`${value}\` appears twice in the matrix`, {
    label: 'again',
    related: [{ at: first, message: 'here first' }],
    help: 'keep one of them: equal values give equal stages',
  });

export const tooManyCombinations = (at: Span, counts: readonly number[], most: number) =>
  error('FTP0512', at, {
    message: `the matrices have ${counts.reduce((product, count) => product * count, 1)} combinations; at most ${most} are allowed`,
    label: `${counts.join(' × ')} values`,
    help: 'remove values, or select one of them with `-p`',
  });

export const noSuchCombination = ({ shown, at }: ParamInput, name: string, values: readonly string[]) =>
  error('FTP0513', at, `\`${shown}\` is not a value of the matrix \`${name}\``, {
    help: `its values are ${named(values, 'and')}; add it to the list, or choose one of them`,
  });

export const matrixElsewhere = (at: Span) =>
  error('FTP0514', at, 'a `matrix` can only be declared in the pipeline itself', {
    label: 'in an imported file',
    help: 'move it into the pipeline; a `param` can be imported',
  });

export const paramFileUnreadable = (file: string, why: string) =>
  error('FTP0515', wholeFile(file), `the parameter file \`${file}\` cannot be read: ${why}`, {
    help: 'the path after `--params` is relative to the working directory',
  });

export const NO_JSON = 'FTP0516';

export const paramFileNoJson = (at: Place, wanted: string, found: string) =>
  error(NO_JSON, at, `a parameter file is JSON: expected ${wanted}, found ${found}`, {
    help: 'write one object with a member for each parameter: `{ "rate": 1e-4, "longest": "512tok" }`',
  });

export const badMember = (at: Place, name: string, found: string) =>
  error('FTP0517', at, `the parameter \`${name}\` cannot be ${found}`, {
    help: 'a value is a number, `true`, `false`, or a string with the value as the pipeline would have it, such as `"512tok"`; leave the member out to use the default',
  });

export const memberTwice = (at: Place, name: string) =>
  error('FTP0518', at, `\`${name}\` appears twice in the parameter file`, { help: 'keep one of them' });

export const secretUnset = (at: Span, stage: string, secret: string, variable: string) =>
  error('FTP0529', at, {
    message: `\`${stage}\` needs the secret \`${secret}\`, but the environment variable ${variable} is not set`,
    label: 'reads a secret',
    help: `set it where ftpc runs, for example \`${variable}=… ftpc run …\`, or in the settings of your CI`,
  });
