/** One pipeline on many machines, and what a run of it costs. */
import { expect } from 'chai';
import { prepare } from '../../../src/pipeline/prepare/index.js';
import { planOnMachines } from '../../../src/pipeline/prepare/on-machines.js';
import type { PlanRequest } from '../../../src/pipeline/prepare/request.js';
import { expectSchema } from '../../helpers/schema.js';
import { type Folder, pipelineFolder, TEXT } from '../planner/pipeline.js';

/** The pipeline of tests with a budget of its own, and machines. */
const text = (budget: string, more = ''): string =>
  `${TEXT.replace(/budget machine \{[^}]*\}/, `budget machine { ${budget} }`)}\n${more}\n`;

const OWN =
  'machine desk { device = "NVIDIA X", memory = 4GiB, bandwidth = 400GB/s, rates = { f32: 10TFLOPS } }';

describe('plans for many machines', function () {
  this.timeout(60_000);
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const write = (budget = '', more = ''): void => folder.write('a.ftp', text(budget, more));
  const request = (more: Partial<PlanRequest> = {}): PlanRequest => ({ file: 'a.ftp', params: {}, ...more });
  const table = async (pattern: string, more: Partial<PlanRequest> = {}) => {
    const made = await planOnMachines(folder.host, request(more), pattern, { runs: 'none' });
    expect(made.diagnostics.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    if (made.table === undefined) throw new Error('no table');
    return made.table;
  };
  const planned = async (more: Partial<PlanRequest>) => {
    const made = await prepare(folder.host, request(more), { runs: 'none' });
    if (made.plan === undefined) throw new Error(made.diagnostics.map(({ message }) => message).join('\n'));
    return made.plan;
  };

  it('have where it fits, how long it takes and what it costs, the cheapest first', async () => {
    write();
    const made = await table('a100 80');
    expectSchema('machines', { ...made, diagnostics: [] });
    expect(made.machines.map(({ machine }) => machine)).to.include.members([
      'a100_sxm_80gb',
      'a100_pcie_80gb',
      'aws_p4de_24xlarge',
      'gcp_a2_ultragpu_8g',
    ]);
    const costs = made.machines.map(({ usd }) => usd?.expected ?? Number.POSITIVE_INFINITY);
    expect(costs).to.deep.equal([...costs].sort((a, b) => a - b));
    expect(made.cheapest).to.equal(made.machines[0]?.machine);
    for (const { fits, engine, seconds, devices, gpuHours } of made.machines) {
      expect(fits).to.equal(true);
      expect(engine).to.equal('accelerate');
      expect(gpuHours?.expected).to.be.closeTo((devices * (seconds?.expected ?? 0)) / 3600, 1e-9);
    }
  });

  it('take machines of the pipeline, of which the smallest and the cheapest may be one', async () => {
    write('', OWN);
    const made = await table('desk');
    expect(made).to.include({ smallest: 'desk', cheapest: null });
    const priced = await table('desk', { price: 0.5 });
    expect(priced.cheapest).to.equal('desk');
    const [row] = priced.machines;
    expect(row?.usd?.expected).to.be.closeTo((0.5 * (row?.seconds?.expected ?? 0)) / 3600, 1e-9);
  });

  it('say which are too small, and which break a budget', async () => {
    write('require cost <= 0.0001usd', 'machine tiny { device = "NVIDIA Y", memory = 256MiB }');
    const small = await table('tiny');
    expect(small.machines[0]).to.include({ fits: false, seconds: null });
    expect(small.machines[0]?.why).to.be.a('string');
    const dear = await table('a100_sxm_80gb');
    expect(dear.machines[0]).to.include({ fits: true, withinBudget: false });
    expect(dear.cheapest).to.equal(null);
  });

  it('are for as many machines as devices are asked for, at the price of all of them', async () => {
    write();
    const one = await planned({ machine: 'a100-80gb' });
    const eight = await planned({ machine: 'a100-80gb', devices: 8 });
    expect(eight.cost.usdPerHour).to.be.closeTo(8 * (one.cost.usdPerHour ?? 0), 1e-9);
    expect(eight.cost.gpus).to.equal(8);
    const rented = await planned({ machine: 'p4de.24xlarge', devices: 2 });
    expect(rented.cost).to.include({ usdPerHour: 27.4471, by: 'machine', gpus: 2 });
    const asked = await planned({ machine: 'p4de.24xlarge', price: 10 });
    expect(asked.cost).to.include({ usdPerHour: 10, by: 'option', gpus: 8 });
  });

  it('keep budgets on cost, on hours of GPUs and on the disk, or say what breaks them', async () => {
    write('require cost <= 5usd, require gpu_hours <= 1, require disk <= 1GiB');
    const kept = await planned({ machine: 'a100-80gb' });
    expect(kept.budget.map(({ holds }) => holds)).to.deep.equal([true, true, true]);
    write(
      'require cost <= 0.00001usd, require gpu_hours <= 0.00001, require disk <= 1KiB, require adapter.cost < 1usd',
    );
    const broken = await planned({ machine: 'a100-80gb' });
    expect(broken.budget.map(({ holds }) => holds)).to.deep.equal([false, false, false, true]);
    const codes = broken.diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);
    expect(codes).to.deep.equal(['FTP0825', 'FTP0825', 'FTP0825']);
    expect(broken.budget[0]?.unit).to.equal('price');
    // the quickest way to train was looked for, as for a limit on time
    expect(broken.diagnostics[0]?.notes?.join(' ')).to.include('the quickest way to train `adapter`');
    expect(broken.diagnostics[2]?.notes?.join(' ')).to.include('writes');
  });

  it('warn where nothing is known of a cost that is limited', async () => {
    write('require cost <= 5usd');
    const made = await planned({});
    expect(made.budget[0]?.holds).to.equal(null);
    expect(made.diagnostics.map(({ code }) => code)).to.include('FTP1924');
  });

  it('find no machine for a pattern that none is like', async () => {
    write();
    const made = await planOnMachines(folder.host, request(), 'abacus', { runs: 'none' });
    expect(made.table).to.equal(undefined);
    expect(made.diagnostics.map(({ code }) => code)).to.include('FTP1925');
  });
});
