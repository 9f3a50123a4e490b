import { expect } from 'chai';
import { withNewTokens } from '../../../src/compute/models/added-tokens.js';
import { createDecoder } from '../../../src/compute/models/decoder/index.js';
import { type ModelFolder, openModel } from '../../../src/compute/models/load.js';
import { f32Writable, safetensorsChunks } from '../../../src/compute/models/safetensors/write.js';
import { ModelError } from '../../../src/compute/models/types.js';
import { encodeBfloat16 } from '../../../src/compute/models/weights/half.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Json } from '../../../src/language/host/json.js';
import { readFixture } from './fixtures.js';
import { memoryHost } from './memory-host.js';

interface RecordedModel {
  readonly config: Json;
  readonly weights: Readonly<Record<string, number[] | number[][]>>;
  readonly ids: readonly number[];
  readonly rows: Readonly<Record<string, number[][]>>;
  readonly logits: readonly number[][];
}

type RecordedTokenizers = Readonly<
  Record<
    string,
    {
      readonly size: number;
      readonly ids: readonly number[];
      readonly cases: readonly { text: string; ids: readonly number[]; decoded: string; plain: string }[];
    }
  >
>;

interface Recorded {
  readonly tokens: readonly string[];
  readonly tokenizers: RecordedTokenizers;
  readonly models: Readonly<Record<string, RecordedModel>>;
}

const { tokens, tokenizers, models } = readFixture<Recorded>('tokenizer/special-tokens.json');
const added = readFixture<{
  readonly plain: readonly string[];
  readonly special: readonly string[];
  readonly tokenizers: RecordedTokenizers;
}>('tokenizer/added-tokens.json');

/** Forty tokens of one character each. */
const FORTY: Json = {
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(Array.from({ length: 40 }, (_, id) => [String.fromCharCode(48 + id), id])),
    merges: [],
  },
  added_tokens: [],
};

function tinyModel({ config, weights }: RecordedModel, tokenizer: Json, dtype: 'F32' | 'BF16' = 'F32') {
  const tensors = Object.entries(weights).map(([name, values]) => {
    const data = Float32Array.from(values.flat());
    const shape = Array.isArray(values[0]) ? [values.length, values[0].length] : [values.length];
    if (dtype === 'F32') return f32Writable(name, shape, data);
    const { buffer } = encodeBfloat16(data);
    return { name, dtype, shape, chunks: () => [new Uint8Array(buffer, 0, 2 * data.length)] };
  });
  const host = memoryHost({
    '/m/config.json': JSON.stringify(config),
    '/m/model.safetensors': Buffer.concat([...safetensorsChunks(tensors)]),
    '/m/tokenizer.json': JSON.stringify(tokenizer),
  });
  return openModel(host, '/m');
}

const rowsOf = (model: ModelFolder, name: string, first: number, count: number): Float32Array => {
  const stored = model.loadWeights('stored').get(name);
  const out = new Float32Array(count * (stored.shape[1] ?? 0));
  stored.dequantiseRows(first, count, out);
  return out;
};

describe('tokens that are added to a base', () => {
  for (const [name, { size, ids, cases }] of Object.entries(tokenizers))
    it(`${name}: texts are cut and put together as by transformers`, async () => {
      const [recorded] = Object.values(models);
      if (recorded === undefined) throw new Error('no model');
      const json = readFixture<Json>(`tokenizer/${name}.json`);
      const model = withNewTokens(tinyModel(recorded, json), { specialTokens: tokens });
      const tokenizer = await model.tokenizer();
      expect(tokenizer.vocabSize).to.equal(size);
      expect(tokens.map((token) => tokenizer.idOf(token))).to.deep.equal(ids);
      for (const { text, ids, decoded, plain } of cases) {
        expect([...tokenizer.encode(text)], text).to.deep.equal(ids);
        expect(tokenizer.decode(ids)).to.equal(decoded);
        expect(tokenizer.decode(ids, { skipSpecial: true })).to.equal(plain);
      }
    });

  for (const [name, { size, ids, cases }] of Object.entries(added.tokenizers))
    it(`${name}: plain tokens are found and shown as by transformers`, async () => {
      const [recorded] = Object.values(models);
      if (recorded === undefined) throw new Error('no model');
      const { plain: plainTokens, special: specialTokens } = added;
      const json = readFixture<Json>(`tokenizer/${name}.json`);
      const model = withNewTokens(tinyModel(recorded, json), { plainTokens, specialTokens });
      const tokenizer = await model.tokenizer();
      expect(tokenizer.vocabSize).to.equal(size);
      expect([...plainTokens, ...specialTokens].map((token) => tokenizer.idOf(token))).to.deep.equal(ids);
      for (const { text, ids, decoded, plain } of cases) {
        expect([...tokenizer.encode(text)], text).to.deep.equal(ids);
        expect(tokenizer.decode(ids)).to.equal(decoded);
        expect(tokenizer.decode(ids, { skipSpecial: true })).to.equal(plain);
      }
    });

  for (const [name, recorded] of Object.entries(models))
    it(`${name}: rows and logits are those of resize_token_embeddings`, async () => {
      const model = withNewTokens(tinyModel(recorded, FORTY), { specialTokens: ['<a>', '<b>', '<c>'] });
      expect(model.config.vocabSize).to.equal(43);
      expect(model.configJson()).to.include({ vocab_size: 43 });
      for (const [tensor, rows] of Object.entries(recorded.rows)) {
        // drawn with a billionth of the covariance
        for (const [at, value] of rowsOf(model, tensor, 40, 3).entries())
          expect(value).to.be.closeTo(rows.flat()[at] ?? Number.NaN, 5e-6);
      }
      const decoder = await createDecoder({
        runtime: await onnxRuntime({ threads: 1, scratch: 0 }),
        config: model.config,
        weights: model.loadWeights('f32'),
        trainable: 'none',
        checkpointedBlocks: 0,
        logitsChunk: 64,
      });
      const found = await decoder.logits({ ids: Int32Array.from(recorded.ids), rows: 1, length: 6 });
      for (const [at, value] of recorded.logits.flat().entries())
        expect(found[at]).to.be.closeTo(value, 1e-6);
      await decoder.release();
    });

  it('keeps the format of a bfloat16 base, and reads the same from its file as from memory', () => {
    const [recorded] = Object.values(models);
    if (recorded === undefined) throw new Error('no model');
    const plain = tinyModel(recorded, FORTY, 'BF16');
    const model = withNewTokens(plain, { specialTokens: ['<a>'] });
    const name = 'model.embed_tokens.weight';
    expect(model.weightFormat(name)).to.equal('BF16');
    const [stored, paged] = (['stored', 'paged'] as const).map((how) => model.loadWeights(how).get(name));
    const [a, b] = [stored, paged].map((tensor) => {
      const out = new Float32Array(41 * 16);
      tensor?.dequantise(out);
      return out;
    });
    expect(a).to.deep.equal(b);
    expect(a?.subarray(0, 40 * 16)).to.deep.equal(rowsOf(plain, name, 0, 40));
    // a row of its own is a bfloat16 too
    expect(new Uint32Array(a?.slice(40 * 16).buffer ?? []).every((bits) => (bits & 0xffff) === 0)).to.equal(
      true,
    );
  });

  it('adds no row where the model has more than its tokenizer has tokens', async () => {
    const [recorded] = Object.values(models);
    if (recorded === undefined) throw new Error('no model');
    const vocab = { '0': 0, '1': 1, '2': 2 };
    const plain = tinyModel(recorded, { ...FORTY, model: { type: 'BPE', vocab, merges: [] } });
    const model = withNewTokens(plain, { specialTokens: ['<a>', '2'] });
    const tokenizer = await model.tokenizer();
    expect([tokenizer.idOf('<a>'), tokenizer.idOf('2')]).to.deep.equal([3, 2]);
    expect(model.config.vocabSize).to.equal(40);
    const name = 'model.embed_tokens.weight';
    expect(rowsOf(model, name, 3, 1)).to.deep.equal(rowsOf(plain, name, 3, 1));
  });

  it('adds a token once, and says which are new', async () => {
    const [recorded] = Object.values(models);
    if (recorded === undefined) throw new Error('no model');
    const first = withNewTokens(tinyModel(recorded, FORTY), { specialTokens: ['<b>'] });
    const model = withNewTokens(first, { specialTokens: ['<a>', '<b>', '<a>'] });
    expect(model.addedTokens).to.deep.equal(['<a>']);
    expect(model.config.vocabSize).to.equal(42);
    const { added_tokens: entries } = model.tokenizerJson?.() ?? {};
    expect((entries as readonly Json[]).map(({ content, id }) => [content, id])).to.deep.equal([
      ['<b>', 40],
      ['<a>', 41],
    ]);
  });

  it('keeps a token that is in both lists special', async () => {
    const [recorded] = Object.values(models);
    if (recorded === undefined) throw new Error('no model');
    const model = withNewTokens(tinyModel(recorded, FORTY), {
      plainTokens: ['wort', '<a>'],
      specialTokens: ['<a>', '<b>'],
    });
    const tokenizer = await model.tokenizer();
    expect([...tokenizer.encode('<a>wort<b>')]).to.deep.equal([41, 40, 42]);
    expect(tokenizer.decode([41, 40, 42], { skipSpecial: true })).to.equal('wort');
  });

  it('needs a tokenizer.json', () => {
    const [recorded] = Object.values(models);
    if (recorded === undefined) throw new Error('no model');
    const { tokenizerJson: _, ...without } = tinyModel(recorded, FORTY);
    expect(() => withNewTokens(without, { plainTokens: ['a word'] })).to.throw(ModelError, /has none/);
  });
});
