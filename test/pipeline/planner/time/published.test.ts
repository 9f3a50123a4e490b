import { expect } from 'chai';
import { machineCatalogue } from '../../../../src/language/check/machine-catalogue.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { decoderWork } from '../../../../src/pipeline/planner/time/decoder-work.js';
import { deviceSpeed } from '../../../../src/pipeline/planner/time/device.js';
import { stepSeconds } from '../../../../src/pipeline/planner/time/rank-seconds.js';
import { FORETOLD } from '../../../../src/pipeline/planner/time/utilisation.js';
import { PUBLISHED_RATES, type PublishedRate } from './published-rates.js';

const machines = machineCatalogue(nodeHost());

/** Bytes of a weight as it lies there, and is sent. */
const BYTES = { full: 2, lora: 2, qlora: 0.52 } as const;

/** Seconds of a step that are foretold, of those that were published. */
function ratio(rate: PublishedRate): number {
  const {
    model,
    method,
    rows,
    length,
    rank = 0,
    targets = 0,
    devices = 1,
    nodes = 1,
    accumulation = 1,
  } = rate;
  const machine = machines.find(({ name }) => name === rate.machine);
  const device = machine && deviceSpeed({ ...machine, network: 200e9 }, 'bf16');
  if (device === undefined) throw new Error(rate.machine);
  const work = decoderWork(model);
  const isFull = method === 'full';
  const trained = isFull ? work.weights : (rank * work.through * work.layers * targets) / 7;
  const world = devices * nodes;
  const seconds = stepSeconds(
    work,
    {
      ...{
        rows,
        length,
        supervised: 1,
        weightBytes: BYTES[method],
        width: 2,
        isQuantised: method === 'qlora',
      },
      ...{
        isFull,
        trained,
        targets,
        recomputed: rate.recomputed ? 1 : 0,
        microBatches: accumulation * world,
      },
      ...{ sharding: rate.sharding, devices, nodes, state: 8 * trained },
    },
    device,
  );
  const published = (accumulation * world * rows * length) / rate.measured;
  return seconds / published;
}

describe('times of the accelerate engine', () => {
  const ratios = PUBLISHED_RATES.map((rate) => ({
    source: rate.source,
    machine: rate.machine,
    ratio: ratio(rate),
  }));
  if (process.env['SHOW_RATES'] !== undefined)
    for (const row of ratios) console.log(row.ratio.toFixed(2), row.machine, row.source);

  it('are near those that were published', () => {
    const errors = ratios.map((row) => Math.abs(Math.log(row.ratio))).sort((a, b) => a - b);
    const median = errors[Math.floor(errors.length / 2)] ?? 0;
    expect(Math.exp(median)).to.be.lessThan(1.2);
  });

  it('have intervals that hold nine in ten of them', () => {
    // a time of `ratio` 2 is twice what was measured: its low end, 0.6 of it, is above that
    const inside = ratios.filter(({ ratio: it }) => it * FORETOLD.low <= 1 && it * FORETOLD.high >= 1);
    expect(inside.length / ratios.length).to.be.at.least(0.9);
  });
});
