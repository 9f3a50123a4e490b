import { expect } from 'chai';
import { type PlannedLoad, quickest, scheduleOf } from '../../../src/pipeline/planner/schedule.js';

const seconds = (expected: number) => ({ expected, low: expected / 2, high: 2 * expected });

const load = (name: string, parts: Partial<PlannedLoad> = {}): PlannedLoad => ({
  name,
  key: name,
  after: [],
  memoryBytes: 100,
  computes: true,
  seconds: seconds(10),
  cached: false,
  peakBytes: 80,
  cores: 1,
  ...parts,
});

/** Rows, then two trainings, each with its evaluation. */
const SWEEP = [
  load('rows', { seconds: seconds(2), computes: false, peakBytes: 30 }),
  load('slow', { after: ['rows'] }),
  load('fast', { after: ['rows'], seconds: seconds(6) }),
  load('slow.eval', { after: ['slow'], seconds: seconds(1), peakBytes: 50 }),
  load('fast.eval', { after: ['fast'], seconds: seconds(1), peakBytes: 50 }),
];

const capacity = (stages: number, memoryBytes = 1000) => ({ stages, memoryBytes, hasDevice: false });

describe('the planned time of a run', () => {
  it('is the sum of the times of its stages, one at a time', () => {
    expect(scheduleOf(SWEEP, 4, capacity(1))).to.deep.equal({ seconds: seconds(20), peakBytes: 80 });
  });

  it('is that of the longest path where there are cores and memory enough', () => {
    expect(scheduleOf(SWEEP, 4, capacity(4))).to.deep.equal({ seconds: seconds(13), peakBytes: 160 });
  });

  it('has two independent trainings at once within the memory that they share, and no more than fit', () => {
    const both = scheduleOf(SWEEP, 4, capacity(4, 200));
    expect(both.peakBytes).to.equal(160);
    expect(scheduleOf(SWEEP, 4, capacity(4, 199))).to.deep.equal({ seconds: seconds(20), peakBytes: 80 });
  });

  it('grows where stages keep more cores busy than there are', () => {
    const busy = [load('a', { cores: 2 }), load('b', { cores: 2 })];
    expect(scheduleOf(busy, 4, capacity(2)).seconds?.expected).to.equal(10);
    expect(scheduleOf(busy, 2, capacity(2)).seconds?.expected).to.equal(20);
    expect(scheduleOf([load('a', { cores: 2 }), load('b')], 2, capacity(2)).seconds?.expected).to.equal(15);
  });

  it('is nothing for what is cached, or made by another stage of the same key', () => {
    const twins = [load('a', { key: 'same' }), load('b', { key: 'same' }), load('c', { cached: true })];
    expect(scheduleOf(twins, 4, capacity(3)).seconds?.expected).to.equal(10);
  });

  it('is not known if that of a stage is not', () => {
    const unknown = [load('a'), load('b', { seconds: null })];
    expect(scheduleOf(unknown, 4, capacity(2))).to.deep.equal({ seconds: null, peakBytes: 160 });
  });
});

describe('the number of stages at once', () => {
  const room = { memoryBytes: 1000, hasDevice: false };

  it('is the least of those that are quickest', () => {
    expect(quickest(SWEEP, 4, room)).to.equal(2);
    expect(quickest([load('a'), load('b'), load('c')], 4, room)).to.equal(3);
  });

  it('is 1 where nothing is gained: a chain, full cores, little memory, one device, or unknown times', () => {
    expect(quickest([load('a'), load('b', { after: ['a'] })], 4, room)).to.equal(1);
    const busy = [load('a', { cores: 2 }), load('b', { cores: 2 })];
    expect(quickest(busy, 2, room)).to.equal(1);
    expect(quickest(SWEEP, 4, { ...room, memoryBytes: 150 })).to.equal(1);
    expect(quickest([load('a'), load('b')], 4, { ...room, hasDevice: true })).to.equal(1);
    expect(quickest([load('a', { seconds: null }), load('b')], 4, room)).to.equal(1);
  });
});
