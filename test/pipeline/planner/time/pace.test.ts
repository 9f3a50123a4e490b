import { expect } from 'chai';
import { keepPace, measuredPaces } from '../../../../src/pipeline/planner/time/pace.js';
import { expectedLongest } from '../../../../src/pipeline/planner/time/train-time.js';
import { type Folder, pipelineFolder } from '../pipeline.js';

describe('the rate of a training', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  it('is kept for the next plan, next to the speeds of other trainings', () => {
    const { host } = folder;
    expect(measuredPaces(host)('two')).to.equal(undefined);
    folder.write('.ftp/speed.json', JSON.stringify({ one: { flopsPerSecond: 5 } }));
    keepPace(host, { name: 'two', flopsPerToken: 1000 }, 20);
    expect(measuredPaces(host)('one')).to.equal(5);
    expect(measuredPaces(host)('two')).to.equal(20_000);
    keepPace(host, { name: 'two', flopsPerToken: 1000 }, Number.NaN);
    expect(measuredPaces(host)('two')).to.equal(20_000);
  });

  it('is nothing where the file is damaged', () => {
    folder.write('.ftp/speed.json', '{"two": {"flopsPerSecond": -1}, ');
    expect(measuredPaces(folder.host)('two')).to.equal(undefined);
  });
});

describe('the longest of some rows', () => {
  it('is that of one row on average, and nears the longest of all with their number', () => {
    // half of the rows have about 8 tokens, the others about 40
    const lengths = {
      ...{ rows: 10, tokens: 240, supervised: 100, longest: 48, known: 'counted' as const },
      histogram: [5, 0, 5],
    };
    expect(expectedLongest(lengths, 1)).to.be.closeTo(24, 1e-9);
    expect(expectedLongest(lengths, 2)).to.be.closeTo(32, 1e-9);
    expect(expectedLongest(lengths, 16)).to.be.closeTo(40, 0.01);
  });
});
