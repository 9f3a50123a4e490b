/** Random texts that a constraint lets through. */
import { type Random, seededRandom } from '../../../../src/compute/evaluation/seeded-random.js';
import type { Tokenizer } from '../../../../src/compute/models/types.js';
import { Constraints } from '../../../../src/compute/serving/constraint.js';
import type { AnswerFormat } from '../../../../src/compute/serving/types.js';

const WORDS = [
  '{"',
  '":',
  '": ',
  '", "',
  '"}',
  '"]',
  '}}',
  ' true',
  'null',
  'name',
  'ab',
  '12',
  '-',
  '.5',
  'é',
  '日本',
  '😀',
  '\n  ',
  '\\"',
  '\\u00',
];

/** Every printable character of ASCII, and tokens of several characters and of bytes within one. */
const TOKENS: readonly string[] = [
  '<end>',
  ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)),
  ...['\n', '\t'],
  ...WORDS,
];

export const words: Tokenizer = {
  encode: () => new Int32Array(0),
  decode: (ids, { skipSpecial = false } = {}) =>
    Array.from(ids, (id) => (skipSpecial && id === 0 ? '' : (TOKENS[id] ?? ''))).join(''),
  vocabSize: TOKENS.length,
  idOf: (token) => (TOKENS.includes(token) ? TOKENS.indexOf(token) : undefined),
  tokenOf: (id) => TOKENS[id],
};

const CLOSING = ['"', '}', ']', '"}', '"]', '}}'];
/** Tokens after which a walk takes what closes, where it may. */
const LONG = 40;

export const constraints = (): Constraints => new Constraints(words, words.vocabSize + 5, [0]);

/** A text that ends by itself, or `undefined` where it has become very long. */
export function walk(all: Constraints, format: AnswerFormat, random: Random): string | undefined {
  const constraint = all.of(format);
  if (constraint === undefined) return undefined;
  const ids: number[] = [];
  while (ids.length < 400) {
    if (constraint.complete) return words.decode(ids);
    const logits = new Float32Array(words.vocabSize + 5);
    constraint.mask(logits);
    const possible = [...logits.keys()].filter((id) => logits[id] === 0);
    const closing = possible.filter((id) => id === 0 || CLOSING.includes(TOKENS[id] ?? ''));
    const from = ids.length > LONG && closing.length > 0 ? closing : possible;
    const id = from[Math.floor(random() * from.length)];
    if (id === undefined) throw new Error(`nothing can follow ${words.decode(ids)}`);
    if (id === 0) return words.decode(ids);
    constraint.accept(id);
    ids.push(id);
  }
  return undefined;
}

export const randomOf = (seed: number): Random => seededRandom(seed);
