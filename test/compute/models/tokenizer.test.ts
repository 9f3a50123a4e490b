import { expect } from 'chai';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { parseTokenizer } from '../../../src/compute/models/tokenizer/file.js';
import { buildTokenizer } from '../../../src/compute/models/tokenizer/tokenizer.js';
import { ModelError } from '../../../src/compute/models/types.js';
import { readFixture } from './fixtures.js';

interface Recorded {
  readonly size: number;
  readonly cases: readonly { text: string; ids: readonly number[]; decoded: string; plain: string }[];
}
type File = Parameters<typeof parseTokenizer>[0];

const NAMES = ['byte-level', 'sentence-piece', 'metaspace-first'];

describe('tokenizer', () => {
  for (const name of NAMES) {
    const json = readFixture<File>(`tokenizer/${name}.json`);
    const load = () => buildTokenizer(parseTokenizer(json, name), name);

    it(`${name}: ids and texts equal transformers'`, async () => {
      const tokenizer = await load();
      const { size, cases } = readFixture<Recorded>(`tokenizer/${name}.cases.json`);
      expect(tokenizer.vocabSize).to.equal(size);
      for (const { text, ids, decoded, plain } of cases) {
        expect([...tokenizer.encode(text)], JSON.stringify(text)).to.deep.equal(ids);
        expect(tokenizer.decode(ids)).to.equal(decoded);
        expect(tokenizer.decode(ids, { skipSpecial: true })).to.equal(plain);
      }
    });

    it(`${name}: equals the Rust library on generated texts`, async () => {
      const tokenizer = await load();
      const rust = RustTokenizer.fromString(JSON.stringify(json));
      for (let seed = 1; seed <= 150; seed++) {
        const text = randomText(seed);
        const expected = await rust.encode(text, null, { addSpecialTokens: false });
        expect([...tokenizer.encode(text)], JSON.stringify(text)).to.deep.equal(expected.getIds());
        expect(tokenizer.decode(expected.getIds())).to.equal(await rust.decode(expected.getIds(), false));
      }
    });
  }

  it('knows tokens by name and by id', async () => {
    const tokenizer = await buildTokenizer(
      parseTokenizer(readFixture<File>('tokenizer/byte-level.json'), ''),
      '',
    );
    const id = tokenizer.idOf('<|im_start|>');
    expect(id).to.be.a('number');
    expect(tokenizer.tokenOf(id ?? -1)).to.equal('<|im_start|>');
    expect(tokenizer.idOf('no such token')).to.equal(undefined);
  });

  it('gives a lone surrogate the replacement character', async () => {
    const tokenizer = await buildTokenizer(
      parseTokenizer(readFixture<File>('tokenizer/byte-level.json'), ''),
      '',
    );
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).to.equal('a\ufffdb');
  });

  const broken: readonly [string, File, RegExp][] = [
    ['another model', { model: { type: 'Unigram', vocab: [] } }, /Unigram/],
    ['no model', {}, /no object "model"/],
    ['a negative id', { model: { type: 'BPE', vocab: { a: -1 }, merges: [] } }, /-1/],
    ['a merge of three', { model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b c'] } }, /Merge 0/],
    ['a merge of unknown tokens', { model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b'] } }, /merge 0/],
    [
      'an added token with the id of another',
      {
        model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
        added_tokens: [
          { id: 0, content: 'a' },
          { id: 1, content: '<end>' },
        ],
      },
      /"<end>" is added with the id 1, which is "b"/,
    ],
    ['an empty vocabulary', { model: { type: 'BPE', vocab: {}, merges: [] } }, /is empty/],
    [
      'two tokens of one id',
      { model: { type: 'BPE', vocab: { a: 0, b: 1, c: 1 }, merges: [] } },
      /gives "b" and "c" the same id, 1/,
    ],
    [
      'an added token with an id that the library would not give it',
      {
        model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
        added_tokens: [
          { id: 0, content: 'a' },
          { id: 2, content: '<end>' },
          { id: 7, content: '<pad>' },
        ],
      },
      /"<pad>" is added with the id 7, where the tokenizers library gives it 3/,
    ],
    [
      'a token of the vocabulary that is added with another id',
      { model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] }, added_tokens: [{ id: 2, content: 'a' }] },
      /"a" is added with the id 2, where the tokenizers library gives it 0/,
    ],
    [
      'an unknown step',
      { model: { type: 'BPE', vocab: { a: 0 }, merges: [] }, pre_tokenizer: { type: 'Magic' } },
      /step/,
    ],
  ];
  for (const [what, json, message] of broken) {
    it(`refuses ${what}`, async () => {
      try {
        await buildTokenizer(parseTokenizer(json, '/m/tokenizer.json'), '/m/tokenizer.json');
      } catch (error) {
        expect(error).to.be.instanceOf(ModelError);
        expect(error).to.include({ code: 'model_tokenizer', path: '/m/tokenizer.json' });
        expect((error as ModelError).detail).to.match(message);
        return;
      }
      expect.fail('nothing was thrown');
    });
  }
});

const PARTS = [
  'the ',
  'fox',
  ' jumps',
  'fox jumps',
  '  ',
  '\n',
  '12',
  '<|im_start|>',
  '<|im_end|>',
  '<tool>',
  '<word>',
  ' <mask> ',
  '<s>',
  '</s>',
  '<unk>',
  'é',
  'e\u0301',
  '東京',
  '🎉',
  "n't",
  '▁',
  'Ġ',
  '\t',
  ',',
  'aaaa',
  '\u0085',
  '\ufeff',
  'ß',
  '_',
  '-',
];

function randomText(seed: number): string {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const length = Math.floor(next() * 25);
  return Array.from({ length }, () => PARTS[Math.floor(next() * PARTS.length)]).join('');
}
