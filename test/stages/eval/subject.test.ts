import { expect } from 'chai';
import { resolveSubject } from '../../../src/stages/eval/subject.js';
import type { Chosen } from '../../../src/stages/types.js';
import { contextOf, scratch, stageOf, trained } from '../../evaluation/tiny.js';

describe('the base of a trained adapter', () => {
  const place = scratch();
  after(() => place.remove());

  const cases: readonly { trainedPaged: boolean; plannedPaged: boolean | undefined; paged: boolean }[] = [
    { trainedPaged: false, plannedPaged: undefined, paged: false },
    { trainedPaged: true, plannedPaged: undefined, paged: true },
    { trainedPaged: true, plannedPaged: false, paged: true },
    { trainedPaged: false, plannedPaged: true, paged: true },
  ];

  for (const { trainedPaged, plannedPaged, paged } of cases)
    it(`${paged ? 'stays in' : 'leaves'} its files: so in training ${trainedPaged}, in this plan ${plannedPaged}`, () => {
      const train = trained(place.path, 'lora', { paged: trainedPaged });
      const chosen =
        plannedPaged === undefined ? undefined : ({ method: 'lora', paged: plannedPaged } as Chosen);
      const context = contextOf(stageOf('eval', 'quality', {}), [{ ...train, chosen }], place.path);
      const subject = resolveSubject({ stage: 'adapter', port: 'best' }, context);
      expect(subject).to.include({ storage: 'stored', paged });
    });
});
