import { expect } from 'chai';
import type { Call } from '../../../../src/language/ir/program.js';
import { changedFields } from '../../../../src/pipeline/stages/train-plan/fields.js';
import type { RelaxationLimits } from '../../../../src/pipeline/stages/train-plan/freedom.js';
import { ladder, nextExact } from '../../../../src/pipeline/stages/train-plan/ladder.js';
import type { TrainPlan } from '../../../../src/pipeline/stages/train-plan/plan.js';

const LIMITS: RelaxationLimits = {
  preset: 'lora',
  fallback: [],
  global: 16,
  micro: undefined,
  layers: 3,
  fixedRank: false,
  vocabularyShard: 7040,
  offloads: false,
};

const START: TrainPlan = {
  method: 'lora',
  microBatch: 4,
  accumulation: 4,
  maxLength: 64,
  rank: 4,
  alpha: 8,
  checkpointedBlocks: 0,
  logitsChunk: 512,
};

const changes = (limits: Partial<RelaxationLimits> = {}, start = START) => {
  const found = [];
  for (let plan = start; ; ) {
    const next = nextExact(plan, { ...LIMITS, ...limits });
    if (next === undefined) return found;
    found.push(changedFields(plan, next));
    plan = next;
  }
};

describe('a training that ran out of memory', () => {
  it('takes the states of the ladder that cannot change the result, each time half of those that are left', () => {
    expect(changes()).to.deep.equal([
      { logitsChunk: 128 },
      { logitsChunk: 64 },
      { microBatch: 2, accumulation: 8 },
      { microBatch: 1, accumulation: 16 },
      { recomputedAttention: 3, recomputedMlps: 2 },
      { recomputedMlps: 3, checkpointedBlocks: 1 },
      { checkpointedBlocks: 2 },
      { checkpointedBlocks: 3 },
      { vocabularyShard: 7040 },
      { pagedWeights: true },
    ]);
  });

  it('needs few tries where there are many states', () => {
    expect(changes({ layers: 48 }).length).to.be.at.most(16);
  });

  it('decodes in every pass before anything else', () => {
    const start = { ...START, materialised: true };
    expect(changes({}, start)).to.deep.equal([{ materialised: false }, ...changes()]);
  });

  it('offloads what a paged optimiser remembers only where it may', () => {
    const offloaded = changes({ offloads: true }).flatMap(({ offloadedState }) => offloadedState ?? []);
    expect(offloaded).to.deep.equal([0.5, 0.75, 1]);
  });

  it('holds what is trained, and what is in 4 bits', () => {
    for (const method of ['qlora', 'full'] as const) {
      const paged = changes({ preset: method }, { ...START, method }).filter(
        (change) => 'pagedWeights' in change,
      );
      expect(paged).to.deep.equal([]);
    }
  });

  it('keeps a micro batch that the author set, unless the file lets it shrink', () => {
    const shrinks = (limits: Partial<RelaxationLimits>) =>
      changes(limits).some((change) => 'microBatch' in change);
    expect(shrinks({ micro: 4 })).to.equal(false);
    expect(shrinks({ micro: 4, fallback: [{ call: 'smaller_micro_batch', args: {} }] })).to.equal(true);
  });

  it('takes nothing that changes the result, even where the file lists it', () => {
    const fallback: readonly Call[] = [
      { call: 'qlora', args: {} },
      { call: 'shorten', args: { min: 8 } },
      { call: 'lower_rank', args: { min: 1 } },
    ];
    expect(changes({ fallback, preset: undefined })).to.deep.equal(changes());
  });
});

describe('the ladder', () => {
  const names = (limits: Partial<RelaxationLimits>) =>
    ladder({ ...LIMITS, ...limits }).map(({ name }) => name);
  const listed = (...calls: readonly string[]) => calls.map((call) => ({ call, args: {} }));

  it('goes from what costs time to what changes the training, and keeps the order of the file', () => {
    const time = ['decode_each_pass', 'smaller_logits_chunk'];
    expect(names({ preset: undefined, offloads: true })).to.deep.equal([
      ...time,
      ...['offload_state', 'smaller_micro_batch', 'checkpointing'],
      ...['vocabulary_shards', 'qlora', 'paged_weights'],
    ]);
    expect(names({ fallback: listed('lower_rank', 'smaller_micro_batch') })).to.deep.equal([
      ...[...time, 'checkpointing', 'vocabulary_shards', 'paged_weights'],
      ...['lower_rank', 'smaller_micro_batch'],
    ]);
    expect(names({ fallback: listed('checkpointing', 'smaller_micro_batch', 'shorten') })).to.deep.equal([
      ...[...time, 'checkpointing', 'smaller_micro_batch'],
      ...['vocabulary_shards', 'paged_weights', 'shorten'],
    ]);
  });
});
