import { expect } from 'chai';
import type { HeadConfig } from '../../../src/compute/models/adapters/config.js';
import { unreadHead } from '../../../src/compute/models/adapters/whole.js';
import { expectedTensors } from '../../../src/compute/models/architectures/index.js';
import { initModel } from '../../../src/compute/models/initialise.js';
import { openModel } from '../../../src/compute/models/load.js';
import {
  f32Writable,
  safetensorsChunks,
  type WritableTensor,
} from '../../../src/compute/models/safetensors/write.js';
import { encodeBfloat16, encodeFloat16 } from '../../../src/compute/models/weights/half.js';
import { plannedBytes, plannedFormat } from '../../../src/compute/models/weights/load.js';
import { tensorNotFinite } from '../../../src/compute/models/weights/stored-tensor.js';
import { concat, modelError } from './errors.js';
import { readFixture } from './fixtures.js';
import { type MemoryHost, memoryHost } from './memory-host.js';

const JSON_CONFIG = {
  ...readFixture<object>('peft/base/config.json'),
  vocab_size: 40,
  hidden_size: 64,
  head_dim: 16,
  intermediate_size: 96,
};
const config = openModel(memoryHost({ '/m/config.json': JSON.stringify(JSON_CONFIG) }), '/m').config;
const weights = initModel(config, 3);

type Encode = (name: string, shape: readonly number[], data: Float32Array) => WritableTensor;
const half =
  (dtype: 'F16' | 'BF16', encode: (data: Float32Array) => Uint16Array): Encode =>
  (name, shape, data) => ({ name, dtype, shape, chunks: () => [new Uint8Array(encode(data).buffer)] });
const ENCODERS: Readonly<Record<'F32' | 'F16' | 'BF16', Encode>> = {
  F32: f32Writable,
  F16: half('F16', encodeFloat16),
  BF16: half('BF16', encodeBfloat16),
};

function values(name: string): Float32Array {
  return weights.get(name).view() ?? new Float32Array();
}

function tensors(encode: Encode): WritableTensor[] {
  return expectedTensors(config).map(({ name, shape }) => encode(name, shape, values(name)));
}

function host(list: readonly WritableTensor[], more: Readonly<Record<string, string>> = {}): MemoryHost {
  return memoryHost({
    '/m/config.json': JSON.stringify(JSON_CONFIG),
    '/m/model.safetensors': concat(safetensorsChunks(list)),
    ...more,
  });
}

describe('weights with a value that is not finite', () => {
  it('are found by name, in every storage', () => {
    const name = 'model.layers.1.mlp.up_proj.weight';
    const spoilt = tensors((tensor, shape, data) =>
      f32Writable(tensor, shape, tensor === name ? data.with(100, Number.NaN) : data),
    );
    const quantised = modelError(() => openModel(host(spoilt), '/m').loadWeights('nf4'));
    expect(quantised.detail).to.equal(
      `Tensor "${name}" has a value that is not finite, which 4 bits cannot hold.`,
    );
    for (const storage of ['stored', 'f32', 'paged'] as const) {
      expect(tensorNotFinite(openModel(host(spoilt), '/m').loadWeights(storage)), storage).to.equal(name);
      const good = openModel(host(tensors(f32Writable)), '/m').loadWeights(storage);
      expect(tensorNotFinite(good), storage).to.equal(undefined);
    }
  });
});

describe('model folder', () => {
  it('refuses a head of its own where the config ties it to the embedding', () => {
    const tied = JSON.stringify({ ...JSON_CONFIG, tie_word_embeddings: true });
    const open = (head: Float32Array) => {
      const list = tensors(f32Writable).filter(({ name }) => name !== 'lm_head.weight');
      const own = f32Writable('lm_head.weight', [40, 64], head);
      return openModel(host([...list, own], { '/m/config.json': tied }), '/m');
    };
    const embedding = values('model.embed_tokens.weight');
    expect(open(embedding).loadWeights('stored').names()).not.to.include('lm_head.weight');
    const error = modelError(() => open(embedding.map((value) => value + 1)).loadWeights('stored'));
    expect(error.code).to.equal('model_weights');
    expect(error.detail).to.contain('lm_head.weight').and.to.contain('tie_word_embeddings');
  });

  it('leaves a base that is in 4 bits in part as it is', () => {
    const formats = (name: string) => (name.includes('q_proj') ? ('NF4' as const) : ('BF16' as const));
    expect(plannedBytes(config, formats, 'nf4')).to.equal(plannedBytes(config, formats, 'stored'));
  });

  for (const format of ['F32', 'F16', 'BF16'] as const) {
    for (const storage of ['stored', 'f32', 'nf4', 'nf4_materialised'] as const) {
      it(`loads ${format} as ${storage}, and the planner knows its bytes`, () => {
        const model = openModel(host(tensors(ENCODERS[format])), '/m');
        expect(model.weightFormat('model.norm.weight')).to.equal(format);
        const store = model.loadWeights(storage);
        expect(store.names()).to.deep.equal(expectedTensors(config).map(({ name }) => name));
        expect(store.residentBytes).to.equal(plannedBytes(config, model.weightFormat, storage));
        for (const { name, shape, role } of expectedTensors(config)) {
          const tensor = store.get(name);
          expect(tensor.shape).to.deep.equal(shape);
          const quantised = storage.startsWith('nf4') && role === 'projection';
          expect(tensor.format).to.equal(plannedFormat(role, format, storage));
          const out = new Float32Array(values(name).length);
          tensor.dequantise(out);
          const tolerance = quantised ? 0.02 : { F32: 0, F16: 1e-4, BF16: 1e-3 }[format];
          const worst = values(name).reduce(
            (most, value, i) => Math.max(most, Math.abs(value - (out[i] ?? 9))),
            0,
          );
          expect(worst, name).to.be.at.most(tolerance);
          if (format === 'F32' && !quantised) expect(tensor.view()).to.deep.equal(values(name));
        }
      });
    }
  }

  it('decodes what 4 bits hold once, to the values of every pass', () => {
    const model = openModel(host(tensors(ENCODERS.BF16)), '/m');
    const [packed, decoded] = [model.loadWeights('nf4'), model.loadWeights('nf4_materialised')];
    for (const { name } of expectedTensors(config)) {
      const out = new Float32Array(values(name).length);
      packed.get(name).dequantise(out);
      expect(decoded.get(name).format, name).to.equal('F32');
      const held = new Float32Array(out.length);
      decoded.get(name).dequantise(held);
      expect(held, name).to.deep.equal(out);
    }
  });

  it('finds tensors whose names leave the first part out, however they are held', () => {
    const bare = tensors(ENCODERS.F16).map((tensor) => ({
      ...tensor,
      name: tensor.name.replace(/^model\./, ''),
    }));
    const model = openModel(host(bare), '/m');
    for (const storage of ['stored', 'f32', 'nf4', 'nf4_materialised', 'paged'] as const)
      expect(model.loadWeights(storage).names(), storage).to.deep.equal(
        expectedTensors(config).map(({ name }) => name),
      );
  });

  it('leaves all but what is small in the files, and reads it in windows', () => {
    const files = host(tensors(ENCODERS.BF16));
    const model = openModel(files, '/m');
    const paged = model.loadWeights('paged');
    expect(paged.residentBytes).to.equal(plannedBytes(config, model.weightFormat, 'paged'));
    expect(paged.residentBytes).to.be.lessThan(2000);
    const stored = model.loadWeights('stored');
    for (const name of paged.names()) {
      const { length } = values(name);
      const [all, expected] = [new Float32Array(length), new Float32Array(length)];
      paged.get(name).dequantise(all);
      stored.get(name).dequantise(expected);
      expect(all, name).to.deep.equal(expected);
      const width = length / (paged.get(name).shape[0] ?? 1);
      const row = new Float32Array(width);
      paged.get(name).dequantiseRows(1, 1, row);
      expect(row, name).to.deep.equal(expected.slice(width, 2 * width));
      expect(paged.get(name).view()).to.equal(name.includes('norm') ? stored.get(name).view() : undefined);
    }
  });

  it('leaves out the head that nobody reads once there are labels, however it is held', () => {
    const head: HeadConfig = { kind: 'head', labels: ['a', 'b'] };
    expect(unreadHead(config, head)).to.equal('lm_head.weight');
    expect(unreadHead(config, { kind: 'prompt', tokens: 1 })).to.equal(undefined);
    expect(unreadHead({ ...config, tieEmbeddings: true }, head)).to.equal(undefined);
    expect(unreadHead({ ...config, labels: ['a'] }, head)).to.equal(undefined);
    const model = openModel(host(tensors(ENCODERS.BF16)), '/m');
    for (const storage of ['stored', 'f32', 'nf4', 'nf4_materialised', 'paged'] as const) {
      const store = model.loadWeights(storage, { without: 'lm_head.weight' });
      expect(store.names()).to.deep.equal(
        model
          .loadWeights(storage)
          .names()
          .filter((name) => name !== 'lm_head.weight'),
      );
      const planned = plannedBytes(config, model.weightFormat, storage, 'lm_head.weight');
      expect(store.residentBytes, storage).to.equal(planned);
    }
  });

  it('checks names and shapes before it reads any data', () => {
    const all = tensors(f32Writable);
    const without = host(all.filter(({ name }) => name !== 'model.layers.1.mlp.up_proj.weight'));
    const missing = modelError(() => openModel(without, '/m').loadWeights('f32'));
    expect(missing.detail).to.match(/model\.layers\.1\.mlp\.up_proj\.weight.*\[96, 64\]/);
    const misshapen = all.map((tensor) =>
      tensor.name === 'model.norm.weight' ? { ...tensor, shape: [8, 8] } : tensor,
    );
    const wrong = modelError(() => openModel(host(misshapen), '/m').checkWeights());
    expect(wrong.detail).to.match(/"model\.norm\.weight" has shape \[8, 8\].*\[64\]/);
    const typed = all.map((tensor) =>
      tensor.name === 'lm_head.weight' ? { ...tensor, dtype: 'I32' as const } : tensor,
    );
    expect(modelError(() => openModel(host(typed), '/m').checkWeights()).detail).to.contain('I32');
  });

  it('refuses weights of more blocks than the config has', () => {
    const layers = { '/m/config.json': JSON.stringify({ ...JSON_CONFIG, num_hidden_layers: 1 }) };
    const more = modelError(() => openModel(host(tensors(f32Writable), layers), '/m').checkWeights());
    expect(more).to.include({ code: 'model_weights' });
    expect(more.detail).to.match(/"model\.layers\.1\..*" is of a block more than the 1 of the config/);
  });

  it('refuses parameters of a block that the config gives no place', () => {
    for (const name of ['self_attn.q_proj.bias', 'self_attn.q_norm.weight', 'mlp.experts.0.up_proj.weight']) {
      const more = f32Writable(`model.layers.0.${name}`, [2], new Float32Array(2));
      const error = modelError(() =>
        openModel(host([...tensors(f32Writable), more]), '/m').loadWeights('f32'),
      );
      expect(error).to.include({ code: 'model_weights', path: '/m/model.safetensors' });
      expect(error.detail).to.equal(
        `Tensor "model.layers.0.${name}" has no place in a model of this config.`,
      );
    }
    const far = f32Writable('model.layers.7.mlp.up_proj.weight', [2], new Float32Array(2));
    const error = modelError(() => openModel(host([...tensors(f32Writable), far]), '/m').checkWeights());
    expect(error.detail).to.match(/"model\.layers\.7\..*" is of a block more than the 2 of the config/);
  });

  it('ignores rotary buffers, and wants no head where embeddings are tied', () => {
    const list = [
      ...tensors(f32Writable).filter(({ name }) => name !== 'lm_head.weight'),
      f32Writable('model.layers.0.self_attn.rotary_emb.inv_freq', [8], new Float32Array(8)),
    ];
    const tied = host(list, {
      '/m/config.json': JSON.stringify({ ...JSON_CONFIG, tie_word_embeddings: true }),
    });
    const store = openModel(tied, '/m').loadWeights('stored');
    expect(store.has('lm_head.weight')).to.equal(false);
    expect(store.has('model.layers.0.self_attn.rotary_emb.inv_freq')).to.equal(false);
    expect(modelError(() => store.get('lm_head.weight')).detail).to.contain('"lm_head.weight" is missing');
  });

  it('says where there is no model, no tokenizer, no weights', async () => {
    const refused = (files: Record<string, string>) => modelError(() => openModel(memoryHost(files), '/m'));
    expect(refused({})).to.include({ code: 'model_not_found', detail: 'There is no such folder.' });
    expect(refused({ '/m/README.md': '' }).detail).to.equal('The folder has no config.json.');
    const several = refused({ '/m/b.gguf': '', '/m/a.gguf': '' });
    expect(several.detail).to.equal('The folder has 2 GGUF files.');
    expect(several.help).to.equal('Name one of them, such as a.gguf.');
    const bare = openModel(memoryHost({ '/m/config.json': JSON.stringify(JSON_CONFIG) }), '/m');
    expect(modelError(() => bare.checkWeights()).code).to.equal('model_not_found');
    expect(bare.template()).to.equal(undefined);
    const { encode } = await bare.tokenizer();
    expect(modelError(() => encode('text'))).to.include({
      code: 'model_tokenizer',
      path: '/m/tokenizer.json',
    });
  });

  it('lists the files that count, and the licence of the card', () => {
    const model = openModel(
      host(tensors(f32Writable), {
        '/m/README.md': '---\nlicense: "apache-2.0"\ntags: [a]\n---\n# Card\nlicense: no\n',
        '/m/notes.txt': 'x',
        '/m/chat_template.jinja': 'x',
      }),
      '/m',
    );
    expect(model.files().map(({ name }) => name)).to.deep.equal([
      'chat_template.jinja',
      'config.json',
      'model.safetensors',
    ]);
    expect(model.licence()).to.equal('apache-2.0');
    expect(openModel(memoryHost({ '/m/config.json': JSON.stringify(JSON_CONFIG) }), '/m').licence()).to.equal(
      undefined,
    );
  });
});
