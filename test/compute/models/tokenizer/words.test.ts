import { expect } from 'chai';
import { Tokenizer } from 'tokenizers';
import { COVERING } from '../../../../src/compute/models/gguf/vocabularies.js';
import { spelled, wordSplitter } from '../../../../src/compute/models/tokenizer/words.js';

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const sequence = (first: object, useRegex: boolean) => ({
  type: 'Sequence',
  pretokenizers: [first, { ...BYTE_LEVEL, use_regex: useRegex }],
});
const STEPS: readonly (readonly [string, object])[] = [
  ['ByteLevel', BYTE_LEVEL],
  ['Digits, ByteLevel', sequence({ type: 'Digits', individual_digits: true }, true)],
  ...COVERING.map(
    (pattern) =>
      [
        `Split ${pattern.slice(0, 40)}`,
        sequence({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, false),
      ] as const,
  ),
];

/** The words of the library itself. */
function librarySplit(step: object): (text: string) => readonly string[] {
  const tokenizer = Tokenizer.fromString(
    JSON.stringify({
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: step,
      decoder: null,
      model: { type: 'BPE', vocab: {}, merges: [] },
    }),
  );
  const splitter = tokenizer.getPreTokenizer();
  return (text) => splitter?.preTokenizeString(text).map(([word]) => word) ?? [];
}

/** Characters of every kind that the patterns tell apart, and some that fold to others or that few know. */
const PARTS = [
  ...["'s", "'S", "'ſ", "'RE", "'ll", "don't", "we'Ve", "'", '’s', 'ſ', 'K', 'Straße', 'ÀÉ', 'ǅ', 'ʰ', 'ªº'],
  ...[
    'a',
    'Bc',
    'aBC',
    'word',
    ' word',
    '  word',
    '\u0301',
    'e\u0301',
    'שָׁלוֹם',
    'हिन्दी',
    '漢字',
    'かな',
    '한글',
    '𝔘𝔫',
    '𐍈',
    '😀',
    '👩‍🔬',
  ],
  ...[
    '1',
    '12',
    '1234',
    '٣٤',
    '½',
    '²',
    'Ⅷ',
    '〇',
    '𝟘',
    '$',
    '€5',
    '…',
    '—',
    '«»',
    '/',
    '//',
    '.\n',
    '!\r\n',
    '\u200b',
    '\u00ad',
    '\u0000',
  ],
  ...[
    ' ',
    '  ',
    '   ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\u0085',
    '\u00a0',
    '\u2003',
    '\u3000',
    '\ufeff',
    '\u1680',
    '\u180e',
    '\v',
    '\f',
    '\u001c',
  ],
];

function textOf(seed: number): string {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const character = (): string => {
    const point = next(0x30000);
    return point >= 0xd800 && point < 0xe000 ? ' ' : String.fromCodePoint(point);
  };
  return Array.from({ length: 1 + next(60) }, () =>
    next(8) === 0 ? character() : (PARTS[next(PARTS.length)] ?? ''),
  ).join('');
}

describe('words of byte-level vocabularies', () => {
  for (const [name, step] of STEPS)
    it(`${name}: are those of the library`, () => {
      const split = librarySplit(step);
      const words = wordSplitter(step, split) ?? expect.fail('no splitter');
      let cut = 0;
      for (let seed = 1; seed <= 400; seed++) {
        const text = textOf(seed);
        const found = words(text);
        if (found === undefined) continue;
        cut++;
        expect(found.map(spelled), JSON.stringify(text)).to.deep.equal(split(text));
        expect(found.join('')).to.equal(text);
      }
      expect(cut).to.be.greaterThan(200);
      for (const part of PARTS)
        expect(words(part)?.map(spelled), JSON.stringify(part)).to.deep.equal(split(part));
    });

  it('leaves to the library what the two cut otherwise, and what is long', () => {
    const split = librarySplit(BYTE_LEVEL);
    const odd = (text: string): readonly string[] => split(text.replaceAll('é', 'e.'));
    const words = wordSplitter(BYTE_LEVEL, odd) ?? expect.fail('no splitter');
    expect(words('a cafe')).to.deep.equal(['a', ' cafe']);
    expect(words('a café')).to.equal(undefined);
    expect(words('naïve')).to.deep.equal(['naïve']);
    expect(words('é')).to.equal(undefined);
    expect(words('x'.repeat(2 ** 20))).to.have.length(1);
    expect(words('x'.repeat(2 ** 20 + 1))).to.equal(undefined);
  });

  for (const [what, step] of [
    ['a prefix', { ...BYTE_LEVEL, add_prefix_space: true }],
    [
      'another pattern',
      sequence({ type: 'Split', pattern: { Regex: '\\w+' }, behavior: 'Isolated', invert: false }, false),
    ],
    ['another step', sequence({ type: 'Punctuation' }, true)],
    ['no step', null],
  ] as const)
    it(`${what} is the library's alone`, () => {
      expect(wordSplitter(step, () => [])).to.equal(undefined);
    });
});
