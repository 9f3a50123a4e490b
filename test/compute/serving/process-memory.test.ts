/** What the process of a served model is planned to take, next to what it may hold. */
import { expect } from 'chai';
import { embeddedBytes } from '../../../src/compute/serving/process-memory.js';

const MIB = 2 ** 20;

describe('the process of a model of the embedded engine', () => {
  const model = {
    ...{ weightBytes: 500 * MIB, layers: 10, blocks: { count: 1, nodes: 40 }, perToken: 40_000 },
    ...{ rows: 4, contextTokens: 256, batchTokens: 1024, prefixTokens: 1024 },
  };

  it('has a graph for each size of caches, and as many as a decoder keeps at most', () => {
    const of = (rows: number, blocks: typeof model.blocks) =>
      embeddedBytes({ ...model, rows, contextTokens: 64, batchTokens: 64, blocks });
    // one size: a step of each number of answers, and 4, 2, 1 and 1 prompts of 16 to 64 tokens, which begin and go on
    expect(of(1, { count: 1, nodes: 0 }) / MIB).to.be.closeTo(
      of(4, { count: 1, nodes: 0 }) / MIB - 0.2 * 11,
      0.01,
    );
    expect(of(4, { count: 2, nodes: 80 })).to.be.above(of(4, { count: 1, nodes: 40 }));
    expect(of(60, { count: 1, nodes: 40 })).to.equal(of(80, { count: 1, nodes: 40 }));
  });

  it('has caches of as many rows as there is room for, with those that may join', () => {
    const nodes = { blocks: { count: 0, nodes: 0 }, layers: 1 };
    const of = (batchTokens: number) => embeddedBytes({ ...model, ...nodes, batchTokens });
    // three rows of 256: four have room for five, of which 128 each are less
    expect(of(1024)).to.equal(of(768));
    expect(of(1280) - of(1024)).to.equal(2 * model.perToken * (1280 - 768));
  });

  it('compiles codes while one answer is alone, and has the others when they are compiled', () => {
    const codes = { bytes: 90 * MIB, held: 100 * MIB, peak: 120 * MIB, graphs: 0 };
    const nodes = 6 * 1024 * model.layers * model.blocks.nodes;
    const more = embeddedBytes({ ...model, codes }) - embeddedBytes(model);
    expect(more).to.be.closeTo(codes.held + nodes, 1);
    const alone = { ...model, batchTokens: model.contextTokens };
    const beside = embeddedBytes({ ...alone, codes }) - embeddedBytes(alone);
    expect(beside).to.be.above(more);
    expect(beside).to.be.below(codes.peak + nodes);
  });
});
