import { expect } from 'chai';
import { graphBytes } from '../../../../src/compute/models/decoder/compiled-bytes.js';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import { microBatches, paddedLength } from '../../../../src/compute/training/batch.js';
import { globalBatches, stepsPerEpoch } from '../../../../src/compute/training/order.js';
import { BIN, type Lengths } from '../../../../src/pipeline/planner/expected-rows.js';
import { blockGraphs, longestBelow, sessionBytes } from '../../../../src/pipeline/planner/memory/sessions.js';
import { probabilitiesOfShorter } from '../../../../src/pipeline/planner/memory/shorter-rows.js';
import { fixture } from '../../../compute/models/decoder/fixture.js';

const { recording, adapter } = fixture('tied');

/** Every length from 20 to 500 tokens, the short ones more often. */
const rows = Array.from({ length: 120 }, (_, row) => 20 + Math.floor(480 * (row / 119) ** 2));

const lengthsOf = (given: readonly number[]): Lengths => {
  const histogram = Array.from(
    { length: Math.ceil(Math.max(...given) / BIN) },
    (_, bin) => given.filter((length) => Math.ceil(length / BIN) === bin + 1).length,
  );
  const tokens = given.reduce((sum, length) => sum + length, 0);
  return {
    ...{ rows: given.length, tokens, supervised: tokens, longest: Math.max(...given), histogram },
    known: 'counted',
  };
};

type SessionInput = Parameters<typeof sessionBytes>[0];

const none = () => ({ count: 0, nodes: 0 });
const input: SessionInput = {
  ...{ lengths: lengthsOf(rows), validation: undefined, plan: { microBatch: 1, accumulation: 1 }, steps: 40 },
  ...{ packed: undefined, training: none, watching: none, head: { count: 0, nodes: 0 } },
};
const graphs = (given: Partial<SessionInput>): number =>
  sessionBytes({ ...input, training: () => ({ count: 1, nodes: 0 }), ...given }) /
  graphBytes({ count: 1, nodes: 0 });

/** Padded lengths of the batches of a training, but for the longest of all. */
function shorterLengths(micro: number, parts: number, steps: number, seed: number): number {
  const lengthOf = (row: number): number => rows[row] ?? 0;
  const globalBatch = micro * parts;
  const batches = globalBatches({ order: 'shuffled', rows: rows.length, globalBatch, seed, lengthOf });
  expect(stepsPerEpoch(rows.length, globalBatch)).to.equal(rows.length / globalBatch);
  const found = new Set<number>();
  for (let step = 1; step <= steps; step++)
    for (const cut of microBatches(batches.rowsOf(step), micro, lengthOf))
      found.add(paddedLength(lengthOf(cut[0] ?? 0)));
  found.delete(paddedLength(Math.max(...rows)));
  return found.size;
}

describe('compiled graphs of a whole training', () => {
  it('are as many as its batches have lengths', () => {
    for (const [micro, parts, steps] of [
      [1, 1, 4],
      [1, 1, 40],
      [1, 1, 120],
      [1, 4, 20],
      [4, 1, 10],
      [2, 4, 6],
      [5, 4, 3],
    ] as const) {
      const seeds = Array.from({ length: 40 }, (_, seed) => shorterLengths(micro, parts, steps, seed));
      const mean = seeds.reduce((sum, count) => sum + count, 0) / seeds.length;
      const planned = graphs({ steps, plan: { microBatch: micro, accumulation: parts } });
      expect(planned, `${micro} x ${parts}, ${steps} steps`).to.be.closeTo(mean, 0.1 * mean + 0.1);
    }
  });

  it('are of the longest length below another that probably turns up', () => {
    expect(longestBelow({ ...input, steps: 120 }, 100)).to.equal(96);
    expect(longestBelow({ ...input, steps: 1 }, 300)).to.equal(undefined);
    expect(longestBelow({ ...input, steps: 120 }, 16)).to.equal(undefined);
  });

  it('of rows of one length are those that its plan counts', () => {
    expect(graphs({ lengths: lengthsOf([60, 61, 62, 63]) })).to.equal(0);
  });

  it('are one shape more where rows do not fill the last batch of a pass', () => {
    const short = { lengths: lengthsOf([60, 61, 62, 63, 64]), plan: { microBatch: 4, accumulation: 1 } };
    expect(graphs({ ...short, steps: 2 })).to.equal(1);
    expect(graphs({ ...short, steps: 1 })).to.equal(0);
  });

  it('are those of validation too', () => {
    const watching = () => ({ count: 1, nodes: 0 });
    const validation = lengthsOf([20, 40, 70, 100]);
    // four lengths, and the rows that are left over
    expect(graphs({ training: none, validation, watching })).to.equal(5);
  });

  it('are those that answer in a validation too, as far as a decoder keeps them', () => {
    const answers = { count: 30, nodes: 0 };
    expect(graphs({ training: none, answers })).to.equal(30);
    const [alone, both] = [graphs({ steps: 1000 }), graphs({ steps: 1000, answers })];
    expect(both - alone).to.be.closeTo(30, 1e-9);
    expect(graphs({ training: none, answers: { count: 300, nodes: 0 } })).to.equal(64);
  });

  it('are no more than a decoder keeps', () => {
    const many = { training: () => ({ count: 20, nodes: 100 }), head: { count: 1, nodes: 5 }, steps: 1000 };
    const most = 64 - 21;
    expect(sessionBytes({ ...input, ...many })).to.be.at.most(graphBytes({ count: most, nodes: 5 * most }));
  });

  it('are those that are built, with their nodes', () => {
    const config = { ...recording.config, layers: 3, maxPositions: 4096 };
    const shape: DecoderPlanOptions = {
      ...{ config, adapter: adapter.config, trainable: 'adapter', weightBytes: 0, dequantised: {} },
      ...{ rows: 1, length: 4096, checkpointedBlocks: 0, logitsChunk: 64 },
    };
    // where some blocks save no probabilities, short rows have more graphs than long ones, which save none
    for (const recomputedAttention of [0, 2]) {
      const expected = blockGraphs(planDecoder, { ...shape, recomputedAttention });
      for (const length of [64, 128, 256, 512, 1024, 1536, 2048, 3072, 4096]) {
        const { graphs } = planDecoder({ ...shape, recomputedAttention, length });
        const built = graphs.filter(({ role }) => role !== 'head');
        const nodes = built.reduce((sum, { graph }) => sum + graph.nodes.length, 0);
        expect(expected(length).count, `${length}`).to.equal(built.length);
        expect(expected(length).nodes, `${length}`).to.be.closeTo(nodes, 0.08 * nodes);
      }
    }
  });
});

describe('rows that are shorter than where attention goes in tiles', () => {
  const { config } = recording;
  const shape: DecoderPlanOptions = {
    ...{
      config: { ...config, maxPositions: 4096 },
      adapter: adapter.config,
      trainable: 'adapter',
      weightBytes: 0,
    },
    ...{ dequantised: {}, rows: 1, length: 2048, checkpointedBlocks: 0, logitsChunk: 128 },
  };
  const more = (lengths: readonly number[], changes: Partial<DecoderPlanOptions> = {}): number =>
    probabilitiesOfShorter(
      planDecoder,
      { ...shape, ...changes },
      { ...input, lengths: lengthsOf(lengths), steps: lengths.length },
    );

  it('save probabilities besides what the longest save', () => {
    // of every head and block, for each query the keys up to the end of its block
    const bytes = 4 * config.heads * config.layers * 960 ** 2;
    expect(more([2048, 960, 300])).to.be.within(bytes / 2, bytes);
    expect(more([2048, 300])).to.be.below(bytes / 6);
    expect(more([2048, 1500])).to.equal(0);
    expect(more([2048, 960], { recomputedAttention: config.layers })).to.equal(0);
    expect(more([960, 300], { length: 960 })).to.equal(0);
  });
});
