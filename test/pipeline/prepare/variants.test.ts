/** Plans of one pipeline side by side: by method, and over rank, length and rows at a time. */
import { expect } from 'chai';
import { compareMethods } from '../../../src/pipeline/prepare/compare-methods.js';
import { prepare } from '../../../src/pipeline/prepare/index.js';
import { sweepMemory } from '../../../src/pipeline/prepare/sweep.js';
import { expectSchema } from '../../helpers/schema.js';
import { type Folder, pipelineFolder, STARTER } from '../planner/pipeline.js';

const TEXT = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"
data rows { source = jsonl("data/*.jsonl") }
format dialogs {
  from = rows
  template = chat()
  max_length = 256tok
}
train adapter {
  base = untrained("${STARTER}", seed: 1)
  dataset = dialogs.train
  optimizer = adamw(rate: 2e-4, schedule: cosine(warmup: 3%))
  batch = { global: 16 }
  stop = { epochs: 1 }
}
`;

describe('plans of one pipeline side by side', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
    folder.write('pipeline.ftp', TEXT);
    for (const method of ['full', 'lora', 'qlora'])
      folder.write(`${method}.ftp`, TEXT.replace('train adapter', `train adapter using ${method}`));
  });
  after(() => folder.remove());
  const request = (memoryBytes = 8e9) => ({ file: 'pipeline.ftp', params: {}, memoryBytes });

  it('has each method as it would be planned if it were named', async () => {
    const { comparison, diagnostics } = await compareMethods(folder.host, request());
    const methods = comparison?.stages[0]?.methods ?? [];
    expect(methods.map(({ method }) => method)).to.deep.equal(['full', 'lora', 'qlora']);
    expectSchema('plan-comparison', { ...comparison, diagnostics });
    for (const { method, peak, chosen, fits, outputBytes, trainableParameters } of methods) {
      const { plan } = await prepare(folder.host, { ...request(), file: `${method}.ftp` });
      const alone = plan?.stages.find(({ name }) => name === 'adapter');
      expect(peak, method).to.deep.equal(alone?.peak);
      expect(chosen, method).to.deep.equal(alone?.chosen);
      expect(fits, method).to.equal(true);
      expect(outputBytes, method).to.equal(4 * (trainableParameters ?? 0));
    }
  });

  it('has next to replicas what shards of the model take', async () => {
    const several = { file: 'pipeline.ftp', params: {}, machine: 'a100-80gb', devices: 4 };
    const { comparison } = await compareMethods(folder.host, several);
    for (const { method, chosen, peak, sharded } of comparison?.stages[0]?.methods ?? []) {
      expect(chosen?.sharding, method).to.equal('ddp');
      const { plan } = await prepare(folder.host, {
        ...several,
        ...{ file: `${method}.ftp`, sharding: 'fsdp' },
      });
      expect(sharded?.peak, method).to.deep.equal(plan?.stages.find(({ name }) => name === 'adapter')?.peak);
      if (method === 'full') expect(sharded?.peak?.bytes).to.be.below(peak?.bytes ?? 0);
    }
    const alone = await compareMethods(folder.host, { ...several, devices: 1 });
    expect(alone.comparison?.stages[0]?.methods.map(({ sharded }) => sharded)).to.deep.equal(
      Array(3).fill(undefined),
    );
  });

  it('says how much is lacking where a method does not fit', async () => {
    const { comparison } = await compareMethods(folder.host, request(200e6));
    const full = comparison?.stages[0]?.methods[0];
    expect(full?.fits).to.equal(false);
    expect(full?.lackingBytes).to.equal((full?.peak?.high ?? 0) - (comparison?.machine.availableBytes ?? 0));
  });

  it('changes one thing, and keeps the rest as it was chosen', async () => {
    const axes = [
      { over: 'rank', values: [4, 16] },
      { over: 'length', values: [64, 128, 1_000_000] },
      { over: 'batch', values: [1, 4] },
    ] as const;
    const { sweep, diagnostics } = await sweepMemory(folder.host, request(), axes);
    expectSchema('plan-sweep', { ...sweep, diagnostics });
    expect(sweep?.sweeps.map(({ over }) => over)).to.deep.equal(['rank', 'length', 'batch']);
    for (const { over, points } of sweep?.sweeps ?? []) {
      const sizes = points.map(({ peak }) => peak.bytes);
      expect(sizes, over).to.have.length(2);
      expect(sizes, over).to.deep.equal([...sizes].sort((a, b) => a - b));
      expect(new Set(sizes).size, over).to.equal(2);
      expect(points.every(({ fits, otherwise }) => fits && otherwise === null)).to.equal(true);
    }
    const chosen = sweep?.sweeps[0]?.chosen;
    const [rank] = (sweep?.sweeps ?? []).map(({ points }) => points);
    const { plan } = await prepare(folder.host, request());
    // the plan itself is among the points
    const own = rank?.find(({ value }) => value === chosen?.rank);
    expect(own?.peak).to.deep.equal(plan?.stages.find(({ name }) => name === 'adapter')?.peak);
  });

  it('finds what would fit otherwise', async () => {
    const axes = [{ over: 'batch', values: [1, 16] }] as const;
    const { sweep } = await sweepMemory(folder.host, request(), axes);
    const [one, most] = sweep?.sweeps[0]?.points ?? [];
    // more than one row takes, and less than sixteen; a tenth is the system's
    const between = (0.75 * (one?.peak.high ?? 0) + 0.25 * (most?.peak.high ?? 0)) / 0.9;
    const tight = await sweepMemory(folder.host, request(Math.ceil(between)), axes);
    const point = tight.sweep?.sweeps[0]?.points[1];
    expect(point?.fits).to.equal(false);
    expect(point?.otherwise?.peak.high).to.be.at.most(tight.sweep?.machine.availableBytes ?? 0);
  });

  it('says so where there is nothing to compare or to draw', async () => {
    folder.write('none.ftp', TEXT.replace('train adapter', 'train adapter using full'));
    const swept = await sweepMemory(folder.host, { ...request(), file: 'none.ftp' }, [{ over: 'rank' }]);
    expect(swept.diagnostics.at(-1)?.code).to.equal('FTP1942');
  });
});
