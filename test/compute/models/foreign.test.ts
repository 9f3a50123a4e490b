/** Models without a graph, as transformers 5.24.0 saved tiny ones: the first block of each is recorded. */
import { expect } from 'chai';
import { targetsOfSet } from '../../../src/compute/models/adapters/branches.js';
import { adapterShapes } from '../../../src/compute/models/adapters/kinds.js';
import {
  expectedTensors,
  expertsOfModel,
  projectionsOfModel,
} from '../../../src/compute/models/architectures/index.js';
import { parseConfig } from '../../../src/compute/models/config/index.js';
import { foreignExperts, requireGraph } from '../../../src/compute/models/foreign.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { modelError } from './errors.js';

type Recorded = Readonly<
  Record<string, { readonly config: object; readonly tensors: Readonly<Record<string, readonly number[]>> }>
>;

describe('models of architectures without a graph', () => {
  const host = nodeHost();
  const recorded = JSON.parse(
    host.readText(`${host.packageFolder}/test/compute/models/foreign.json`),
  ) as Recorded;
  const open = (name: string) => {
    const { config = {}, tensors = {} } = recorded[name] ?? {};
    const shapes = Object.entries(tensors).map(([tensor, shape]) => ({ name: tensor, shape }));
    return parseConfig({ ...config }, `${name}/config.json`, () => shapes);
  };
  const ATTENTION = ['k_proj', 'o_proj', 'q_proj', 'v_proj'];
  const MLP = ['down_proj', 'gate_proj', 'up_proj'];

  // as `python -m ftpc_driver inspect` names them: no expert, no router, nothing that sees
  const linear: Readonly<Record<string, readonly string[]>> = {
    mixtral: ATTENTION,
    qwen3_moe: ATTENTION,
    olmo2: [...ATTENTION, ...MLP],
    gemma3: [...ATTENTION, ...MLP],
    falcon: ['dense', 'dense_4h_to_h', 'dense_h_to_4h', 'query_key_value'],
  };
  for (const [name, targets] of Object.entries(linear))
    it(`gives ${name} the linear layers that transformers has`, () => {
      const found = projectionsOfModel(open(name)).filter(({ layer }) => layer === 0);
      expect(found.map(({ target }) => target).sort()).to.deep.equal([...targets].sort());
      expect([...targetsOfSet(open(name), 'all_linear')].sort()).to.have.length(targets.length);
    });

  it('names the layers of a model that sees as transformers does, not as its file', () => {
    const [first] = projectionsOfModel(open('gemma3'));
    expect(first?.path).to.match(/^model\.language_model\.layers\.0\./);
    expect(open('gemma3')).to.include({ layers: 2, hiddenSize: 32, keyValueHeads: 2 });
  });

  it('tells queries and values from the rest', () => {
    expect([...targetsOfSet(open('olmo2'), 'query_value')].sort()).to.deep.equal(['q_proj', 'v_proj']);
    expect([...targetsOfSet(open('olmo2'), 'attention')].sort()).to.deep.equal(ATTENTION);
    expect(targetsOfSet(open('falcon'), 'query_value')).to.deep.equal(['query_key_value']);
    expect([...targetsOfSet(open('falcon'), 'attention')].sort()).to.deep.equal([
      ...['dense', 'query_key_value'],
    ]);
  });

  it('counts every tensor of the files, and of a token the experts that it is given to', () => {
    const { tensors = {} } = recorded['mixtral'] ?? {};
    expect(expectedTensors(open('mixtral'))).to.have.length(Object.keys(tensors).length);
    expect(open('mixtral')).to.include({ intermediateSize: 2 * 48 });
    expect(open('qwen3_moe')).to.include({ intermediateSize: 2 * 24 });
    expect(open('falcon')).to.include({ intermediateSize: 64 });
  });

  it('has experts as transformers 5 has them in memory', () => {
    const inFirst = (name: string) =>
      expertsOfModel(open(name))
        .filter(({ layer }) => layer === 0)
        .map(({ path, experts, inputs, outputs, transposed }) => [
          path,
          experts,
          inputs,
          outputs,
          transposed,
        ]);
    expect(inFirst('mixtral').sort()).to.deep.equal([
      ['model.layers.0.mlp.experts.down_proj', 4, 48, 32, false],
      ['model.layers.0.mlp.experts.gate_up_proj', 4, 32, 2 * 48, false],
    ]);
    expect(inFirst('qwen3_moe').sort()).to.deep.equal([
      ['model.layers.0.mlp.experts.down_proj', 4, 24, 32, false],
      ['model.layers.0.mlp.experts.gate_up_proj', 4, 32, 2 * 24, false],
    ]);
    expect(inFirst('olmo2')).to.deep.equal([]);
  });

  it('nests factors over experts as PEFT does', () => {
    const lora = { kind: 'lora', rank: 2, alpha: 4, dropout: 0, targets: [] } as const;
    const names = (...parameters: string[]) =>
      adapterShapes(open('mixtral'), { ...lora, parameters })
        .filter(({ name }) => name.includes('layers.0.'))
        .map(({ name, shape }) => `${name.replace('model.layers.0.mlp.', '')} ${shape.join('x')}`);
    expect(names('experts.gate_up_proj').sort()).to.deep.equal([
      'experts.lora_A.weight 8x32',
      'experts.lora_B.weight 96x8',
    ]);
    expect(names('mlp.experts.gate_up_proj', 'experts.down_proj').sort()).to.deep.equal([
      'experts.base_layer.lora_A.weight 8x32',
      'experts.base_layer.lora_B.weight 96x8',
      'experts.lora_A.weight 8x48',
      'experts.lora_B.weight 32x8',
    ]);
  });

  it('knows the experts that no adapter is over', () => {
    const { foreign } = open('mixtral');
    const [{ module, blocks, parameters } = { module: '', blocks: 0, parameters: 0 }, ...more] =
      foreign === undefined ? [] : foreignExperts(foreign);
    expect(more).to.deep.equal([]);
    expect(module).to.match(/(?:^|\.)experts$/);
    // gate, up and down of four experts of the one block that is recorded
    expect([blocks, parameters]).to.deep.equal([1, 4 * 3 * 32 * 48]);
  });

  it('says which engine takes it where a graph is needed', () => {
    const error = modelError(() => requireGraph(open('mixtral')));
    expect(error).to.include({ code: 'model_unsupported', path: 'mixtral/config.json' });
    expect(error.help).to.contain('--engine accelerate').and.contain('transformers 5.24.0');
  });

  it('leaves what transformers has no causal model for as it was', () => {
    for (const config of [
      { model_type: 'whisper', vocab_size: 9 },
      { ...recorded['mixtral']?.config, architectures: ['MixtralForTokenClassification'] },
      { ...recorded['mixtral']?.config, hidden_size: 'wide' },
    ])
      expect(modelError(() => parseConfig({ ...config }, 'config.json')).help).not.to.contain('accelerate');
  });
});
