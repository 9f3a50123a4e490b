/** Words and values that no declaration and no schema describes: keywords, quantities, rules of the linter. */
import { UNITS } from '../../../grammar/units.js';
import { baseValue } from '../../language/check/units.js';
import type { Unit } from '../../language/ir/program.js';
import { rules } from '../../language/lint/rules.js';
import { lookUp } from '../../language/source/look-up.js';
import type { SourceText } from '../../language/source/text.js';
import { endOf, type IToken, isSets, tokensOf } from './cursor/tokens.js';
import { code, ftp, paragraphs } from './describe.js';

/** By the name of the token: how it is written, and what it does. */
const KEYWORDS: Readonly<Record<string, readonly [form: string, doc: string]>> = {
  Edition: [
    'edition 2026',
    'The edition of the language that the file is written in; it comes before everything else.',
  ],
  Import: [
    'import { NAME } from "MODULE"',
    'Takes functions, presets and machines from the library, parameters, presets and machines from a file.',
  ],
  From: [
    'import { NAME } from "MODULE"',
    'The module that names are taken from; a path starts from this file.',
  ],
  Param: [
    'param NAME: TYPE = VALUE',
    'A value that the command line can replace: `-p NAME=VALUE`. Without one in the file it must be given.',
  ],
  Matrix: [
    'matrix NAME: TYPE = [VALUE, VALUE]',
    'A parameter with several values: what follows from it becomes a stage for each.',
  ],
  Secret: [
    'secret NAME = env("VARIABLE")',
    'Read from the environment by the stage that needs it; never printed, hashed or kept.',
  ],
  Preset: [
    'preset NAME for KIND { … }',
    'Settings that replace the defaults, and conditions, for the blocks that apply it.',
  ],
  Machine: [
    'machine NAME using MACHINE { … }',
    'A machine that plans can be made for, `ftpc plan --machine NAME`; it goes on from another where one is named.',
  ],
  For: ['preset NAME for KIND { … }', 'The kind of the blocks that may apply the preset.'],
  Using: [
    'KIND NAME using METHOD, PRESET { … }',
    'Methods and presets of the block. Of several the later ones win; what the block sets itself wins over all.',
  ],
  Native: ['native NAME from FAMILY', 'A function of the library that is part of ftpc.'],
  Require: ['require CONDITION', 'What must hold of what this block measures, or another stage.'],
  None: ['none', 'Leaves the setting out, as if nobody had set it.'],
  And: ['CONDITION and CONDITION', 'Both hold.'],
  Or: ['CONDITION or CONDITION', 'At least one holds.'],
  Not: ['not CONDITION', 'It does not hold.'],
  Test: ['test "NAME" { … }', 'What the pipeline should be; `ftpc test` says whether it is.'],
  Expect: [
    'expect CONDITION',
    'What must hold of the pipeline (`program`), of its plan (`plan`) or of its run (`run`).',
  ],
};

/** What looks like a call, but not of a library function. */
const FORMS: typeof KEYWORDS = {
  env: ['env("VARIABLE")', 'A variable of the environment.'],
  file: ['file("PATH")', 'The text of a file; the path starts from the folder of the pipeline.'],
};

const BASES: Readonly<Record<Unit, string>> = {
  bytes: 'bytes',
  seconds: 'seconds',
  tokens: 'tokens',
  steps: 'steps',
  ratio: 'as a number',
  bandwidth: 'bytes per second',
  rate: 'operations per second',
  price: 'US dollars',
  hourly_price: 'US dollars per hour',
};

interface WordDescription {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export function describeWord(source: SourceText, offset: number): WordDescription | undefined {
  const { tokens, comments } = tokensOf(source);
  const has = (token: IToken): boolean => token.startOffset <= offset && offset < endOf(token);
  const comment = comments.find(has);
  if (comment !== undefined) return ruleAt(comment, offset);
  const index = tokens.findIndex(has);
  const token = tokens[index];
  if (token === undefined || isSets(tokens[index + 1]) || tokens[index - 1]?.image === '.') return undefined;
  const isCall = tokens[index + 1]?.image === '(';
  const text = isCall
    ? formText(FORMS, token.image)
    : (formText(KEYWORDS, token.tokenType.name) ?? quantityText(token.image));
  return text === undefined ? undefined : { text, start: token.startOffset, end: endOf(token) };
}

function formText(table: typeof KEYWORDS, name: string): string | undefined {
  const known = lookUp(table, name);
  return known === undefined ? undefined : paragraphs(ftp(known[0]), known[1]);
}

/** `8GiB` in bytes, `6h` in seconds. */
function quantityText(image: string): string | undefined {
  const [, number, suffix] = /^([\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]+|%)$/.exec(image) ?? [];
  if (number === undefined || suffix === undefined || !Object.hasOwn(UNITS, suffix)) return undefined;
  const { value, unit } = baseValue(Number(number), suffix);
  return `${code(image)}: ${value.toLocaleString('en-US', { maximumSignificantDigits: 12 })} ${BASES[unit]}`;
}

/** In `// allow(rule): reason`. */
function ruleAt({ image, startOffset }: IToken, offset: number): WordDescription | undefined {
  if (!/^\/\/\s*allow\s*\(/.test(image)) return undefined;
  for (const { 0: id, index } of image.matchAll(/[a-z]+(?:-[a-z]+)+/g)) {
    const [start, end] = [startOffset + index, startOffset + index + id.length];
    const rule = start <= offset && offset < end ? rules.find((one) => one.id === id) : undefined;
    if (rule !== undefined)
      return { text: paragraphs(`rule ${code(id)}: ${rule.doc}`, rule.reason), start, end };
  }
  return undefined;
}
