import { expect } from 'chai';
import { peakAtOnce, type StageLoad, startNow } from '../../../src/pipeline/planner/side-by-side.js';

const load = (name: string, parts: Partial<StageLoad> = {}): StageLoad => ({
  name,
  key: name,
  after: [],
  memoryBytes: 100,
  computes: true,
  ...parts,
});

const capacity = { stages: 4, memoryBytes: 250, hasDevice: false };
const names = (loads: readonly StageLoad[]): readonly string[] => loads.map(({ name }) => name);

describe('stages that may start', () => {
  const four = [load('a'), load('b'), load('c'), load('d', { memoryBytes: 50 })];

  it('are those whose peaks fit together, in the order of the plan; what does not fit is passed over', () => {
    expect(names(startNow(four, [], capacity))).to.deep.equal(['a', 'b', 'd']);
    expect(names(startNow(four, [load('x')], capacity))).to.deep.equal(['a', 'd']);
    expect(names(startNow(four, [load('x'), load('y')], capacity))).to.deep.equal(['d']);
  });

  it('are no more at once than allowed', () => {
    expect(names(startNow(four, [], { ...capacity, stages: 1 }))).to.deep.equal(['a']);
    expect(names(startNow(four, [load('x', { memoryBytes: 1 })], { ...capacity, stages: 2 }))).to.deep.equal([
      'a',
    ]);
  });

  it('take a device one at a time, next to stages that compute nothing', () => {
    const rows = load('rows', { computes: false });
    expect(names(startNow([...four, rows], [], { ...capacity, hasDevice: true }))).to.deep.equal([
      'a',
      'rows',
    ]);
    expect(names(startNow(four, [rows], { ...capacity, hasDevice: true }))).to.deep.equal(['a']);
  });

  it('make each output once', () => {
    const twins = [load('a', { key: 'same' }), load('b', { key: 'same' }), load('c')];
    expect(names(startNow(twins, [], capacity))).to.deep.equal(['a', 'c']);
    expect(names(startNow(twins, [load('x', { key: 'same' })], capacity))).to.deep.equal(['c']);
  });

  it('run alone where they fit nowhere else', () => {
    const large = load('large', { memoryBytes: Number.POSITIVE_INFINITY });
    expect(names(startNow([large, load('a')], [], capacity))).to.deep.equal(['large']);
    expect(names(startNow([large], [load('a')], capacity))).to.deep.equal([]);
  });
});

describe('the memory of stages at once', () => {
  it('is the largest sum of the peaks of those that ran at one time', () => {
    const usages = [
      { from: 0, to: 10, bytes: 5 },
      { from: 2, to: 6, bytes: 7 },
      { from: 6, to: 9, bytes: 4 },
      { from: 20, to: 30, bytes: 11 },
    ];
    expect(peakAtOnce(usages)).to.equal(12);
    expect(peakAtOnce(usages.slice(2))).to.equal(11);
    expect(peakAtOnce([])).to.equal(0);
  });

  it('counts what took no time, too', () => {
    expect(peakAtOnce([{ from: 3, to: 3, bytes: 9 }])).to.equal(9);
  });
});
