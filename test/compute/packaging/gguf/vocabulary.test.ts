/** A `tokenizer.json` as a GGUF vocabulary, read again: the ids of transformers (test/fixtures/gguf/record_tokenizers.py). */
import { expect } from 'chai';
import { type GgufHeader, readGgufHeader } from '../../../../src/compute/models/gguf/header.js';
import { ggufSpecialTokens, ggufTokenizerJson } from '../../../../src/compute/models/gguf/tokenizer.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { parseTokenizer } from '../../../../src/compute/models/tokenizer/file.js';
import { buildTokenizer } from '../../../../src/compute/models/tokenizer/tokenizer.js';
import { folderVocabulary } from '../../../../src/compute/packaging/gguf/vocabulary.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Json } from '../../../../src/language/host/json.js';
import { readFixture, readFixtureBytes } from '../../models/fixtures.js';
import { memoryHost } from '../../models/memory-host.js';

type Cases = readonly { readonly text: string; readonly ids: readonly number[] }[];

const headerOf = (name: string): GgufHeader =>
  readGgufHeader(memoryHost({ '/v': readFixtureBytes(`gguf/tokenizers/${name}.gguf`) }), '/v');

/** A model folder with this tokenizer, and as many rows of embeddings as it has tokens. */
function vocabularyOf(json: Json, special: Readonly<Record<string, string>>, tokens: number) {
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...{
      vocab_size: tokens,
      hidden_size: 8,
      intermediate_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 1,
    },
    eos_token_id: 2,
  };
  const host = memoryHost({
    '/m/config.json': JSON.stringify(config),
    '/m/tokenizer.json': JSON.stringify(json),
    '/m/tokenizer_config.json': JSON.stringify(special),
  });
  const model = openModel(host, '/m');
  return folderVocabulary(model, model.config).fields;
}

const tokensIn = ({ values }: GgufHeader): number => {
  const tokens = values.get('tokenizer.ggml.tokens');
  return Array.isArray(tokens) ? tokens.length : 0;
};

describe('a tokenizer in a GGUF file', () => {
  for (const [name, cases] of Object.entries(
    readFixture<Record<string, Cases>>('gguf/tokenizers/cases.json'),
  ))
    it(`gives the ids that it gave in its folder: ${name}`, async () => {
      const before = headerOf(name);
      const fields = vocabularyOf(ggufTokenizerJson(before), ggufSpecialTokens(before), tokensIn(before));
      const values = new Map(Object.entries(fields).map(([key, { value }]) => [key, value] as const));
      const architecture = before.values.get('general.architecture') ?? '';
      const after = {
        ...before,
        values: new Map([...values, ['general.architecture', architecture] as const]),
      };
      const tokenizer = await buildTokenizer(parseTokenizer(ggufTokenizerJson(after), name), name);
      for (const { text, ids } of cases)
        expect([...tokenizer.encode(text)], JSON.stringify(text)).to.deep.equal(ids);
      for (const key of ['model', 'pre', 'token_type', 'add_space_prefix', 'unknown_token_id'])
        if (before.values.has(`tokenizer.ggml.${key}`))
          expect(values.get(`tokenizer.ggml.${key}`), key).to.deep.equal(
            before.values.get(`tokenizer.ggml.${key}`),
          );
    });

  it('has as many tokens as the embedding has rows', () => {
    const before = headerOf('smollm');
    const json = ggufTokenizerJson(before);
    for (const more of [-3, 5]) {
      const fields = vocabularyOf(json, {}, tokensIn(before) + more);
      expect(fields['tokenizer.ggml.tokens']?.value).to.have.length(tokensIn(before) + more);
      expect(fields['tokenizer.ggml.token_type']?.value).to.have.length(tokensIn(before) + more);
    }
  });

  const refused = (change: (json: Record<string, unknown>) => void): string => {
    const json: Record<string, unknown> = { ...ggufTokenizerJson(headerOf('smollm')) };
    change(json);
    try {
      vocabularyOf(json, {}, 420);
    } catch (error) {
      if (error instanceof UserError) return `${error.diagnostic.code} ${error.diagnostic.message}`;
      throw error;
    }
    return 'none';
  };

  it('is refused where llama.cpp has no name for how it cuts texts', () => {
    expect(refused(() => undefined)).to.equal('none');
    expect(refused((json) => Object.assign(json, { normalizer: { type: 'NFC' } }))).to.equal('none');
    expect(refused((json) => Object.assign(json, { normalizer: { type: 'Lowercase' } }))).to.match(
      /^FTP2071 .*normalises/,
    );
    expect(refused((json) => Object.assign(json, { pre_tokenizer: { type: 'Whitespace' } }))).to.match(
      /^FTP2071 .*no name/,
    );
  });
});
