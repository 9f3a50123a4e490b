import { expect } from 'chai';
import {
  hasManySystems,
  type RowPrompt,
  readTrainingPrompt,
  systemOf,
  trainingPromptText,
  withSystem,
} from '../../../src/compute/models/training-prompt.js';
import { ModelError } from '../../../src/compute/models/types.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const prompt = (...texts: readonly (string | null)[]): RowPrompt => ({
  style: 'chat',
  template: null,
  systems: texts.map((text) => ({ text, rows: 3 })),
  otherRows: 0,
  stop: ['<|im_end|>'],
});

describe('the prompt of training', () => {
  it('is read as it was written, and unknown where no file says it', () => {
    const host = overlayHost('/m', { 'training_prompt.json': trainingPromptText(prompt('s')) });
    expect(readTrainingPrompt(host, '/m')).to.deep.equal(prompt('s'));
    expect(readTrainingPrompt(host, '/m/other')).to.equal(undefined);
    const earlier = trainingPromptText({ ...prompt('s'), template: 'that of the base' });
    const before = overlayHost('/m', { 'training_prompt.json': earlier });
    expect(readTrainingPrompt(before, '/m')).to.deep.equal(prompt('s'));
  });

  it('is an error of the model where it is damaged', () => {
    for (const text of [
      '{',
      '[]',
      '{"version":1}',
      trainingPromptText(prompt('s')).replace('"chat"', '"song"'),
    ]) {
      const host = overlayHost('/m', { 'training_prompt.json': text });
      expect(() => readTrainingPrompt(host, '/m'), text).to.throw(ModelError);
    }
  });

  it('has a system prompt only where all rows had the same', () => {
    const many = { ...prompt('s'), otherRows: 2 };
    expect(
      [prompt('s'), prompt(null), prompt('s', 't'), prompt('s', null), many, undefined].map(systemOf),
    ).to.deep.equal(['s', undefined, undefined, undefined, undefined, undefined]);
    expect([prompt('s'), prompt(null), prompt('s', null), many].map(hasManySystems)).to.deep.equal([
      false,
      false,
      true,
      true,
    ]);
  });

  it('leaves messages alone that begin with a system message', () => {
    const user = { role: 'user', content: 'q' } as const;
    const system = { role: 'system', content: 'own' } as const;
    expect(withSystem([system, user], 's')).to.deep.equal([system, user]);
    expect(withSystem([user], 's')).to.deep.equal([{ role: 'system', content: 's' }, user]);
    expect(withSystem([user], undefined)).to.deep.equal([user]);
  });
});
