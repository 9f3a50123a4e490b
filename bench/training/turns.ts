/**
 * Steps of LoRA and of QLoRA and products alone in turn, in one process: prints the ratios of their speeds as JSON. Two
 * processes differ by more than the two methods do, and a shared machine is faster in one minute than in the next.
 */

import { nodeHost } from '../../src/language/host/node-host.js';
import { speedMeter } from '../../src/pipeline/planner/speed.js';
import type { Task } from './cases.js';
import { median } from './median.js';
import { flopsPerToken } from './planned.js';
import { stepper } from './step.js';

/** Turns a measured step of the task: a ratio near one needs more of them than a speed does. */
const TURNS = 4;

/** Milliseconds of products in a turn. */
const PRODUCTS = 100;

/** LoRA's median time over QLoRA's, whose base is decoded once, or in every pass. */
export interface Turns {
  /** LoRA's rate of arithmetic over that of products alone through ONNX Runtime right after it: a median. */
  readonly products: number;
  readonly materialised: number;
  readonly decodedEachPass: number;
}

const WAYS = [
  { method: 'lora' },
  { method: 'qlora', materialised: true },
  { method: 'qlora', materialised: false },
] as const;

const task = JSON.parse(process.argv[2] ?? '') as Task;
const { way } = task;
if (way.by !== 'ftpc') throw new Error(`a step of ${way.by} is not computed here`);
const timed = await Promise.all(
  WAYS.map(async (own) => ({
    ...(await stepper({ ...task, way: { ...way, ...own } })),
    milliseconds: [] as number[],
  })),
);
const flops = flopsPerToken(task, way.logitsChunk) * task.rows * task.length;
const meter = await speedMeter(nodeHost(), 'onnx', task.threads);
const shares: number[] = [];
for (const { step } of timed) await step();
for (let turn = 0; turn < TURNS * task.steps; turn++)
  for (const [index, { step, milliseconds }] of timed.entries()) {
    const begun = performance.now();
    await step();
    const took = performance.now() - begun;
    milliseconds.push(took);
    if (index > 0) continue;
    const { flopsPerSecond } = await meter.measure(PRODUCTS);
    shares.push((1000 * flops) / took / flopsPerSecond);
  }
const [lora = Number.NaN, once = Number.NaN, each = Number.NaN] = timed.map(({ milliseconds }) =>
  median(milliseconds),
);
console.log(
  JSON.stringify({
    products: median(shares),
    materialised: lora / once,
    decodedEachPass: lora / each,
  } satisfies Turns),
);
await meter.release();
for (const { release } of timed) await release();
