/** What a search reads of a training that has stopped at a rung. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freshState } from '../../../src/compute/training/state.js';
import { validationLosses } from '../../../src/pipeline/run/validation-losses.js';
import { freshFolder } from './worlds.js';

describe('validation losses of a training that goes on', () => {
  for (const [engine, place] of [
    ['the embedded engine', '.'],
    ['ranks', 'checkpoints'],
  ] as const)
    it(`are in the newest checkpoint of ${engine}`, () => {
      const work = freshFolder();
      const write = (step: number, validations: readonly object[]): void => {
        const folder = join(work, place, `step-${String(step).padStart(6, '0')}`);
        mkdirSync(folder, { recursive: true });
        const state = { ...freshState(), step, checked: step, validations };
        writeFileSync(join(folder, 'state.json'), JSON.stringify({ version: 1, digest: 'key', state }));
      };
      const [first, second] = [
        { step: 2, loss: 1.5 },
        { step: 4, loss: 1.25 },
      ] as const;
      write(2, [first]);
      write(4, [first, second]);
      const store = { find: () => undefined, workPath: () => work };
      expect([...validationLosses(store, 'key')]).to.deep.equal([
        [2, 1.5],
        [4, 1.25],
      ]);
    });

  it('are none before the first checkpoint', () => {
    const store = { find: () => undefined, workPath: () => join(freshFolder(), 'none') };
    expect(validationLosses(store, 'key').size).to.equal(0);
  });
});
