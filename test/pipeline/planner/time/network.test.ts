/** Networks between machines: whose they are, and what they make of times. */
import { expect } from 'chai';
import { machineCatalogue } from '../../../../src/language/check/machine-catalogue.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { AccelerateRun } from '../../../../src/language/ir/engines.js';
import type { Machine } from '../../../../src/language/ir/machine.js';
import { machinesOf, networkOf } from '../../../../src/pipeline/planner/time/network.js';

const catalogue = machineCatalogue(nodeHost());

const named = (name: string): Machine => {
  const found = catalogue.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};

const ranks = (devices: number, nodes: number): AccelerateRun => ({
  ...{ name: 'accelerate', version: 'torch 2.15.0', versions: {}, attention: 'sdpa' },
  ...{ device: 'cuda', devices, nodes, sharding: 'auto' },
});

const of = (name: string, devices: number, nodes: number) =>
  networkOf(ranks(devices, nodes), named(name), catalogue);

describe('networks between machines', () => {
  it('are as declared, and exactly so', () => {
    const declared = { ...{ bytesPerSecond: 50e9, slowest: 50e9, fastest: 50e9 }, from: 'machine' };
    expect(of('aws_p4d_24xlarge', 8, 2)).to.deep.equal(declared);
    const own: Machine = { ...named('rtx_4090'), network: 50e9 };
    expect(networkOf(ranks(2, 2), own, catalogue)).to.deep.equal(declared);
  });

  it('of cards are those of machines that are rented out with as many, from the slowest to the fastest', () => {
    expect(of('h100_sxm', 8, 8)).to.deep.equal({
      ...{ bytesPerSecond: 400e9, slowest: 100e9, fastest: 400e9 },
      ...{ from: 'others', like: 'aws_p5_48xlarge' },
    });
    expect(of('a100_sxm_80gb', 8, 2)).to.deep.equal({
      ...{ bytesPerSecond: 50e9, slowest: 12.5e9, fastest: 200e9 },
      ...{ from: 'others', like: 'aws_p4de_24xlarge' },
    });
  });

  it('are slow where nothing is known of them, and may be fast', () => {
    const unknown = { ...{ bytesPerSecond: 1.25e9, slowest: 1.25e9, fastest: 400e9 }, from: 'default' };
    expect(of('rtx_4090', 2, 2)).to.deep.equal(unknown);
    // what a cloud rents out without saying it has no network for training
    expect(of('lambda_8x_h100_sxm', 8, 2)).to.deep.equal(unknown);
  });

  it('are none within one machine, or between processors', () => {
    expect(of('h100_sxm', 8, 1)).to.equal(undefined);
    expect(of('cpu_64gib', 1, 4)).to.equal(undefined);
    expect(networkOf(ranks(8, 2), undefined, catalogue)).to.equal(undefined);
  });

  it('are between machines that are rented out, too, where one has fewer devices than compute', () => {
    expect(machinesOf(ranks(16, 1), named('aws_p5_48xlarge'))).to.deep.equal({ devices: 8, nodes: 2 });
    expect(of('aws_p5_48xlarge', 16, 1)?.bytesPerSecond).to.equal(400e9);
    expect(machinesOf(ranks(16, 1), named('h100_sxm'))).to.deep.equal({ devices: 16, nodes: 1 });
    expect(machinesOf(ranks(4, 3), named('aws_p5_48xlarge'))).to.deep.equal({ devices: 4, nodes: 3 });
  });
});
