/** Merges into bases of any architecture: which tensors of files an adapter's names are for. */
import { expect } from 'chai';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import type { Adapter, WeightStore } from '../../../../src/compute/models/types.js';
import { float32Tensor, weightStore } from '../../../../src/compute/models/weights/stored-tensor.js';
import { namedMerge } from '../../../../src/compute/packaging/merge/plan.js';
import { modelError } from '../../models/errors.js';

const zeros = (shape: readonly number[]): Float32Array =>
  new Float32Array(shape.reduce((product, size) => product * size, 1));
const store = (shapes: Readonly<Record<string, readonly number[]>>): WeightStore =>
  weightStore(
    'test',
    Object.entries(shapes).map(([name, shape]) => float32Tensor(name, shape, zeros(shape))),
  );

const LORA: LoraConfig = { kind: 'lora', rank: 2, alpha: 4, dropout: 0, targets: ['q'] };
const adapter = (
  shapes: Readonly<Record<string, readonly number[]>>,
  config: Adapter['config'] = LORA,
): Adapter => ({
  config,
  tensors: new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape, data: zeros(shape) }])),
});
/** Factors of a layer from 3 to 5 numbers. */
const factors = (module: string) => ({
  [`${module}.lora_A.weight`]: [2, 3],
  [`${module}.lora_B.weight`]: [5, 2],
});

describe('a merge by the names of an adapter', () => {
  const projections = (base: WeightStore, of: Adapter) => [...namedMerge(of, base, 'here').projections];

  it('finds the weights of the layers that it has factors for', () => {
    const base = store({ 'model.layers.0.q.weight': [5, 3], 'model.layers.0.k.weight': [5, 3] });
    const [[name, found] = ['', undefined], ...more] = projections(
      base,
      adapter(factors('model.layers.0.q')),
    );
    expect([name, more.length]).to.deep.equal(['model.layers.0.q.weight', 0]);
    expect(found).to.include({ inputs: 3, outputs: 5, transposed: false });
  });

  it('knows weights that are stored the other way round', () => {
    const base = store({ 'h.0.c_attn.weight': [3, 5] });
    expect(projections(base, adapter(factors('h.0.c_attn')))[0]?.[1].transposed).to.equal(true);
  });

  it('finds them under the names of the files of a model that sees', () => {
    const base = store({ 'language_model.model.layers.0.q.weight': [5, 3], 'vision_tower.q.weight': [5, 3] });
    for (const module of ['model.language_model.layers.0.q', 'language_model.model.layers.0.q'])
      expect(projections(base, adapter(factors(module)))[0]?.[0], module).to.equal(
        'language_model.model.layers.0.q.weight',
      );
  });

  it('refuses a layer that the base lacks, and factors that do not fit', () => {
    const base = store({ 'model.layers.0.q.weight': [4, 3] });
    const refused = (module: string) =>
      modelError(() => namedMerge(adapter(factors(module)), base, 'here')).detail;
    expect(refused('model.layers.1.q')).to.contain('model.layers.1.q, which no tensor of the base is for');
    expect(refused('model.layers.0.q')).to.contain('whose weight has shape [4, 3]');
  });

  it('unties the head of a base whose embedding was trained whole', () => {
    const base = store({ 'model.embed_tokens.weight': [4, 2], 'model.layers.0.q.weight': [5, 3] });
    const plan = namedMerge(adapter({ 'model.embed_tokens.weight': [4, 2] }), base, 'here');
    expect(plan.untied).to.equal(true);
    expect([...plan.whole.keys()]).to.deep.equal(['model.embed_tokens.weight', 'lm_head.weight']);
  });

  it('gives a tied head weights of its own where factors are over it or over the embedding', () => {
    const base = store({ 'model.embed_tokens.weight': [5, 3], 'model.layers.0.q.weight': [5, 3] });
    const head = namedMerge(adapter(factors('lm_head')), base, 'here');
    expect(head.untied).to.equal(true);
    expect([...head.projections.keys()]).to.deep.equal(['lm_head.weight']);
    expect(head.whole.get('lm_head.weight')?.name).to.equal('model.embed_tokens.weight');
    const embedding = {
      'model.embed_tokens.lora_embedding_A': [2, 5],
      'model.embed_tokens.lora_embedding_B': [3, 2],
    };
    const plan = namedMerge(adapter(embedding), base, 'here');
    expect([plan.untied, ...plan.projections.keys()]).to.deep.equal([true, 'model.embed_tokens.weight']);
    expect([...plan.whole.keys()]).to.deep.equal(['lm_head.weight']);
    const untied = store({ 'model.embed_tokens.weight': [5, 3], 'lm_head.weight': [5, 3] });
    const both = namedMerge(adapter({ ...factors('lm_head'), ...embedding }), untied, 'here');
    expect(both.untied).to.equal(false);
    expect([...both.projections.keys()]).to.deep.equal(['lm_head.weight', 'model.embed_tokens.weight']);
  });

  it('leaves the head out where labels take its place', () => {
    const base = store({ 'model.embed_tokens.weight': [4, 2], 'lm_head.weight': [4, 2] });
    const head = adapter({ 'score.weight': [2, 2] }, { kind: 'head', labels: ['no', 'yes'] });
    const plan = namedMerge(head, base, 'here');
    expect(plan).to.include({ unread: 'lm_head.weight', untied: false });
    expect([...plan.whole.keys()]).to.deep.equal(['score.weight']);
  });
});
