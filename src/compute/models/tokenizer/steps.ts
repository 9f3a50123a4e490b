/**
 * The steps of a `tokenizer.json` that the Rust library does. It ends the process over a value that it did not expect, so
 * that only those steps reach it that cannot bring it to that, whatever the text.
 */
import { isJson, type Json } from '../../../language/host/json.js';
import { charsmapFault } from './charsmap.js';
import { repetitionsOf } from './patterns.js';

const MOST_STEPS = 64;
const MOST_DEPTH = 8;
const MOST_CHARACTERS = 1_000;
/** Characters that all steps together may make of one. */
const MOST_GROWTH = 64;

export class StepError extends Error {}

interface Look {
  steps: number;
  growth: number;
  /** Regular expressions that are to be tried before texts of others meet them. */
  readonly tried: string[];
}

type Check = (step: Json, look: Look) => void;

const plain: Check = () => {};

const charsmap: Check = (step) => {
  const fault = charsmapFault(step['precompiled_charsmap']);
  if (fault !== undefined) throw new StepError(`the table of its step "Precompiled" is damaged: ${fault}`);
};

function pattern(step: Json, look: Look): number {
  const given = isJson(step['pattern']) ? step['pattern'] : {};
  const { String: text, Regex: regex } = given as { readonly String?: unknown; readonly Regex?: unknown };
  if (typeof text === 'string') return text.length;
  if (typeof regex !== 'string') throw new StepError('a step has no pattern');
  const repetitions = repetitionsOf(regex);
  if (typeof repetitions === 'string')
    throw new StepError(`its pattern ${shown(regex)} may take without end: ${repetitions}`);
  if (repetitions > 1 && !look.tried.includes(regex)) look.tried.push(regex);
  return 1;
}

export const shown = (text: string): string =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

const replacing: Check = (step, look) => {
  const length = pattern(step, look);
  const content = lengthOf(step, 'content');
  look.growth *= length === 0 ? content + 1 : Math.max(1, content / length);
};

const lengthOf = (step: Json, name: string): number =>
  typeof step[name] === 'string' ? (step[name] as string).length : 0;

const splitting: Check = (step, look) => void pattern(step, look);

/** Where the texts are cut to pieces of a length. */
const fixed: Check = (step) => {
  const { length } = step as { readonly length?: unknown };
  if (!Number.isSafeInteger(length) || Number(length) < 1)
    throw new StepError('its step "FixedLength" has no length');
};

/** At the end of a token that is shorter, the library looks before its start. */
const stripping: Check = (step) => {
  if (step['stop'] !== 0) throw new StepError('its step "Strip" takes characters from the end');
  if (!isCount(step['start'])) throw new StepError('its step "Strip" has no count of characters');
};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

const each =
  (name: string, slot: () => ReadonlyMap<string, Check>): Check =>
  (step, look) => {
    const inner = step[name];
    if (!Array.isArray(inner)) throw new StepError('a sequence of its steps has no list');
    for (const part of inner) check(part, slot(), look);
  };

const checks = (names: readonly string[], others: readonly (readonly [string, Check])[]) =>
  new Map<string, Check>([...names.map((name) => [name, plain] as const), ...others]);

const NORMALIZERS: ReadonlyMap<string, Check> = checks(
  [
    'BertNormalizer',
    'StripAccents',
    'NFC',
    'NFD',
    'NFKC',
    'NFKD',
    'Lowercase',
    'Nmt',
    'ByteLevel',
    'Strip',
    'Prepend',
  ],
  [
    ['Precompiled', charsmap],
    ['Replace', replacing],
    ['Sequence', each('normalizers', () => NORMALIZERS)],
  ],
);

const PRE_TOKENIZERS: ReadonlyMap<string, Check> = checks(
  [
    ...['BertPreTokenizer', 'ByteLevel', 'CharDelimiterSplit', 'Metaspace', 'Whitespace', 'WhitespaceSplit'],
    ...['Punctuation', 'Digits', 'UnicodeScripts'],
  ],
  [
    ['Split', splitting],
    ['FixedLength', fixed],
    ['Sequence', each('pretokenizers', () => PRE_TOKENIZERS)],
  ],
);

const DECODERS: ReadonlyMap<string, Check> = checks(
  ['BPEDecoder', 'ByteLevel', 'WordPiece', 'Metaspace', 'CTC', 'Fuse', 'ByteFallback'],
  [
    ['Strip', stripping],
    ['Replace', replacing],
    ['Sequence', each('decoders', () => DECODERS)],
  ],
);

function check(step: unknown, slot: ReadonlyMap<string, Check>, look: Look): void {
  if (!isJson(step)) throw new StepError('one of its steps is not an object');
  const type = step['type'];
  const own = typeof type === 'string' ? slot.get(type) : undefined;
  if (own === undefined)
    throw new StepError(`it has a step of type ${shown(String(type))}, which is not supported`);
  if (++look.steps > MOST_STEPS) throw new StepError(`it has more than ${MOST_STEPS} steps`);
  for (const [name, value] of Object.entries(step))
    if (name !== 'precompiled_charsmap' && typeof value === 'string' && value.length > MOST_CHARACTERS)
      throw new StepError(`"${name}" of a step has more than ${MOST_CHARACTERS} characters`);
  own(step, look);
  if (look.growth > MOST_GROWTH)
    throw new StepError(`its steps make more than ${MOST_GROWTH} characters of one`);
}

/** Levels of lists and objects, as far as the limit. */
function depthOf(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null || most === 0) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner, most - 1)));
}

/** Patterns that are to be tried. Throws a {@link StepError}. */
export function checkSteps(steps: Json): readonly string[] {
  if (depthOf(steps, 3 * MOST_DEPTH) >= 3 * MOST_DEPTH)
    throw new StepError('its steps are nested too deeply');
  const tried: string[] = [];
  for (const [name, slot] of SLOTS) {
    const step = steps[name];
    if (step != null) check(step, slot, { steps: 0, growth: 1, tried });
  }
  return tried;
}

const SLOTS: readonly (readonly [string, ReadonlyMap<string, Check>])[] = [
  ['normalizer', NORMALIZERS],
  ['pre_tokenizer', PRE_TOKENIZERS],
  ['decoder', DECODERS],
];
