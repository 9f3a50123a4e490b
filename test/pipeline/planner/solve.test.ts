import { expect } from 'chai';
import type { ModelConfig } from '../../../src/compute/models/types.js';
import type { Call } from '../../../src/language/ir/program.js';
import { peakOf } from '../../../src/pipeline/planner/memory/peaks.js';
import { type Solution, solve } from '../../../src/pipeline/planner/solve/solve.js';
import { fastestPlan } from '../../../src/pipeline/planner/solve/start.js';
import { ladder } from '../../../src/pipeline/stages/train-plan/ladder.js';
import { divisors, type TrainPlan } from '../../../src/pipeline/stages/train-plan/plan.js';

const CONFIG: ModelConfig = {
  architecture: 'llama',
  ...{ hiddenSize: 576, intermediateSize: 1536, keyValueHeads: 3, headDim: 64, maxPositions: 8192 },
  ...{ vocabSize: 64, layers: 1, heads: 9, ropeTheta: 10_000, normEpsilon: 1e-5, tieEmbeddings: true },
  ...{ bosTokenId: null, eosTokenIds: [], padTokenId: null },
};

const START: TrainPlan = {
  method: 'lora',
  microBatch: 16,
  accumulation: 1,
  maxLength: 256,
  rank: 16,
  alpha: 32,
  checkpointedBlocks: 0,
  logitsChunk: 64,
};

/**
 * Weights 400, 100, decoded once 700 or, paged, 99, rank 2 a unit, and 8 a row and block for 256 tokens; a recomputed
 * block costs a quarter, one whose MLP is recomputed five eighths.
 */
const toyPeak = (plan: TrainPlan) => {
  const {
    method,
    pagedWeights,
    materialised,
    microBatch,
    maxLength,
    rank,
    checkpointedBlocks: blocks,
    recomputedMlps = 0,
  } = plan;
  const mlps = Math.max(0, recomputedMlps - blocks);
  return peakOf(
    {
      weights: pagedWeights
        ? 99
        : materialised
          ? 700
          : { qlora: 100, full: 1600, lora: 400, head: 400 }[method],
      adapter: 2 * rank,
      activations: (microBatch * maxLength * (8 * 6 - 6 * blocks - 3 * mlps)) / 256,
    },
    { below: 0, above: 0 },
  );
};

const fallback = (...names: readonly (string | [string, number])[]): readonly Call[] =>
  names.map((step): Call => {
    const [call, min] = typeof step === 'string' ? [step] : step;
    return { call, args: min === undefined ? {} : { min } };
  });

function solved(
  availableBytes: number,
  steps: readonly Call[],
  preset?: string,
  options: { readonly micro?: number; readonly kept?: readonly TrainPlan[]; readonly start?: TrainPlan } = {},
): Solution {
  return solve({
    start: options.start ?? START,
    ladder: ladder({
      ...{ preset, fallback: steps, global: 16, micro: options.micro, layers: 6, fixedRank: false },
      offloads: false,
    }),
    availableBytes,
    earlier: options.kept,
    peakOf: toyPeak,
  });
}

describe('solver', () => {
  it('takes the fastest shape where it fits, and shows the other methods with their numbers', () => {
    const { plan, fits, taken, rejected } = solved(2000, fallback());
    expect(plan).to.deep.equal(START);
    expect(fits).to.equal(true);
    expect(taken).to.deep.equal([]);
    expect(rejected.map(({ method, peakBytes }) => [method, peakBytes])).to.deep.equal([
      ['qlora', 900],
      ['full', 2400],
    ]);
    expect(rejected[1]?.why).to.include('more than the');
  });

  it('says of a base that is stored in 4 bits that qlora trains the same', () => {
    const why = (isInFourBits: boolean): string | undefined =>
      solve({ start: START, ladder: [], availableBytes: 2000, peakOf: toyPeak, isInFourBits }).rejected.find(
        ({ method }) => method === 'qlora',
      )?.why;
    expect(why(false)).to.include('quantises the base to 4 bits');
    expect(why(true)).to.equal('fits, and trains the same: the base is stored in 4 bits');
  });

  it('takes a part of the vocabulary at a time before it rounds the base or reads it from its files', () => {
    const names = (preset: string | undefined, steps: readonly Call[]) =>
      ladder({
        ...{ preset, fallback: steps, global: 16, micro: undefined, layers: 6, fixedRank: false },
        ...{ offloads: false, vocabularyShard: 64 },
      })
        .map(({ name }) => name)
        .slice(2);
    const exact = ['smaller_micro_batch', 'checkpointing', 'vocabulary_shards'];
    expect(names(undefined, fallback())).to.deep.equal([...exact, 'qlora', 'paged_weights']);
    expect(names('lora', fallback('qlora', ['shorten', 128]))).to.deep.equal([
      ...exact,
      ...['qlora', 'paged_weights', 'shorten'],
    ]);
  });

  it('shows methods with adapters beside a choice with its vocabulary in pieces, and full training without', () => {
    const start = { ...START, vocabularyShard: 64 };
    const { rejected } = solved(2000, fallback(), undefined, { start });
    expect(rejected.map(({ method, vocabularyShard }) => [method, vocabularyShard])).to.deep.equal([
      ['qlora', 64],
      ['full', undefined],
    ]);
  });

  it('walks the declared ladder in order, with the least change of each step', () => {
    const declared = fallback(
      'checkpointing',
      'smaller_micro_batch',
      'qlora',
      ['shorten', 128],
      ['lower_rank', 8],
    );
    const at = (available: number) => {
      const { plan, taken } = solved(available, declared);
      const { method, microBatch, maxLength, rank, checkpointedBlocks, recomputedMlps } = plan;
      return { method, microBatch, maxLength, rank, checkpointedBlocks, recomputedMlps, last: taken.at(-1) };
    };
    const whole = { method: 'lora', microBatch: 16, maxLength: 256, rank: 16 } as const;
    // 432 + 768: an MLP that is recomputed saves 48, the rest of its block as much again
    expect(at(1105)).to.deep.equal({
      ...{ ...whole, checkpointedBlocks: 0, recomputedMlps: 2, last: 'checkpointing' },
    });
    // nothing is saved by the softmax alone here
    expect(solved(1105, declared).plan.recomputedAttention).to.equal(6);
    const all = { recomputedMlps: 6, checkpointedBlocks: 6 };
    expect(at(912)).to.deep.equal({ ...whole, ...all, checkpointedBlocks: 0, last: 'checkpointing' });
    expect(at(911)).to.deep.equal({ ...whole, ...all, checkpointedBlocks: 1, last: 'checkpointing' });
    expect(at(624)).to.deep.equal({ ...whole, ...all, last: 'checkpointing' });
    expect(at(530)).to.deep.equal({
      ...whole,
      ...all,
      microBatch: 8,
      last: 'smaller_micro_batch',
    });
    expect(at(430)).to.deep.equal({
      ...{ ...whole, ...all, method: 'qlora', checkpointedBlocks: 4, last: 'qlora' },
    });
    // paged, since the base as stored then does with shorter rows than in 4 bits
    expect(at(140)).to.deep.equal({
      ...whole,
      microBatch: 1,
      maxLength: 192,
      ...all,
      last: 'shorten',
    });
    expect(at(130)).to.deep.equal({
      ...whole,
      method: 'qlora',
      microBatch: 1,
      rank: 8,
      ...all,
      last: 'lower_rank',
    });
  });

  it('keeps alpha ÷ rank and the global batch', () => {
    const { plan } = solved(130, fallback('qlora', ['lower_rank', 4]));
    expect(plan.alpha / plan.rank).to.equal(2);
    expect(plan.microBatch * plan.accumulation).to.equal(16);
  });

  it('may always recompute and shrink the micro batch, but not what changes the result', () => {
    const open = solved(430, fallback());
    expect(open.plan.method).to.equal('qlora');
    const closed = solved(430, fallback(), 'lora');
    expect(closed.plan).to.include({ method: 'lora', pagedWeights: true, microBatch: 4, maxLength: 256 });
    expect(closed.taken.at(-1)).to.equal('paged_weights');
    expect(solved(430, fallback('qlora'), 'lora').plan.method).to.equal('qlora');
    // 99 + 32 + 12
    expect(solved(142, fallback(), 'lora').fits).to.equal(false);
    expect(solved(100, fallback()).fits).to.equal(false);
  });

  it('decodes in every pass before it gives up anything else', () => {
    const start = { ...START, materialised: true };
    expect(solved(1500, fallback(), 'lora', { start }).plan).to.deep.equal(start);
    const { plan, taken, rejected } = solved(1300, fallback(), 'lora', { start });
    expect(plan).to.deep.equal(START);
    expect(taken).to.deep.equal(['decode_each_pass']);
    expect(rejected[0]).to.include({ materialised: true, peakBytes: 1500 });
    const least = solved(430, fallback(), 'lora', { start }).plan;
    expect(least).to.include({ pagedWeights: true }).and.not.to.have.property('materialised');
  });

  it('keeps the first of the earlier choices that fits', () => {
    const earlier = { ...START, microBatch: 2, accumulation: 8 };
    const kept = [{ ...earlier, materialised: true }, earlier];
    expect(solved(2000, fallback(), 'lora', { kept }).plan).to.deep.equal(kept[0]);
    expect(solved(700, fallback(), 'lora', { kept }).plan).to.deep.equal(earlier);
  });

  it('keeps a micro batch that the author set, unless the file lets it shrink', () => {
    const start = { ...START, microBatch: 8, accumulation: 2 };
    const kept = solved(440, fallback(), 'lora', { micro: 8, start });
    expect(kept.plan).to.include({ microBatch: 8, pagedWeights: true });
    const allowed = solved(480, fallback('smaller_micro_batch'), 'lora', { micro: 8, start });
    expect(allowed.plan.microBatch).to.be.lessThan(8);
  });

  it('keeps an earlier choice while it fits, and no longer', () => {
    const kept = { ...START, microBatch: 4, accumulation: 4 };
    expect(solved(2000, fallback(), undefined, { kept: [kept] }).plan).to.deep.equal(kept);
    expect(solved(560, fallback(), undefined, { kept: [kept] }).plan).to.not.deep.equal(kept);
  });

  it('puts what a paged optimiser remembers into a file as far as it must', () => {
    const shape = { preset: 'lora', fallback: [], global: 16, micro: 16, layers: 6, fixedRank: false };
    const share = (availableBytes: number, paged: boolean) =>
      solve({
        start: START,
        ladder: ladder({ ...shape, offloads: paged }).filter(({ name }) => name !== 'smaller_logits_chunk'),
        availableBytes,
        peakOf: ({ offloadedState = 0 }) =>
          peakOf({ weights: 100, optimizer: 400 * (1 - offloadedState) }, { below: 0, above: 0 }),
      });
    expect(share(500, true).plan.offloadedState).to.equal(undefined);
    expect(share(400, true).plan.offloadedState).to.equal(0.25);
    expect(share(399, true)).to.deep.include({ fits: true, taken: ['offload_state'] });
    expect(share(399, true).plan.offloadedState).to.equal(0.5);
    expect(share(100, true).plan.offloadedState).to.equal(1);
    expect(share(399, false).fits).to.equal(false);
  });

  it('says of every failed step by how much and what is largest', () => {
    const { rejected } = solved(50, fallback('checkpointing', 'qlora'));
    expect(rejected.length).to.be.greaterThan(3);
    for (const { why, peakBytes } of rejected) {
      expect(peakBytes).to.be.greaterThan(50);
      expect(why).to.match(/needs .* more than the 50 B available; largest part: (weights|activations)/);
    }
  });

  it('agrees with a search of every state', () => {
    const rungs = ladder({
      preset: undefined,
      fallback: [],
      global: 16,
      micro: undefined,
      layers: 6,
      fixedRank: false,
      offloads: false,
    });
    for (let available = 120; available < 1300; available += 7) {
      const { fits, plan } = solve({
        start: START,
        ladder: rungs,
        availableBytes: available,
        peakOf: toyPeak,
      });
      const held = [{ method: 'lora' }, { method: 'qlora' }, { method: 'lora', pagedWeights: true }] as const;
      const any = held.some((base) =>
        divisors(16).some((microBatch) =>
          [0, 1, 2, 3, 4, 5, 6].some(
            (checkpointedBlocks) =>
              toyPeak({ ...START, ...base, microBatch, checkpointedBlocks }).high <= available,
          ),
        ),
      );
      expect(fits, String(available)).to.equal(any);
      if (fits) expect(toyPeak(plan).high).to.be.at.most(available);
    }
  });
});

describe('starting choice', () => {
  const rows = (histogram: readonly number[]) => ({
    rows: histogram.reduce((sum, count) => sum + count, 0),
    tokens: 0,
    supervised: 0,
    longest: histogram.length * 16,
    histogram,
    known: 'counted' as const,
  });
  const smollm2 = { ...CONFIG, heads: 9, layers: 30, vocabSize: 49_152 };
  const fastest = (options: Partial<Parameters<typeof fastestPlan>[0]>): TrainPlan =>
    fastestPlan({
      ...{
        preset: undefined,
        config: smollm2,
        global: 16,
        micro: undefined,
        maxLength: 8192,
        rank: 8,
        alpha: 16,
      },
      ...{ longestPadded: 256, lengths: rows([100]), ...options },
    });

  it('takes the largest sensible divisor', () => {
    const sensible = (global: number, longestPadded: number): number =>
      fastest({ global, longestPadded, packed: true }).microBatch;
    expect(sensible(16, 256)).to.equal(16);
    expect(sensible(64, 128)).to.equal(32);
    expect(sensible(16, 1024)).to.equal(4);
    expect(sensible(16, 8192)).to.equal(1);
    expect(sensible(17, 512)).to.equal(6);
    expect(sensible(1, 64)).to.equal(1);
  });

  it('cuts a batch of unequal rows into more micro batches, and one of equal rows into none', () => {
    const micro = (longestPadded: number, histogram: readonly number[]): number =>
      fastest({ longestPadded, lengths: rows(histogram) }).microBatch;
    expect(micro(256, [0, 0, 0, 100])).to.equal(16);
    expect(micro(256, [0, 0, 500, 300, 100, 60, 20, 10, 5, 5])).to.equal(8);
    expect(micro(1024, [0, 0, 0, 100])).to.equal(4);
  });

  it("saves the attention's probabilities up to 256 MiB, of the last blocks first", () => {
    const recomputed = (micro: number, longestPadded: number, config = smollm2): number =>
      fastest({ micro, longestPadded, config }).recomputedAttention ?? 0;
    expect(recomputed(1, 512)).to.equal(0);
    // 23.6 MB a block
    expect(recomputed(4, 512)).to.equal(19);
    expect(recomputed(2, 8192)).to.equal(30);
    expect(recomputed(16, 128, { ...smollm2, heads: 6, layers: 6 })).to.equal(0);
  });

  it('counts both texts of a pair', () => {
    const pairs = (options: Partial<Parameters<typeof fastestPlan>[0]>): TrainPlan =>
      fastest({ texts: 2, packed: true, ...options });
    expect(pairs({ global: 16, longestPadded: 256 }).microBatch).to.equal(8);
    expect(pairs({ global: 64, longestPadded: 64 }).microBatch).to.equal(16);
    expect(pairs({ global: 4, longestPadded: 4096 }).microBatch).to.equal(1);
    expect(pairs({ micro: 2, longestPadded: 512 }).recomputedAttention).to.equal(19);
  });

  it('bounds the logits of a chunk', () => {
    const chunk = (vocabSize: number): number => fastest({ config: { ...smollm2, vocabSize } }).logitsChunk;
    expect(chunk(4096)).to.equal(512);
    expect(chunk(49_152)).to.equal(512);
    expect(chunk(128_256)).to.equal(256);
  });
});
