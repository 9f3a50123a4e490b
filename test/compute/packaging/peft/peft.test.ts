import { expect } from 'chai';
import { adaptedProjections } from '../../../../src/compute/models/adapters/branches.js';
import { adapterShapes, initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { labelsOf } from '../../../../src/compute/models/adapters/whole.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { f32Writable, safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import {
  adapterFiles,
  openAdapter,
  readAdapter,
  writeAdapter,
} from '../../../../src/compute/packaging/adapters.js';
import { checkAdapter } from '../../../../src/compute/packaging/check-base.js';
import { sizeOf } from '../../../../src/compute/tensor/shape.js';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { ofKind } from '../../models/adapters/of-kind.js';
import { concat, modelError } from '../../models/errors.js';
import { fixturePath, readFixture, readFixtureBytes } from '../../models/fixtures.js';
import { memoryHost } from '../../models/memory-host.js';

const host = nodeHost();
const folder = fixturePath('peft/adapter');
const CONFIG = 'peft/adapter/adapter_config.json';
const recorded = readFixture<Readonly<Record<string, unknown>>>(CONFIG);
const weights = readFixtureBytes('peft/adapter/adapter_model.safetensors');
const base = openModel(host, fixturePath('peft/base')).config;

/** An adapter with low-rank factors. */
const readFactors = (from: Host, folder: string) => ofKind('lora', readAdapter(from, folder));

/** The recorded folder with some config fields or the weights replaced. */
function variant(fields: Readonly<Record<string, unknown>>, bytes: Uint8Array = weights) {
  return memoryHost({
    '/a/adapter_config.json': JSON.stringify({ ...recorded, ...fields }),
    '/a/adapter_model.safetensors': bytes,
  });
}

describe('PEFT adapter', () => {
  it('reads what PEFT saved, and writes the same bytes', () => {
    const adapter = readFactors(host, folder);
    expect(adapter.config).to.deep.include({ kind: 'lora', rank: 3, alpha: 6, dropout: 0.05 });
    expect(adapter.config.targets).to.have.length(7);
    checkAdapter(adapter, base, folder);
    const files = adapterFiles(adapter, { base: adapter.base });
    const tensors = files['adapter_model.safetensors'] ?? [];
    expect(Buffer.compare(concat(tensors as Iterable<Uint8Array>), weights)).to.equal(0);
    const sorted = { ...recorded, target_modules: [...(recorded['target_modules'] as string[])].sort() };
    const expected = JSON.stringify(sorted, null, 2).replace('größe', 'gr\\u00f6\\u00dfe');
    expect(files['adapter_config.json']).to.equal(expected);
  });

  it('reads back what it wrote, without dropout too', () => {
    const adapter = initAdapter(
      base,
      { kind: 'lora', rank: 2, alpha: 4, dropout: 0, targets: ['down_proj', 'q_proj'] },
      { seed: 7 },
    );
    const written: Record<string, string | Uint8Array> = {};
    const sink = {
      write(name: string, content: string | Uint8Array | Iterable<Uint8Array>): void {
        written[`/out/${name}`] =
          typeof content === 'string' || content instanceof Uint8Array ? content : concat(content);
      },
    };
    const options = { base: { name: 'tiny', revision: null }, licence: 'apache-2.0' };
    writeAdapter(sink, 'adapter', adapter, options);
    expect(written['/out/adapter/adapter_config.json']).to.contain('"lora_dropout": 0.0,');
    expect(written['/out/adapter/README.md']).to.contain("license: 'apache-2.0'");
    const back = readAdapter(memoryHost(written), '/out/adapter');
    expect(back.config).to.deep.equal(adapter.config);
    expect([...back.tensors].sort()).to.deep.equal([...adapter.tensors].sort());
  });

  for (const name of ['prefix', 'prefix-projection'])
    it(`reads a ${name} that PEFT saved, and writes the same tensor and config`, () => {
      const adapter = readAdapter(host, fixturePath(`peft/${name}`));
      expect(adapter.config).to.deep.equal({ kind: 'prefix', tokens: 4 });
      checkAdapter(adapter, base, adapter.path);
      const files = adapterFiles(adapter, { base: { ...adapter.base, shape: base } });
      const tensors = concat(files['adapter_model.safetensors'] as Iterable<Uint8Array>);
      expect(Buffer.compare(tensors, readFixtureBytes(`peft/${name}/adapter_model.safetensors`))).to.equal(0);
      // what a projection gave is told without it, so that it can be trained further
      const plain = { encoder_hidden_size: 8, prefix_projection: false };
      const written = JSON.parse(String(files['adapter_config.json']));
      expect(written).to.deep.equal({ ...readFixture<object>(`peft/${name}/adapter_config.json`), ...plain });
      expect(files['README.md']).to.contain('- prefix-tuning').and.to.contain('# Prefix for org/tiny');
    });

  it('refuses a prefix that contradicts its tensor, or is for another base', () => {
    const config = readFixture<object>('peft/prefix/adapter_config.json');
    const tensor = readFixtureBytes('peft/prefix/adapter_model.safetensors');
    const read = (fields: object) =>
      readAdapter(
        memoryHost({
          '/a/adapter_config.json': JSON.stringify({ ...config, ...fields }),
          '/a/adapter_model.safetensors': tensor,
        }),
        '/a',
      );
    const refused = (fields: object, changes: object = {}) =>
      modelError(() => checkAdapter(read(fields), { ...base, ...changes }, '/a')).detail;
    expect(refused({ num_virtual_tokens: 5 })).to.match(/does not fit 5 virtual tokens/);
    expect(refused({ num_attention_heads: 0 })).to.match(/"num_attention_heads" is 0/);
    expect(refused({ num_attention_heads: 4 })).to.match(/for 4 heads of keys; the base has 2/);
    expect(refused({}, { layers: 3 })).to.match(/shape \[4, 32\]; the base needs \[4, 48\]/);
  });

  for (const [what, lora] of [
    ['a head over labels', { kind: 'head', labels: ['yes', 'no', '1'] }],
    [
      'a head beside factors',
      { kind: 'lora', rank: 2, alpha: 4, dropout: 0, targets: ['q_proj'], labels: ['a', 'b'] },
    ],
  ] as const)
    it(`reads back ${what}`, () => {
      const adapter = initAdapter(base, lora, { seed: 7 });
      const files = adapterFiles(adapter, { base: { name: 'tiny', revision: null } });
      const written = Object.fromEntries(
        Object.entries(files).map(([name, content]) => [
          `/a/${name}`,
          typeof content === 'string' ? content : concat(content),
        ]),
      );
      const back = readAdapter(memoryHost(written), '/a');
      expect(back.config).to.deep.equal(adapter.config);
      expect([...back.tensors].sort()).to.deep.equal([...adapter.tensors].sort());
      expect(back.tensors.get('score.weight')?.shape).to.deep.equal([
        labelsOf(adapter.config)?.length,
        base.hiddenSize,
      ]);
      checkAdapter(back, base, '/a');
      const fewer = { ...written, '/a/labels.json': '{"id2label":{"0":"a","1":"b","2":"c","3":"d"}}' };
      const wider = readAdapter(memoryHost(fewer), '/a');
      expect(modelError(() => checkAdapter(wider, base, '/a')).detail).to.match(/"score\.weight" has shape/);
      for (const labels of ['{"id2label":{"0":"a","2":"b"}}', '{"id2label":{"0":"a","1":"a"}}', '{}'])
        expect(
          modelError(() => readAdapter(memoryHost({ ...written, '/a/labels.json': labels }), '/a')).detail,
        ).to.match(/"id2label"/);
    });

  it('takes whole module paths and patterns for target names', () => {
    const paths = [...readAdapter(host, folder).tensors.keys()].map((name) => name.replace(/\.lora_.*/, ''));
    for (const target_modules of [paths, '.*_proj']) {
      const { config } = readFactors(variant({ target_modules }), '/a');
      expect(adaptedProjections(base, config)).to.have.length(14);
    }
  });

  it('passes over names that no layer has, and none that one has', () => {
    const all = readFactors(host, folder).config.targets;
    const adapter = readFactors(variant({ target_modules: [...all, 'qkv_proj'] }), '/a');
    checkAdapter(adapter, base, '/a');
    expect(adaptedProjections(base, adapter.config)).to.have.length(14);
    const named = {
      ...adapter,
      tensors: new Map([...adapter.tensors].filter(([name]) => !name.includes('q_proj'))),
    };
    expect(modelError(() => checkAdapter(named, base, '/a')).detail).to.match(/needs a tensor "\S+q_proj/);
  });

  it('takes the layers that have tensors where others are excluded', () => {
    const listed = {
      target_modules: [
        'q_proj',
        'k_proj',
        'v_proj',
        'o_proj',
        'gate_proj',
        'up_proj',
        'down_proj',
        'lm_head',
      ],
    };
    for (const narrowed of [
      { exclude_modules: ['lm_head'] },
      { exclude_modules: 'lm_head' },
      { layers_pattern: ['layers'] },
    ]) {
      const adapter = readFactors(variant({ ...listed, ...narrowed }), '/a');
      expect(adaptedProjections(base, adapter.config)).to.have.length(14);
      checkAdapter(adapter, base, '/a');
    }
  });

  it('takes an empty list of layers for all of them, as PEFT does', () => {
    const adapter = readFactors(variant({ layers_to_transform: [] }), '/a');
    checkAdapter(adapter, base, '/a');
    expect(adaptedProjections(base, adapter.config)).to.have.length(14);
  });

  it('takes an initialisation that leaves the base as it is', () => {
    const eva = { init_lora_weights: 'eva', eva_config: { rho: 2, tau: 0.99 } };
    checkAdapter(readAdapter(variant(eva), '/a'), base, '/a');
  });

  it('reads the head of GPT-NeoX by the name that it had before transformers 5', () => {
    const { config, tensors, base: named } = readFactors(host, folder);
    const files = adapterFiles(
      {
        config: { ...config, modulesToSave: ['embed_out'] },
        tensors: new Map([...tensors, ['embed_out.weight', { shape: [2, 1], data: new Float32Array(2) }]]),
      },
      { base: named },
    );
    const old = memoryHost({
      '/a/adapter_config.json': files['adapter_config.json'] as string,
      '/a/adapter_model.safetensors': concat(files['adapter_model.safetensors'] as Iterable<Uint8Array>),
    });
    const adapter = readFactors(old, '/a');
    expect(adapter.config.modulesToSave).to.deep.equal(['lm_head']);
    expect([...adapter.tensors.keys()]).to.include('lm_head.weight');
  });

  it('passes over the weights of the base that PEFT saves under factors of embedding and head', () => {
    const { config, tensors, base: named } = readFactors(host, folder);
    const outer = { ...config, targets: [...config.targets, 'embed_tokens', 'lm_head'] };
    const added = adapterShapes(base, outer).filter(({ name }) => !tensors.has(name));
    expect(added.map(({ name }) => name)).to.deep.equal([
      'model.embed_tokens.lora_embedding_A',
      'model.embed_tokens.lora_embedding_B',
      'lm_head.lora_A.weight',
      'lm_head.lora_B.weight',
    ]);
    const zeros = (shape: readonly number[]) => ({ shape, data: new Float32Array(sizeOf(shape)) });
    const all = new Map([
      ...tensors,
      ...added.map(({ name, shape }) => [name, zeros(shape)] as const),
      ...['model.embed_tokens', 'lm_head'].map(
        (path) => [`${path}.base_layer.weight`, zeros([2, 2])] as const,
      ),
    ]);
    const files = adapterFiles({ config: outer, tensors: all }, { base: named });
    const saved = memoryHost({
      '/a/adapter_config.json': files['adapter_config.json'] as string,
      '/a/adapter_model.safetensors': concat(files['adapter_model.safetensors'] as Iterable<Uint8Array>),
    });
    const adapter = readFactors(saved, '/a');
    checkAdapter(adapter, base, '/a');
    expect(adapter.tensors.size).to.equal(tensors.size + added.length);
    expect(adapter.config.targets).to.include.members(['embed_tokens', 'lm_head']);
  });

  const invalid: readonly [string, Readonly<Record<string, unknown>>, RegExp][] = [
    ['another method', { peft_type: 'IA3' }, /"peft_type"/],
    ['DoRA without magnitudes', { use_dora: true }, /lora_magnitude_vector" is missing/],
    ['a flag that is none', { use_rslora: 1 }, /"use_rslora"/],
    ['layers that are none', { layers_to_transform: ['first'] }, /"layers_to_transform"/],
    ['a pattern that is none', { alpha_pattern: { '(': 4 } }, /"alpha_pattern"/],
    ['biases that nobody knows', { bias: 'some' }, /"bias"/],
    ['a rank of a pattern that the tensors contradict', { rank_pattern: { q_proj: 4 } }, /rank 4/],
    ['saved modules', { modules_to_save: ['lm_head'] }, /"modules_to_save"/],
    ['an initialisation that changes the base', { init_lora_weights: 'pissa' }, /"init_lora_weights"/],
    ['a feature of the future', { use_magic: 3 }, /"use_magic"/],
    ['a rank of zero', { r: 0 }, /"r"/],
    ['a rank that the tensors contradict', { r: 4 }, /rank 4/],
    ['a dropout of one', { lora_dropout: 1 }, /"lora_dropout"/],
    ['tensors without a target', { target_modules: ['q_proj'] }, /tensors for \S+_proj, which/],
    ['no targets', { target_modules: null }, /"target_modules"/],
    ['a classifier whose labels nothing names', { task_type: 'SEQ_CLS' }, /its labels have no names/],
  ];
  for (const [what, fields, message] of invalid) {
    it(`refuses ${what}`, () => {
      const error = modelError(() => readAdapter(variant(fields), '/a'));
      expect(error.code).to.equal('adapter_invalid');
      expect(error.detail).to.match(message);
    });
  }

  it('refuses values that are not finite, and names file and tensor', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const bytes = Uint8Array.from(weights);
      new DataView(bytes.buffer).setFloat32(bytes.length - 4, value, true);
      const error = modelError(() => readAdapter(variant({}, bytes), '/a'));
      expect(error.code).to.equal('adapter_invalid');
      expect(error.path).to.equal('/a/adapter_model.safetensors');
      expect(error.detail).to.match(
        /^Tensor "base_model\.model\.model\.layers\.\S+" has values that are not finite/,
      );
    }
  });

  it('says what a tensor is of that it cannot take', () => {
    const stray = (name: string, fields = {}) => {
      const tensor = f32Writable(`base_model.model.${name}`, [1], new Float32Array(1));
      return modelError(() => readAdapter(variant(fields, concat(safetensorsChunks([tensor]))), '/a'));
    };
    const layer = stray('model.layers.0.mlp.gate.base_layer.weight');
    expect(layer.detail).to.match(/^It adapts model\.layers\.0\.mlp\.gate, and only/);
    expect(layer.help).to.contain('merge_and_unload');
    expect(stray('transformer.wte.lora_embedding_A').detail).to.match(/does not fit rank/);
    const saved = stray('model.layers.0.mlp.up_proj.weight', { modules_to_save: ['mlp'] });
    expect(saved.detail).to.match(/^"modules_to_save" names mlp, and only/);
    const norm = stray('model.layers.0.input_layernorm.weight', { modules_to_save: ['norm'] });
    expect(norm.detail).to.match(/^"modules_to_save" names norm, and only/);
    expect(stray('lm_head.weight').help).to.contain('save_embedding_layers=False');
    expect(stray('model.layers.0.mlp.up_proj.weight').detail).to.match(/is not a LoRA matrix/);
  });

  it('says how an adapter over changed weights is made one over the base', () => {
    const error = modelError(() => readAdapter(variant({ init_lora_weights: 'olora' }), '/a'));
    expect(error.help).to.contain('path_initial_model_for_weight_conversion');
  });

  it('refuses tensors of a type that is not read when it opens them', () => {
    const text = Buffer.from(weights).toString('latin1').replaceAll('"dtype":"F32"', '"dtype":"I32"');
    const folder = variant({}, Buffer.from(text, 'latin1'));
    expect(modelError(() => openAdapter(folder, '/a')).detail).to.match(
      /is of type I32; weights are read as/,
    );
  });

  it('refuses a folder without weights or config', () => {
    expect(modelError(() => readAdapter(memoryHost({}), '/a')).code).to.equal('model_not_found');
    const only = memoryHost({ '/a/adapter_config.json': JSON.stringify(recorded) });
    expect(modelError(() => readAdapter(only, '/a')).code).to.equal('adapter_invalid');
  });

  it('names both shapes where adapter and base differ', () => {
    const adapter = readAdapter(host, folder);
    const check = (change: object) => modelError(() => checkAdapter(adapter, { ...base, ...change }, folder));
    expect(check({ hiddenSize: 32 })).to.include({ code: 'adapter_mismatch' });
    expect(check({ hiddenSize: 32 }).detail).to.match(/\[3, 16\].*\[3, 32\]/);
    expect(check({ layers: 3 }).detail).to.match(/model\.layers\.2/);
    expect(check({ layers: 1 }).detail).to.match(/model\.layers\.1/);
  });
});
