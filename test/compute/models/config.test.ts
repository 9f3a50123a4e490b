import { expect } from 'chai';
import { readConfig } from '../../../src/compute/models/config/index.js';
import { configText } from '../../../src/compute/models/config/shape.js';
import { requireGraph } from '../../../src/compute/models/foreign.js';
import { modelError } from './errors.js';
import { memoryHost } from './memory-host.js';

const BASE = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  vocab_size: 100,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  bos_token_id: 1,
  eos_token_id: 2,
};

function read(fields: object, generation?: object) {
  const files: Record<string, string> = { '/m/config.json': JSON.stringify({ ...BASE, ...fields }) };
  if (generation !== undefined) files['/m/generation_config.json'] = JSON.stringify(generation);
  return readConfig(memoryHost(files), '/m');
}

describe('config.json', () => {
  it('reads the form of transformers 4', () => {
    const config = read({
      rope_theta: 100_000,
      rope_scaling: null,
      torch_dtype: 'bfloat16',
      tie_word_embeddings: true,
    });
    expect(config).to.deep.equal({
      architecture: 'llama',
      vocabSize: 100,
      hiddenSize: 32,
      intermediateSize: 64,
      layers: 2,
      heads: 4,
      keyValueHeads: 2,
      headDim: 8,
      maxPositions: 128,
      ropeTheta: 100_000,
      normEpsilon: 1e-5,
      tieEmbeddings: true,
      bosTokenId: 1,
      eosTokenIds: [2],
      padTokenId: null,
    });
  });

  it('reads the form of transformers 5', () => {
    const rope = { rope_theta: 5e5, rope_type: 'default' };
    const config = read({
      rope_parameters: rope,
      dtype: 'float32',
      head_dim: 16,
      eos_token_id: [2, 3],
      pad_token_id: 0,
    });
    expect(config).to.include({ ropeTheta: 5e5, headDim: 16, padTokenId: 0 });
    expect(config.eosTokenIds).to.deep.equal([2, 3]);
  });

  it('fills in what a file may leave out', () => {
    const config = read({ num_key_value_heads: undefined, bos_token_id: undefined, eos_token_id: null });
    expect(config).to.include({
      keyValueHeads: 4,
      ropeTheta: 10_000,
      bosTokenId: null,
      tieEmbeddings: false,
    });
    expect(config.eosTokenIds).to.deep.equal([]);
  });

  it('takes the end-of-text ids of generation_config.json', () => {
    expect(read({}, { eos_token_id: [7, 8] }).eosTokenIds).to.deep.equal([7, 8]);
    expect(read({}, {}).eosTokenIds).to.deep.equal([2]);
  });

  it('reads the labels of a classifier', () => {
    const classifier = { architectures: ['LlamaForSequenceClassification'] };
    expect(read(classifier).labels).to.deep.equal(['LABEL_0', 'LABEL_1']);
    expect(read({ ...classifier, id2label: { 0: 'no', 1: 'yes' } }).labels).to.deep.equal(['no', 'yes']);
    expect(read({ id2label: { 0: 'no', 1: 'yes' } }).labels).to.equal(undefined);
    const twice = modelError(() => read({ ...classifier, id2label: { 0: 'no', 1: 'no' } }));
    expect(twice.code).to.equal('model_config');
    expect(twice.detail).to.contain('"id2label"');
  });

  const unsupported: readonly [string, object][] = [
    ['model_type', { model_type: 'bert' }],
    ['model_type', { model_type: 7 }],
    ['architectures', { architectures: ['LlamaForTokenClassification'] }],
    ['problem_type', { architectures: ['LlamaForSequenceClassification'], problem_type: 'regression' }],
    ['architectures', { model_type: 'qwen2' }],
    ['hidden_act', { hidden_act: 'gelu' }],
    ['rope_scaling', { rope_scaling: { rope_type: 'proportional', factor: 8 } }],
    ['rope_parameters', { rope_parameters: { rope_type: 'axial', rope_theta: 1e4 } }],
    ['quantization_config', { quantization_config: { bits: 4 } }],
  ];
  for (const [field, fields] of unsupported) {
    it(`names ${field} of a model of another kind: ${JSON.stringify(fields)}`, () => {
      const error = modelError(() => requireGraph(read(fields)));
      expect(error).to.include({ code: 'model_unsupported', path: '/m/config.json' });
      expect(error.detail).to.contain(`"${field}"`);
      expect(error.help).to.match(/^For a model of this kind, /);
    });
  }

  const llama3 = { rope_type: 'llama3', factor: 8, original_max_position_embeddings: 64 };
  const impossible: readonly [string, object][] = [
    ['rms_norm_eps', { rms_norm_eps: 1e300 }],
    ['rms_norm_eps', { rms_norm_eps: 1e-300 }],
    ['rope_theta', { rope_theta: 1e39 }],
    ['high_freq_factor', { rope_scaling: { ...llama3, low_freq_factor: 4, high_freq_factor: 4 } }],
  ];
  for (const [field, fields] of impossible)
    it(`names ${field} that nothing can be computed with: ${JSON.stringify(fields)}`, () => {
      const error = modelError(() => requireGraph(read(fields)));
      expect(error).to.include({ code: 'model_config', path: '/m/config.json' });
      expect(error.detail).to.contain(`"${field}"`);
    });

  it('reads what families of models add, as transformers 4 and 5 write it', () => {
    const options = {
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    };
    const scaling = { type: 'llama3', factor: 8, lowFactor: 1, highFactor: 4, originalPositions: 64 };
    expect(read({ rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...options } })).to.deep.include({
      ropeTheta: 5e5,
      ropeScaling: scaling,
    });
    expect(read({ rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...options } })).to.deep.include({
      ropeTheta: 5e5,
      ropeScaling: scaling,
    });
    const gemma = { model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'], sliding_window: 8 };
    const rope = {
      rope_theta: 1e6,
      rope_local_base_freq: 2e4,
      rope_scaling: { rope_type: 'linear', factor: 8 },
    };
    expect(read({ ...gemma, ...rope, sliding_window_pattern: 2 })).to.deep.include({
      ropeTheta: 1e6,
      localRopeTheta: 2e4,
      ropeScaling: { type: 'linear', factor: 8 },
      layerTypes: ['sliding', 'full'],
      tieEmbeddings: true,
    });
    const kinds = { full_attention: { rope_theta: 3e6 }, sliding_attention: { rope_theta: 3e4 } };
    expect(read({ ...gemma, rope_parameters: kinds })).to.include({ ropeTheta: 3e6, localRopeTheta: 3e4 });
    const neox = { model_type: 'gpt_neox', architectures: ['GPTNeoXForCausalLM'], num_key_value_heads: 4 };
    expect(read({ ...neox, hidden_act: 'gelu', rotary_pct: 0.5, rotary_emb_base: 5e4 })).to.include({
      ropeShare: 0.5,
      ropeTheta: 5e4,
      normEpsilon: 1e-5,
      parallel: true,
    });
  });

  it('takes rotary positions where transformers takes them', () => {
    const both = { rope_scaling: { type: 'linear', factor: 3 }, rope_parameters: { rope_type: 'default' } };
    expect(read(both).ropeScaling).to.deep.equal({ type: 'linear', factor: 3 });
    expect(read({ rope_scaling: { type: 'dynamic', factor: 3 } }).ropeScaling).to.equal(undefined);
    expect(read({ partial_rotary_factor: 0.5 }).ropeShare).to.equal(undefined);
    const long = { rope_type: 'longrope', short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2] };
    const phi3 = { model_type: 'phi3', architectures: ['Phi3ForCausalLM'] };
    for (const rope_type of ['su', 'yarn'])
      expect(read({ ...phi3, rope_scaling: { ...long, rope_type } }).ropeScaling?.type).to.equal('longrope');
    expect(read({ rope_scaling: { ...long, factor: 1 } }).ropeScaling).to.include({ attentionFactor: 1 });
  });

  it('refuses rotary positions that it would compute otherwise', () => {
    const scaled = { rope_type: 'linear', factor: 2 };
    const gemma = { model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'], sliding_window: 8 };
    for (const [field, fields] of [
      ['partial_rotary_factor', { partial_rotary_factor: 0.5, rope_scaling: scaled }],
      ['rope_parameters', { ...gemma, rope_parameters: { full_attention: {}, sliding_attention: scaled } }],
    ] as const) {
      const error = modelError(() => requireGraph(read(fields)));
      expect(error.code).to.equal('model_unsupported');
      expect(error.detail).to.contain(`"${field}"`);
    }
  });

  it('is written with whole numbers as decimals where transformers takes nothing else', () => {
    const fields = {
      final_logit_softcapping: 30,
      rope_scaling: { factor: 8 },
      vocab_size: 30,
      note: '\n"factor": 8',
    };
    const text = configText(fields);
    expect(JSON.parse(text)).to.deep.equal(fields);
    expect(text.match(/^ *"(\w+)": 8?3?0?\.0,?$/gm)).to.deep.equal([
      '  "final_logit_softcapping": 30.0,',
      '    "factor": 8.0',
    ]);
  });

  const wrong: readonly [string, object][] = [
    ['vocab_size', { vocab_size: 0 }],
    ['vocab_size', { vocab_size: '100' }],
    ['hidden_size', { hidden_size: 30 }],
    ['num_hidden_layers', { num_hidden_layers: 1.5 }],
    ['num_hidden_layers', { num_hidden_layers: 2_000_000_000 }],
    ['num_attention_heads', { num_key_value_heads: 3 }],
    ['head_dim', { head_dim: 7 }],
    ['intermediate_size', { intermediate_size: null }],
    ['rms_norm_eps', { rms_norm_eps: 0 }],
    ['rope_theta', { rope_theta: 'big' }],
    ['rope_scaling', { rope_scaling: 'linear' }],
    ['factor', { rope_scaling: { type: 'linear', factor: 0 } }],
    ['low_freq_factor', { rope_scaling: { rope_type: 'llama3', factor: 8 } }],
    ['short_factor', { rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } }],
    ['partial_rotary_factor', { rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 2 } }],
    ['attention_bias', { attention_bias: 1 }],
    ['tie_word_embeddings', { tie_word_embeddings: 'yes' }],
    ['eos_token_id', { eos_token_id: 'eos' }],
  ];
  for (const [field, fields] of wrong) {
    it(`names ${field} where it makes no sense: ${JSON.stringify(fields)}`, () => {
      const error = modelError(() => requireGraph(read(fields)));
      expect(error.code).to.equal('model_config');
      expect(error.detail).to.contain(`"${field}"`);
    });
  }

  it('refuses what is no JSON object', () => {
    for (const text of ['', '{', '[]', '3']) {
      const host = memoryHost({ '/m/config.json': text });
      expect(modelError(() => readConfig(host, '/m')).code).to.equal('model_config');
    }
  });

  it('refuses what is no UTF-8 instead of losing letters', () => {
    const bytes = Buffer.from(JSON.stringify({ ...BASE, name: 'Größe' }), 'latin1');
    const error = modelError(() => readConfig(memoryHost({ '/m/config.json': bytes }), '/m'));
    expect(error).to.include({ code: 'model_config', path: '/m/config.json' });
    expect(error.detail).to.contain('UTF-8');
  });

  it('says that a folder is no file', () => {
    const host = { ...memoryHost({}), stat: () => ({ size: 4096, isFolder: true, modified: 0 }) };
    expect(modelError(() => readConfig(host, '/m')).detail).to.contain('folder');
  });
});
