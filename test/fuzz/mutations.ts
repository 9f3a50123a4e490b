/** Ways to spoil a text. Each gives another one, from the random numbers alone. */
import type { IToken } from '../../grammar/chevrotain.js';
import { lexer } from '../../grammar/tokens.js';
import type { Random } from '../language/formatter/mangle.js';
import type { Text } from './corpus.js';

export type Mutation = (text: string, random: Random, texts: readonly Text[]) => string;

const below = (random: Random, most: number): number => Math.floor(random() * most);

const pick = <T>(items: readonly T[], random: Random): T | undefined => items[below(random, items.length)];

const endOf = (token: IToken): number => token.startOffset + token.image.length;

const splice = (text: string, start: number, end: number, put: string): string =>
  text.slice(0, start) + put + text.slice(end);

/** `change` at a token of the text. */
const atToken =
  (
    change: (
      token: IToken,
      tokens: readonly IToken[],
      index: number,
      random: Random,
    ) => [number, number, string],
  ) =>
  (text: string, random: Random): string => {
    const { tokens } = lexer.tokenize(text);
    const index = below(random, tokens.length);
    const token = tokens[index];
    if (token === undefined) return text;
    const [start, end, put] = change(token, tokens, index, random);
    return splice(text, start, end, put);
  };

const swapped = (a: IToken, b: IToken | undefined, text: string): string => {
  if (b === undefined) return text;
  const [left, right] = a.startOffset < b.startOffset ? [a, b] : [b, a];
  const between = text.slice(endOf(left), right.startOffset);
  return splice(text, left.startOffset, endOf(right), right.image + between + left.image);
};

const CHARACTERS = '{}()[],.:=?"\'\\#/*+-<>!&|;%@$`~^ \t\r\n\0_aZ09é“”„\u00a0\u2028\ufeff😀\ud800';
const OPEN = ['(', '[', '{ a: ', 'not ', '- ', 'f(', 'a ? ', '1 + '];
const WORDS = [
  'train',
  'param',
  'matrix',
  'test',
  'expect',
  'require',
  'using',
  'from',
  'edition',
  'preset',
  'none',
];

export const MUTATIONS = {
  'a token is left out': atToken((token) => [token.startOffset, endOf(token), '']),
  'a token is doubled': atToken((token) => [endOf(token), endOf(token), ` ${token.image}`]),
  'two neighbours change places': (text, random) => {
    const { tokens } = lexer.tokenize(text);
    const index = below(random, tokens.length - 1);
    const token = tokens[index];
    return token === undefined ? text : swapped(token, tokens[index + 1], text);
  },
  'two tokens change places': (text, random) => {
    const { tokens } = lexer.tokenize(text);
    const [a, b] = [pick(tokens, random), pick(tokens, random)];
    return a === undefined || a === b ? text : swapped(a, b, text);
  },
  'a token becomes another': atToken((token, tokens, _, random) => [
    token.startOffset,
    endOf(token),
    random() < 0.3 ? (pick(WORDS, random) ?? '') : (pick(tokens, random)?.image ?? ''),
  ]),
  'many tokens are left out': (text, random) => {
    const share = random() * 0.3;
    const { tokens } = lexer.tokenize(text);
    return tokens.reduceRight(
      (left, token) => (random() < share ? splice(left, token.startOffset, endOf(token), '') : left),
      text,
    );
  },
  'bytes are changed': (text, random) => {
    const bytes = Buffer.from(text);
    for (let i = below(random, 8); i >= 0; i--) bytes[below(random, bytes.length)] = below(random, 256);
    return bytes.toString();
  },
  'characters are put in': (text, random) => {
    let spoilt = text;
    for (let i = below(random, 6); i >= 0; i--) {
      const at = below(random, spoilt.length + 1);
      spoilt = splice(spoilt, at, at, pick([...CHARACTERS], random) ?? '');
    }
    return spoilt;
  },
  'it is cut off': (text, random) => text.slice(0, below(random, text.length)),
  'its beginning is missing': (text, random) => text.slice(below(random, text.length)),
  'a line is left out': (text, random) => {
    const lines = text.split('\n');
    lines.splice(below(random, lines.length), 1);
    return lines.join('\n');
  },
  'lines change places': (text, random) => {
    const lines = text.split('\n');
    const [line = ''] = lines.splice(below(random, lines.length), 1);
    lines.splice(below(random, lines.length + 1), 0, line);
    return lines.join('\n');
  },
  'a line break is put in or taken out': (text, random) => {
    const at = below(random, text.length);
    const next = text.indexOf('\n', at);
    return random() < 0.5 || next < 0 ? splice(text, at, at, '\n') : splice(text, next, next + 1, ' ');
  },
  'a piece of another text is put in': (text, random, texts) => {
    const other = pick(texts, random)?.text ?? '';
    const start = below(random, other.length);
    const at = below(random, text.length + 1);
    return splice(text, at, at, other.slice(start, start + below(random, 400)));
  },
  'its end is that of another text': (text, random, texts) => {
    const other = pick(texts, random)?.text ?? '';
    return text.slice(0, below(random, text.length)) + other.slice(below(random, other.length));
  },
  'it nests deeply': (text, random) => {
    const at = /[=:] */g;
    const places = [...text.matchAll(at)].map(({ index, 0: sign }) => index + sign.length);
    const place = pick(places, random) ?? 0;
    return splice(text, place, place, (pick(OPEN, random) ?? '(').repeat(below(random, 300)));
  },
  'a line is very long': (text, random) => {
    const { tokens } = lexer.tokenize(text);
    const token = pick(tokens, random);
    if (token === undefined) return text;
    const many = Array.from({ length: below(random, 1500) }, () => token.image);
    return splice(text, endOf(token), endOf(token), ` ${many.join(random() < 0.5 ? ' ' : ', ')}`);
  },
  'it is repeated': (text, random) => text.repeat(1 + below(random, 4)),
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof MUTATIONS;
