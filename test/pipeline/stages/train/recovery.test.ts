import { expect } from 'chai';
import type { TrainPlan } from '../../../../src/language/schemas/types.js';
import { recover } from '../../../../src/pipeline/stages/train/recovery.js';
import { CHOSEN } from './world.js';

describe('recovery', () => {
  const optimizer = { call: 'adamw8bit', args: {} };
  const settings = { batch: { global: 16, micro: undefined, packing: false }, fallback: [], optimizer };
  const start: TrainPlan = { ...CHOSEN, microBatch: 4, accumulation: 4, logitsChunk: 64 };

  const config = { layers: 3, vocabSize: 49_152, hiddenSize: 576, labels: undefined };

  const all = (given: Parameters<typeof recover>[1]) => {
    const changes = [];
    for (
      let next = recover(start, given, config);
      next !== undefined;
      next = recover(next.chosen, given, config)
    ) {
      changes.push(next.change);
    }
    return changes;
  };

  it('halves the micro batch, then recomputes more blocks, then takes fewer tokens and entries at the head, then leaves the base in its files', () => {
    expect(all(settings)).to.deep.equal([
      { microBatch: 2, accumulation: 8 },
      { microBatch: 1, accumulation: 16 },
      { recomputedAttention: 3 },
      { recomputedMlps: 3 },
      { checkpointedBlocks: 1 },
      { checkpointedBlocks: 2 },
      { checkpointedBlocks: 3 },
      { logitsChunk: 32 },
      { logitsChunk: 16 },
      { vocabularyShard: 7040 },
      { pagedWeights: true },
    ]);
  });

  it('first puts what a paged optimiser remembers into its file', () => {
    const paged = { ...settings, optimizer: { ...optimizer, args: { paged: true } } };
    expect(all(paged)).to.deep.equal([{ offloadedState: 1 }, ...all(settings)]);
  });

  it('first of all decodes in every pass', () => {
    expect(recover({ ...start, materialised: true }, settings, config)?.change).to.deep.equal({
      materialised: false,
    });
  });

  it('holds what is trained, and what is in 4 bits', () => {
    const least = { ...start, microBatch: 1, checkpointedBlocks: 3, logitsChunk: 16, vocabularyShard: 7040 };
    for (const method of ['qlora', 'full'] as const)
      expect(recover({ ...least, method }, settings, config)).to.equal(undefined);
  });

  it('keeps a micro batch that the author set, unless the file lets it shrink', () => {
    const set = { ...settings, batch: { global: 16, micro: 4, packing: false } };
    expect(all(set)[0]).to.deep.equal({ recomputedAttention: 3 });
    const listed = { ...set, fallback: [{ call: 'smaller_micro_batch', args: {} }] };
    expect(all(listed)[0]).to.deep.equal({ microBatch: 2, accumulation: 8 });
  });
});
