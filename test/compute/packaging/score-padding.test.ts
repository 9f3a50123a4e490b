import { expect } from 'chai';
import { paddingOf } from '../../../src/compute/packaging/score-padding.js';

const file = (name: string, json: object) => ({ name, read: () => JSON.stringify(json) });

const TOKENIZER = file('tokenizer.json', {
  added_tokens: [
    { id: 2, content: '<end>', special: true },
    { id: 5, content: 'a word', special: false },
    { id: 7, content: '<unused>', special: true },
  ],
});
const SETTINGS = file('tokenizer_config.json', { pad_token: '<end>', eos_token: '<end>' });

const model = (padTokenId: number | null, companions = [TOKENIZER, SETTINGS]) => ({
  facts: { padTokenId, eosTokenIds: [2] },
  companions: () => companions,
});

describe('what pads the texts of a reward model', () => {
  it('is no token that ends an answer: config and tokenizer name another special one', () => {
    for (const padTokenId of [2, null]) {
      const padding = paddingOf(model(padTokenId), ['reward']);
      expect(padding.id).to.equal(7);
      expect(JSON.parse(String(padding.of(SETTINGS)))).to.deep.equal({
        pad_token: '<unused>',
        eos_token: '<end>',
      });
      expect(padding.of(TOKENIZER)).to.equal(TOKENIZER.read());
    }
  });

  it('is as it was where it ends none, where labels are classes, and where the tokenizer has no other', () => {
    for (const [given, labels, id] of [
      [model(5), ['reward'], 5],
      [model(2), ['yes', 'no'], 2],
      [model(2), undefined, 2],
      [model(2, [file('tokenizer.json', { added_tokens: [] }), SETTINGS]), ['reward'], 2],
    ] as const) {
      const padding = paddingOf(given, labels);
      expect(padding.id).to.equal(id);
      expect(padding.of(SETTINGS)).to.equal(SETTINGS.read());
    }
  });
});
