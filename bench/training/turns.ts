/**
 * Steps of LoRA and of QLoRA in turn, in one process: prints the ratio of their speeds as JSON. Two processes differ by
 * more than the two methods do.
 */
import type { Task } from './cases.js';
import { median } from './median.js';
import { stepper } from './step.js';

/** Turns a measured step of the task: a ratio near one needs more of them than a speed does. */
const TURNS = 4;

/** LoRA's median time over QLoRA's, whose base is decoded once, or in every pass. */
export interface Turns {
  readonly decodedOnce: number;
  readonly decodedEachPass: number;
}

const WAYS = [
  { method: 'lora' },
  { method: 'qlora', decodedOnce: true },
  { method: 'qlora', decodedOnce: false },
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
for (const { step } of timed) await step();
for (let turn = 0; turn < TURNS * task.steps; turn++)
  for (const { step, milliseconds } of timed) {
    const begun = performance.now();
    await step();
    milliseconds.push(performance.now() - begun);
  }
const [lora = Number.NaN, once = Number.NaN, each = Number.NaN] = timed.map(({ milliseconds }) =>
  median(milliseconds),
);
console.log(JSON.stringify({ decodedOnce: lora / once, decodedEachPass: lora / each } satisfies Turns));
for (const { release } of timed) await release();
