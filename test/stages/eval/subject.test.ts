import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { resolveSubject } from '../../../src/stages/eval/subject.js';
import type { Chosen } from '../../../src/stages/types.js';
import { contextOf, scratch, stageOf, trained } from '../../evaluation/tiny.js';

type Held = Pick<Chosen, 'paged' | 'decodedOnce'>;

describe('the base of a trained adapter', () => {
  const place = scratch();
  after(() => place.remove());

  /** [how it was trained, how this run would train it, how it is held] */
  const cases: readonly [Held, Held | undefined, Held][] = [
    [{ decodedOnce: true }, undefined, { decodedOnce: true, paged: false }],
    [{ paged: true }, undefined, { decodedOnce: false, paged: true }],
    [{ decodedOnce: true }, { decodedOnce: true }, { decodedOnce: true, paged: false }],
    [{ decodedOnce: true }, {}, { decodedOnce: false, paged: false }],
    [{}, { decodedOnce: true }, { decodedOnce: false, paged: false }],
    [{}, { paged: true }, { decodedOnce: false, paged: true }],
    [{ paged: true }, {}, { decodedOnce: false, paged: true }],
  ];

  for (const [before, now, held] of cases)
    it(`is held as ${JSON.stringify(held)} after ${JSON.stringify(before)}, planned as ${JSON.stringify(now)}`, () => {
      const train = trained(place.path, 'qlora');
      const content = { method: 'qlora', base: 'base', chosen: before };
      writeFileSync(join(train.path, 'training.json'), JSON.stringify(content));
      const chosen = now && ({ method: 'qlora', ...now } as Chosen);
      const stage = stageOf('eval', 'quality', {});
      const context = contextOf(stage, [{ ...train, chosen }], place.path);
      const subject = resolveSubject({ stage: 'adapter', port: 'best' }, context);
      expect(subject).to.include({ storage: 'nf4', ...held });
    });
});
