import { expect } from 'chai';
import { openAnyModel } from '../../../src/compute/models/any-model.js';
import { modelError } from './errors.js';
import { memoryHost } from './memory-host.js';

const CONFIG = {
  ...{ model_type: 'mamba', architectures: ['MambaForCausalLM'], vocab_size: 50, bos_token_id: 3 },
  ...{ eos_token_id: [4, 5], pad_token_id: 6 },
};
const open = (config: object, more: Readonly<Record<string, string>> = {}) =>
  openAnyModel(memoryHost({ '/m/config.json': JSON.stringify(config), ...more }), '/m');

describe('a model of any architecture', () => {
  it('says what plans and evaluation need, without a graph', () => {
    const { facts, known } = open(CONFIG);
    expect(known).to.equal(undefined);
    expect(facts).to.include({ vocabSize: 50, bosTokenId: 3, padTokenId: 6 });
    expect(facts.eosTokenIds).to.deep.equal([4, 5]);
  });

  it('reads the text part of a model that also sees', () => {
    const { facts } = open({
      ...{ model_type: 'llava', architectures: ['LlavaForConditionalGeneration'] },
      text_config: { vocab_size: 60, max_position_embeddings: 77 },
    });
    expect(facts).to.include({ vocabSize: 60, maxPositions: 77, padTokenId: null });
  });

  it('takes the ids that end an answer from the config of generation', () => {
    const generation = { '/m/generation_config.json': JSON.stringify({ eos_token_id: 7 }) };
    expect(open(CONFIG, generation).facts.eosTokenIds).to.deep.equal([7]);
  });

  it('names the labels of a classifier', () => {
    const { facts } = open({
      ...{ ...CONFIG, architectures: ['MambaForSequenceClassification'] },
      id2label: { 0: 'no', 1: 'yes' },
    });
    expect(facts.labels).to.deep.equal(['no', 'yes']);
  });

  it('refuses a config that says nothing of a model', () => {
    expect(modelError(() => open({ model_type: 'mamba' })).code).to.equal('model_config');
  });

  it('refuses a GGUF file of an architecture that only its own config could tell of', () => {
    const host = memoryHost({ '/m/model.gguf': 'GGUF' });
    expect(modelError(() => openAnyModel(host, '/m/model.gguf')).path).to.equal('/m/model.gguf');
  });
});
