/**
 * Tokenizers in GGUF files, and the tokens that llama.cpp cuts texts into: those of transformers
 * (test/fixtures/gguf/record_tokenizers.py).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { expectedTensors } from '../../../../src/compute/models/architectures/index.js';
import { type GgufHeader, readGgufHeader } from '../../../../src/compute/models/gguf/header.js';
import { openGguf } from '../../../../src/compute/models/gguf/open.js';
import { ggufSpecialTokens, ggufTokenizerJson } from '../../../../src/compute/models/gguf/tokenizer.js';
import { SPACE_PREFIX } from '../../../../src/compute/models/gguf/vocabularies.js';
import { type ModelFolder, openModel } from '../../../../src/compute/models/load.js';
import { float32Tensor, weightStore } from '../../../../src/compute/models/weights/stored-tensor.js';
import { openLlama } from '../../../../src/compute/serving/llama-cpp/model.js';
import { sizeOf } from '../../../../src/compute/tensor/shape.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Json } from '../../../../src/language/host/json.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { readFixture, readFixtureBytes } from '../../models/fixtures.js';
import { memoryHost } from '../../models/memory-host.js';
import { whereLlama } from '../../serving/llama-cpp/here.js';
import { writeGguf } from './in-llama.js';

type Cases = readonly { readonly text: string; readonly ids: readonly number[] }[];
const CASES = readFixture<Record<string, Cases>>('gguf/tokenizers/cases.json');

const headerOf = (name: string): GgufHeader =>
  readGgufHeader(memoryHost({ '/v': readFixtureBytes(`gguf/tokenizers/${name}.gguf`) }), '/v');

const GEMMA = { model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'], query_pre_attn_scalar: 32 };
const PHI3 = { model_type: 'phi3', architectures: ['Phi3ForCausalLM'] };
const LLAMA = { model_type: 'llama', architectures: ['LlamaForCausalLM'] };

/** A model of one layer with this tokenizer, as a folder, written as a GGUF file. */
function written(
  path: string,
  json: Json,
  { special = {}, config = {} }: { special?: Readonly<Record<string, string>>; config?: Json } = {},
): ModelFolder {
  const vocab = (json['model'] as Json)['vocab'] as Json;
  const sizes = { vocab_size: Object.keys(vocab).length, hidden_size: 32, intermediate_size: 32 };
  const shape = { num_hidden_layers: 1, num_attention_heads: 1, max_position_embeddings: 256 };
  const host = memoryHost({
    '/m/config.json': JSON.stringify({ ...sizes, ...shape, ...LLAMA, ...config }),
    '/m/tokenizer.json': JSON.stringify(json),
    '/m/tokenizer_config.json': JSON.stringify(special),
  });
  const model = openModel(host, '/m');
  const zeros = expectedTensors(model.config).map(({ name, shape }) =>
    float32Tensor(name, shape, new Float32Array(sizeOf(shape))),
  );
  writeGguf(host, path, model, { weights: weightStore('m', zeros) });
  return model;
}

const MARKS = ['<|endoftext|>', '<|user|>', '<|assistant|>', '<|end|>'];

/** Phi-3's special tokens, of which most take the spaces after them. */
function phi3Tokenizer(change: (token: Json) => Json = (token) => token): Json {
  const json = ggufTokenizerJson(headerOf('pieces-phi3'));
  const model = json['model'] as Json;
  const vocab = { ...(model['vocab'] as Json) };
  for (const mark of MARKS) vocab[mark] = Object.keys(vocab).length;
  const apart = ['<unk>', '<s>', '<|endoftext|>'];
  const added = ['<unk>', '<s>', '</s>', '<tool>', ...MARKS].map((content) =>
    change({ id: vocab[content], content, special: true, rstrip: !apart.includes(content) }),
  );
  return { ...json, added_tokens: added, model: { ...model, vocab } };
}

const REPLACE = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const PREPEND = { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, REPLACE] };
const METASPACE = { type: 'Metaspace', replacement: '▁', split: false };

const SPACED = [
  '<|user|>\nWhat?<|end|>\n<|assistant|>\n',
  '<|user|>  two <|endoftext|> spaces<|end|>',
  'no marks at all ',
];

/** Texts that llama.cpp has other tokens for: it normalises none, and puts a space after every special token, too. */
const OTHERWISE: Readonly<Record<string, (text: string) => boolean>> = {
  qwen2: (text) => text.normalize('NFC') !== text,
  pieces: (text) => /^ |<\w+>/.test(text),
};

describe('tokens of GGUF files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'model.gguf');

  it('end answers where they did: up to three of them', () => {
    const json = ggufTokenizerJson(headerOf('smollm'));
    for (const ends of [[2], [2, 0], [2, 1, 0]]) {
      written(path, json, { config: { eos_token_id: ends } });
      expect(openGguf(nodeHost(), path).config.eosTokenIds).to.deep.equal(ends);
    }
    const write = () => written(path, json, { config: { eos_token_id: [2, 1, 0, 3] } });
    expect(write).to.throw(UserError, /4 tokens end an answer, and there is room for 3/);
  });

  it('take the spaces after them where they did, and are refused where llama.cpp gives spaces to others', async () => {
    const tokenizer = await written(path, phi3Tokenizer(), { config: PHI3 }).tokenizer();
    const again = await openGguf(nodeHost(), path).tokenizer();
    for (const text of SPACED)
      expect([...again.encode(text)], text).to.deep.equal([...tokenizer.encode(text)]);
    const plain = await written(
      path,
      phi3Tokenizer((token) => ({ ...token, rstrip: false })),
      { config: PHI3 },
    ).tokenizer();
    const without = await openGguf(nodeHost(), path).tokenizer();
    for (const text of SPACED) expect([...without.encode(text)], text).to.deep.equal([...plain.encode(text)]);
    expect([...plain.encode(SPACED[0] ?? '')]).not.to.deep.equal([...tokenizer.encode(SPACED[0] ?? '')]);
    for (const change of [{ lstrip: true }, { rstrip: true }])
      expect(() =>
        written(
          path,
          phi3Tokenizer((token) => ({ ...token, ...change })),
        ),
      ).to.throw(UserError, /spaces next to some of its special tokens/);
  });

  it('begin as they did, where each stretch of a text has a space put before it', async () => {
    for (const [how, isOther] of [
      [{ normalizer: PREPEND, pre_tokenizer: null }, true],
      [{ normalizer: null, pre_tokenizer: { ...METASPACE, prepend_scheme: 'always' } }, true],
      [{ normalizer: null, pre_tokenizer: { ...METASPACE, prepend_scheme: 'first' } }, false],
    ] as const) {
      const json = { ...ggufTokenizerJson(headerOf('pieces')), ...how };
      const tokenizer = await written(path, json).tokenizer();
      const again = await openGguf(nodeHost(), path).tokenizer();
      for (const { text } of CASES['pieces'] ?? [])
        expect([...again.encode(text)], text).to.deep.equal([...tokenizer.encode(text)]);
      expect(readGgufHeader(nodeHost(), path).values.has(SPACE_PREFIX)).to.equal(isOther);
    }
  });

  whereLlama(() => {
    const tokensOf = async (texts: readonly string[]): Promise<readonly (readonly number[])[]> => {
      const llama = await openLlama(nodeHost(), {
        ...{ label: 'm', path, contextTokens: 256, rows: 1, threads: 1 },
      });
      const found = texts.map((text) => llama.tokenize(text));
      await llama.close();
      return found;
    };

    for (const [name, cases] of Object.entries(CASES))
      it(`are llama.cpp’s: ${name}`, async () => {
        const header = headerOf(name);
        const isGemma = name === 'pieces-gemma';
        written(path, ggufTokenizerJson(header), {
          special: ggufSpecialTokens(header),
          config: isGemma ? GEMMA : {},
        });
        const found = await tokensOf(cases.map(({ text }) => text));
        cases.forEach(({ text, ids }, at) => {
          if (OTHERWISE[name]?.(text) !== true) expect(found[at], JSON.stringify(text)).to.deep.equal(ids);
        });
      });

    it('are llama.cpp’s where each stretch of a text has a space put before it', async () => {
      const json = { ...ggufTokenizerJson(headerOf('pieces')), normalizer: PREPEND, pre_tokenizer: null };
      const tokenizer = await written(path, json).tokenizer();
      const texts = (CASES['pieces'] ?? []).map(({ text }) => text);
      expect(await tokensOf(texts)).to.deep.equal(texts.map((text) => [...tokenizer.encode(text)]));
    });

    it('are llama.cpp’s where they take the spaces after them', async () => {
      for (const rstrip of [true, false]) {
        const json = phi3Tokenizer((token) => ({ ...token, rstrip: rstrip && token['rstrip'] }));
        const tokenizer = await written(path, json, { config: PHI3 }).tokenizer();
        const found = await tokensOf(SPACED);
        expect(found).to.deep.equal(SPACED.map((text) => [...tokenizer.encode(text)]));
      }
    });
  });
});
