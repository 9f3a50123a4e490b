/** What `ftpc plan --compare` and `--sweep` print, and the file of `--svg`. */
import { expect } from 'chai';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import type { MethodComparison } from '../../../src/pipeline/prepare/compare-methods.js';
import type { PlanSweep, SweepPoint } from '../../../src/pipeline/prepare/sweep.js';
import type { TrainPlan } from '../../../src/pipeline/stages/train-plan/plan.js';
import { UsageError } from '../../../src/tools/cli/command.js';
import { methodsText } from '../../../src/tools/cli/plan-views/compare.js';
import { axesOf, sweepText } from '../../../src/tools/cli/plan-views/sweep.js';
import { memorySvg } from '../../../src/tools/insight/html/memory-bars.js';

const GIB = 2 ** 30;

const peakOf = (gib: number) => ({
  ...{ bytes: gib * GIB, low: 0.9 * gib * GIB, high: 1.1 * gib * GIB },
  parts: {
    ...{ weights: 4 * GIB, adapter: 0, gradients: 0, optimizer: 0 },
    ...{ activations: (gib - 4) * GIB, logits: 0, workspace: 0, runtime: 0 },
  },
});
const chosen: TrainPlan = {
  method: 'lora',
  sharding: 'ddp',
  ...{ microBatch: 2, accumulation: 8, maxLength: 512, rank: 16, alpha: 32 },
  ...{ checkpointedBlocks: 0, logitsChunk: 512 },
};
const machine = { name: 'two', memoryBytes: 10 * GIB, availableBytes: 9 * GIB, devices: [] };
const points: readonly SweepPoint[] = [
  { value: 8, fits: true, peak: peakOf(5), otherwise: null },
  { value: 64, fits: false, peak: peakOf(9), otherwise: { chosen, peak: peakOf(8) } },
  { value: 256, fits: false, peak: peakOf(20), otherwise: null },
];
const sweep: PlanSweep = {
  ...{ version: 1, pipeline: 'p', machine, runtime: 'accelerate' },
  sweeps: [{ stage: 'adapter', over: 'rank', chosen, availableBytes: 9 * GIB, points }],
};

describe('views of a plan', () => {
  it('take what is swept by name or with values', () => {
    expect(axesOf(['rank,length', 'batch=4,1,4'])).to.deep.equal([
      { over: 'rank' },
      { over: 'length' },
      { over: 'batch', values: [1, 4] },
    ]);
    for (const wrong of ['ranks', 'rank=', 'rank=0', 'rank=1.5', 'rank=8,x', 'length=1e3', 'rank,rank', ''])
      expect(() => axesOf([wrong]), wrong).to.throw(UsageError);
  });

  it('draw a bar for each value, and where the memory ends', () => {
    const [only] = sweep.sweeps;
    const lines = only === undefined ? [] : sweepText(only, PLAIN, 80).split('\n');
    for (const line of lines) expect(line.length, line).to.be.at.most(80);
    const bars = lines.filter((line) => /^[✓~✗] +\d/.test(line));
    expect(bars.map((line) => line.slice(0, 6).trim().replace(/ +/, ' '))).to.deep.equal([
      '✓ 8',
      '~ 64',
      '✗ 256',
    ]);
    // the end is at one column, within the bars that go beyond it
    expect(new Set(bars.map((line) => line.indexOf('│'))).size).to.equal(1);
    expect(bars[0]).to.match(/█+░* +│$/);
    expect(bars[2]).to.match(/█+│█+░+$/);
    expect(lines.join(' ')).to.include('~ rank 64 fits otherwise: lora, ddp, rank 16');
  });

  it('write the same as SVG, with every element closed', () => {
    const svg = memorySvg(sweep);
    expect(svg).to.match(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" /);
    const open: string[] = [];
    for (const [, end, name = '', own] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
      if (end !== '') expect(open.pop()).to.equal(name);
      else if (own === '') open.push(name);
    }
    expect(open).to.deep.equal([]);
    expect(svg).to.include('weights: 4.00 GiB').and.to.include('256 ✗').and.to.include('64 ~');
  });

  it('put methods next to each other in 80 columns', () => {
    const figures = { peak: peakOf(5), seconds: null, chosen, totalParameters: 1000, outputBytes: 40 };
    const comparison: MethodComparison = {
      ...{ version: 1, pipeline: 'p', machine, runtime: 'accelerate torch 2.15.0' },
      stages: [
        {
          name: 'adapter',
          methods: [
            { ...figures, method: 'full', fits: false, lackingBytes: 3 * GIB, trainableParameters: 1000 },
            { ...figures, method: 'lora', fits: true, lackingBytes: null, trainableParameters: 10 },
            { ...figures, method: 'qlora', fits: true, lackingBytes: null, trainableParameters: 10 },
          ],
        },
      ],
    };
    const text = methodsText(comparison, PLAIN, 80);
    for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
    expect(text)
      .to.match(/adapter +full +LoRA +QLoRA\n/)
      .and.to.match(/share of all +100% +1\.0% +1\.0%\n/)
      .and.to.match(/fits +no, 3\.00 GiB more +yes +yes\n/);
  });
});
