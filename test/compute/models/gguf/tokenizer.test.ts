/** Vocabularies in GGUF files, and the ids of transformers: test/fixtures/gguf/record_tokenizers.py. */
import { expect } from 'chai';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { readGgufHeader } from '../../../../src/compute/models/gguf/header.js';
import { ggufBegins, ggufTokenizerJson } from '../../../../src/compute/models/gguf/tokenizer.js';
import { impliedMerges } from '../../../../src/compute/models/gguf/vocabularies.js';
import { parseTokenizer } from '../../../../src/compute/models/tokenizer/file.js';
import { buildTokenizer } from '../../../../src/compute/models/tokenizer/tokenizer.js';
import { ModelError } from '../../../../src/compute/models/types.js';
import { modelError } from '../errors.js';
import { readFixture, readFixtureBytes } from '../fixtures.js';
import { memoryHost } from '../memory-host.js';

type Cases = readonly { readonly text: string; readonly ids: readonly number[]; readonly plain: string }[];

const PATH = '/v.gguf';
const headerOf = (bytes: Uint8Array) => readGgufHeader(memoryHost({ [PATH]: bytes }), PATH);
const vocabulary = (name: string) => headerOf(readFixtureBytes(`gguf/tokenizers/${name}.gguf`));

describe('GGUF tokenizer', () => {
  for (const [name, cases] of Object.entries(
    readFixture<Record<string, Cases>>('gguf/tokenizers/cases.json'),
  )) {
    it(`${name}: ids and texts are those of transformers`, async () => {
      const json = ggufTokenizerJson(vocabulary(name));
      const tokenizer = await buildTokenizer(parseTokenizer(json, name), name);
      // what is written beside a merged model is read by others
      const rust = RustTokenizer.fromString(JSON.stringify(json));
      for (const { text, ids, plain } of cases) {
        expect([...tokenizer.encode(text)], JSON.stringify(text)).to.deep.equal(ids);
        expect(tokenizer.decode(ids, { skipSpecial: true }), JSON.stringify(text)).to.equal(plain);
        const theirs = await rust.encode(text, null, { addSpecialTokens: false });
        expect(theirs.getIds(), JSON.stringify(text)).to.deep.equal(ids);
      }
    });
  }

  it('puts the begin token before a SentencePiece text, where the file does not say otherwise', () => {
    const header = vocabulary('pieces');
    expect(ggufBegins(header)).to.equal(true);
    expect(parseTokenizer(ggufTokenizerJson(header), PATH).beginId).to.equal(1);
    expect(ggufBegins(vocabulary('llama-bpe'))).to.equal(false);
  });

  it('takes the best token first, then the longest left part', () => {
    expect(impliedMerges(['a', 'b', 'ab', 'abab', 'aba'], (id) => [0, 0, 1, 3, 2][id] ?? 0)).to.deep.equal([
      ['aba', 'b'],
      ['ab', 'ab'],
      ['ab', 'a'],
      ['a', 'b'],
    ]);
  });

  const broken = (change: (values: Map<string, unknown>) => void, name = 'pieces') => {
    const header = vocabulary(name);
    const values = new Map<string, unknown>(header.values);
    change(values);
    return modelError(() => ggufTokenizerJson({ ...header, values: values as typeof header.values }));
  };
  const cases: readonly [string, (values: Map<string, unknown>) => void, string, RegExp][] = [
    ['a vocabulary of another kind', (v) => v.set('tokenizer.ggml.model', 't5'), 'gguf_unsupported', /"t5"/],
    ['no tokens', (v) => v.delete('tokenizer.ggml.tokens'), 'model_tokenizer', /tokens is missing/],
    [
      'a 64-bit number for a kind of vocabulary',
      (v) => v.set('tokenizer.ggml.model', 2n ** 63n),
      'gguf_unsupported',
      /model is 9223372036854775808/,
    ],
    [
      'a flag that is a number',
      (v) => v.set('tokenizer.ggml.add_bos_token', 1),
      'gguf_invalid',
      /add_bos_token is 1; it must be true or false/,
    ],
    [
      'a kind that has no end',
      (v) => v.set('tokenizer.ggml.model', 'x'.repeat(9000)),
      'gguf_unsupported',
      /x…\.$/,
    ],
    [
      'scores that are too few',
      (v) => v.set('tokenizer.ggml.scores', [1]),
      'model_tokenizer',
      /scores has 1 entries for/,
    ],
    [
      'types that are too few',
      (v) => v.set('tokenizer.ggml.token_type', [1]),
      'model_tokenizer',
      /token_type has 1 entries/,
    ],
    [
      'tokens that are no texts',
      (v) => v.set('tokenizer.ggml.tokens', [...(v.get('tokenizer.ggml.scores') as [])]),
      'model_tokenizer',
      /has values that are not strings/,
    ],
  ];
  for (const [what, change, code, detail] of cases)
    it(`refuses ${what}`, () => {
      const error = broken(change);
      expect(error.code).to.equal(code);
      expect(error.detail).to.match(detail);
    });

  it('never throws anything but a ModelError on changed bytes', async () => {
    let state = 5;
    let refused = 0;
    for (const name of ['smollm', 'pieces', 'pieces-gemma'])
      for (let round = 0; round < 40; round++) {
        const changed = readFixtureBytes(`gguf/tokenizers/${name}.gguf`).slice();
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        changed[(state >>> 4) % changed.length] = state >>> 24;
        try {
          await buildTokenizer(parseTokenizer(ggufTokenizerJson(headerOf(changed)), PATH), PATH);
        } catch (error) {
          expect(error).to.be.instanceOf(ModelError);
          refused++;
        }
      }
    expect(refused).to.be.greaterThan(20);
  });

  it('names the pre-tokenisers that it knows', () => {
    const error = broken((values) => values.set('tokenizer.ggml.pre', 'klingon'), 'gpt-2');
    expect(error.code).to.equal('gguf_unsupported');
    expect(error.help).to.contain('llama-bpe');
  });
});
