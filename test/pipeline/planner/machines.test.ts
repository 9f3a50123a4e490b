import { expect } from 'chai';
import { machineCatalogue } from '../../../src/language/check/machine-catalogue.js';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { RATE_FORMATS } from '../../../src/language/ir/machine.js';
import {
  availableBytes,
  findMachine,
  knownMachines,
  nearestMachine,
  planMachine,
} from '../../../src/pipeline/planner/machines.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { overlayHost } from '../../helpers/overlay-host.js';
import { pipelineFolder, QUICK, TEXT } from './pipeline.js';

const host = nodeHost();
const catalogue = machineCatalogue(host);
const found = (name: string) => findMachine(name, catalogue);

/** What people write, and the machine that it means. */
const SPELLINGS: Readonly<Record<string, string>> = {
  rtx3090: 'rtx_3090',
  'RTX 3090': 'rtx_3090',
  '3090': 'rtx_3090',
  'RTX3090-24GB': 'rtx_3090',
  'T4 16GB': 't4',
  'GeForce RTX 4090': 'rtx_4090',
  '4070 ti super': 'rtx_4070_ti_super',
  'A100-80GB': 'a100_sxm_80gb',
  'a100 80g': 'a100_sxm_80gb',
  'NVIDIA A100 80GB PCIe': 'a100_pcie_80gb',
  'a100-40gb': 'a100_sxm_40gb',
  'h100-80gb': 'h100_sxm',
  'H100-SXM5-80GB': 'h100_sxm',
  'h100 nvl': 'h100_nvl',
  'h200-141gb': 'h200_sxm',
  'mi300x-192gb': 'mi300x',
  'rtx-a6000': 'rtx_a6000',
  a6000: 'rtx_a6000',
  'M2 Max': 'm2_max',
  'cpu-8gib': 'cpu_8gib',
  'g5.12xlarge': 'aws_g5_12xlarge',
  Standard_NC24ads_A100_v4: 'azure_nc24ads_a100_v4',
  p4d: 'aws_p4d_24xlarge',
  'c7i.4xlarge': 'aws_c7i_4xlarge',
  'n2-standard-8': 'gcp_n2_standard_8',
  Standard_D8s_v5: 'azure_d8s_v5',
};

describe('machines', () => {
  it('of the catalogue have what a plan needs, and say where it is from', () => {
    expect(catalogue.length).to.be.greaterThan(150);
    const cards = catalogue.filter(({ device, provider }) => device !== undefined && provider === undefined);
    expect(cards.length).to.be.greaterThan(60);
    for (const { name, bandwidth, rates, source, memory } of cards) {
      expect(bandwidth, name).to.be.within(50e9, 20e12);
      expect(rates?.f16, name).to.be.greaterThan(1e12);
      expect(source, name).to.be.a('string');
      expect(memory, name).to.be.within(4 * 2 ** 30, 512 * 2 ** 30);
      for (const format of RATE_FORMATS) expect(rates?.[format] ?? 1e12, name).to.be.within(1e12, 10e15);
    }
    for (const { name, price, priced, provider } of catalogue) {
      expect(priced === undefined, name).to.equal(price === undefined);
      if (priced !== undefined) expect(priced, name).to.match(/, 20\d\d-(?:0[1-9]|1[0-2])\b/);
      if (provider !== undefined) expect(price, name).to.be.within(0.1, 200);
    }
  });

  it('that are rented out take over the figures of their card, and not its price', () => {
    const [rented, card] = [found('aws_p4d_24xlarge')?.machine, found('a100_sxm_40gb')?.machine];
    expect(rented).to.include({ devices: 8, memory: card?.memory, bandwidth: card?.bandwidth });
    expect(rented?.rates).to.deep.equal(card?.rates);
    expect(rented?.aliases).to.deep.equal(['p4d.24xlarge']);
  });

  for (const [name, meant] of Object.entries(SPELLINGS))
    it(`are found as ${name}`, () => {
      const match = found(name);
      expect(match?.machine.name).to.equal(meant);
      expect(match?.others).to.deep.equal([]);
    });

  it('of a name that several have are the first, with the others', () => {
    const match = found('a100');
    expect(match?.machine.name).to.equal('a100_sxm_80gb');
    expect(match?.others.map(({ name }) => name)).to.deep.equal([
      'a100_sxm_40gb',
      'a100_pcie_40gb',
      'a100_pcie_80gb',
    ]);
    expect(found('v100')?.others).to.have.length(2);
    expect(found('h100')?.machine.name).to.equal('h100_sxm');
  });

  it('come in numbers', () => {
    const match = found('8x h100 sxm');
    expect(match).to.include({ devices: 8 });
    expect(match && planMachine(match).devices).to.have.length(8);
    expect(found('a100 x4')).to.include({ name: 'a100_sxm_80gb', devices: 4 });
    const instance = found('g5.48xlarge');
    expect(instance && planMachine(instance).devices).to.have.length(8);
  });

  it('that there are not have neighbours', () => {
    for (const none of ['rtx9090', '0x a100', 'a100 x0', '-2x a100', '1.5x a100'])
      expect(found(none), none).to.equal(undefined);
    expect(nearestMachine('rtx 3091', catalogue)).to.equal('rtx_3090');
    expect(nearestMachine('h1000', catalogue)).to.equal('h100_sxm');
    expect(nearestMachine('H200x', catalogue)).to.equal('h200_sxm');
    expect(nearestMachine('rtx4900', catalogue)).to.equal('rtx_4090');
    expect(nearestMachine('abacus', catalogue)).to.equal(undefined);
  });

  it('leave some of their memory to others', () => {
    const bytes = (name: string): number => {
      const match = found(name);
      if (match === undefined) throw new Error(name);
      return availableBytes(planMachine(match)) / match.machine.memory;
    };
    expect(bytes('rtx_3090')).to.be.closeTo(0.95, 1e-6);
    expect(bytes('cpu_8gib')).to.be.closeTo(0.9, 1e-6);
    expect(bytes('m2_max')).to.be.closeTo(0.75, 1e-6);
  });

  it('of a pipeline, and of what it imports, precede those of the catalogue', () => {
    const files = overlayHost('/pipelines', {
      'ours.ftp': 'edition 2026\n\nmachine shared { memory = 12GiB, usable = 80% }\n',
      'a.ftp': `edition 2026

import { synthetic } from "std/data"
import { rtx_3090 } from "std/machines"
import { shared } from "./ours.ftp"

machine t4 using rtx_3090 { devices = 2, price = 0.2usd/h }

data rows { source = synthetic(rows: 10, length: 8tok) }
`,
    });
    const { program, diagnostics } = compile(files, 'a.ftp');
    expect(diagnostics).to.deep.equal([]);
    const machines = knownMachines(files, program);
    expect(findMachine('t4', machines)?.machine).to.include({
      devices: 2,
      memory: 24_576 * 2 ** 20,
      price: 0.2,
    });
    expect(findMachine('shared', machines)?.machine).to.include({ memory: 12 * 2 ** 30, usable: 0.8 });
  });
});

describe('a run on a machine that is not here', () => {
  const folder = pipelineFolder();
  after(() => folder.remove());
  const on = (machine: string) => plan(folder.program(TEXT), folder.host, { ...QUICK, machine });

  it('has a time where a machine without a GPU says how many cores it has', async () => {
    expect((await on('m1')).totals.seconds?.expected).to.be.above(0);
    expect((await on('cpu-16gib')).totals.seconds).to.equal(null);
  });

  it('has a cost where a machine without a GPU is rented out, and as many stages at once as that has cores for', async () => {
    const [small, large] = [await on('c7i.xlarge'), await on('c7i.16xlarge')];
    const hours = (small.parallel.seconds?.expected ?? 0) / 3600;
    expect(small.cost.usd?.expected).to.be.closeTo(0.1785 * hours, 1e-9);
    expect(large.totals.seconds?.expected).to.be.below(small.totals.seconds?.expected ?? 0);
    expect(large.parallel.stages).to.be.at.least(small.parallel.stages);
    expect(small.cost.gpuHours?.expected).to.equal(0);
  });
});
