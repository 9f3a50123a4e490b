/** Shapes that come with the program: each against its published count, and one per architecture against transformers. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { type NamedShape, projectionsOfModel } from '../../../../src/compute/models/architectures/index.js';
import { parseConfig } from '../../../../src/compute/models/config/index.js';
import { foreignTensors } from '../../../../src/compute/models/foreign.js';
import { moduleNames } from '../../../../src/compute/models/module-names.js';
import { knownModels, knownShape } from '../../../../src/compute/models/shapes/known.js';
import { tensorsOfConfig } from '../../../../src/compute/models/shapes/tensors.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

interface Digest {
  readonly tensors: number;
  readonly sha256: string;
}

interface Recorded {
  /** Of every model, how many numbers its weights have. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly models: Readonly<
    Record<string, Digest & { readonly linear: readonly string[]; readonly inMemory?: Digest }>
  >;
}

describe('shapes of well-known models', () => {
  const host = nodeHost();
  const shapeOf = (id: string) => {
    const shape = knownShape(host, id);
    if (shape === undefined) throw new Error(`no shape of ${id}`);
    return shape;
  };
  const tensorsOf = (id: string) => tensorsOfConfig(shapeOf(id).config, id) ?? [];

  it('are at least 40, each with where it is from', () => {
    expect(knownModels(host).length).to.be.at.least(40);
    for (const id of knownModels(host)) expect(shapeOf(id).source, id).to.match(/\w/);
  });

  it('have as many parameters as published', () => {
    const counted = knownModels(host).map((id) => [
      id,
      tensorsOf(id).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    ]);
    const published = knownModels(host).map((id) => [id, shapeOf(id).parameters]);
    expect(counted).to.deep.equal(published);
  });

  const { models, parameters } = JSON.parse(
    host.readText(`${host.packageFolder}/test/fixtures/shapes/tensors.json`),
  ) as Recorded;
  const digestOf = (all: readonly NamedShape[]): Digest => {
    const lines = all.map(({ name, shape }) => `${name} ${shape.join('x')}`);
    return {
      tensors: lines.length,
      sha256: createHash('sha256').update(lines.sort().join('\n')).digest('hex'),
    };
  };
  it('have as many parameters as transformers makes of their configs', () => {
    const listed = knownModels(host).map((id) => [id, shapeOf(id).parameters]);
    expect(parameters).to.deep.equal(Object.fromEntries(listed));
  });

  for (const [id, { tensors, sha256, linear, inMemory }] of Object.entries(models)) {
    it(`of ${id}: names and shapes are those of transformers`, () => {
      const all = tensorsOf(id);
      const nameOf =
        inMemory === undefined ? moduleNames(all.map(({ name }) => name)) : (name: string) => name;
      const named = all.map(({ name, shape }) => ({ name: nameOf(name), shape }));
      expect(digestOf(named)).to.deep.equal({ tensors, sha256 });
    });

    if (inMemory !== undefined)
      it(`of ${id}: the text part is what transformers trains`, () => {
        const { foreign } = parseConfig(shapeOf(id).config, id, () => tensorsOf(id));
        expect(digestOf(foreign === undefined ? [] : foreignTensors(foreign))).to.deep.equal(inMemory);
      });

    it(`of ${id}: linear layers are those of transformers`, () => {
      const config = parseConfig(shapeOf(id).config, id, () => tensorsOf(id));
      const found = new Set(projectionsOfModel(config).map(({ module }) => module));
      expect([...found].sort()).to.deep.equal(linear);
    });
  }

  describe('are found by names of copies', () => {
    const same: Readonly<Record<string, string>> = {
      'meta-llama/Llama-3.1-70B-Instruct': 'meta-llama/Llama-3.1-70B',
      'unsloth/Meta-Llama-3.1-8B-Instruct': 'meta-llama/Llama-3.1-8B',
      'unsloth/llama-3-8b-bnb-4bit': 'meta-llama/Meta-Llama-3-8B',
      'NousResearch/Llama-2-7b-chat-hf': 'meta-llama/Llama-2-7b-hf',
      'unsloth/mistral-7b-instruct-v0.3-bnb-4bit': 'mistralai/Mistral-7B-v0.3',
      'google/gemma-2-9b-it': 'google/gemma-2-9b',
      'QWEN/qwen3-8b-base': 'Qwen/Qwen3-8B',
      'unsloth/Llama-4-Scout-17B-16E-Instruct': 'meta-llama/Llama-4-Scout-17B-16E',
      'unsloth/Qwen3-Next-80B-A3B-Instruct': 'Qwen/Qwen3-Next-80B-A3B-Instruct',
      gpt2: 'openai-community/gpt2',
    };
    for (const [name, id] of Object.entries(same))
      it(name, () => {
        expect(shapeOf(name).id).to.equal(id);
      });

    it('and with what is their own', () => {
      expect(shapeOf('Qwen/Qwen2.5-7B').config['max_position_embeddings']).to.equal(131_072);
      expect(shapeOf('unsloth/Qwen2.5-7B-Instruct').config['max_position_embeddings']).to.equal(32_768);
      expect(shapeOf('unsloth/Qwen2.5-7B-bnb-4bit').isQuantised).to.equal(true);
      expect(shapeOf('unsloth/Qwen2.5-7B').isQuantised).to.equal(false);
    });

    // another quantisation, another organisation, fused projections taken apart, no model at all
    for (const name of [
      'Qwen/Qwen2.5-7B-Instruct-AWQ',
      'somebody/Llama-3.1-8B',
      'unsloth/Phi-3-mini-4k-instruct',
      'codellama/CodeLlama-7b-Python-hf',
      '__proto__',
      'constructor/toString',
    ])
      it(`and not where that is not certain: ${name}`, () => {
        expect(knownShape(host, name)).to.equal(undefined);
      });
  });

  it('are not known of a config of another architecture', () => {
    const mamba = { model_type: 'mamba', hidden_size: 64, num_hidden_layers: 2, vocab_size: 96 };
    const config = { ...mamba, num_attention_heads: 4, architectures: ['MambaForCausalLM'] };
    expect(tensorsOfConfig(config, 'config.json')).to.equal(undefined);
  });
});
