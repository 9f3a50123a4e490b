/**
 * Steps of LoRA and of QLoRA in turn, in one process: prints the ratio of their speeds as JSON. Two processes differ by
 * more than the two methods do.
 */
import type { Task } from './cases.js';
import { median } from './median.js';
import { stepper } from './step.js';

/** Turns a measured step of the task: a ratio near one needs more of them than a speed does. */
const TURNS = 4;

/** LoRA's median time over QLoRA's. */
export interface Turns {
  readonly qloraOverLora: number;
}

const task = JSON.parse(process.argv[2] ?? '') as Task;
const { way } = task;
if (way.by !== 'ftpc') throw new Error(`a step of ${way.by} is not computed here`);
const timed = await Promise.all(
  (['lora', 'qlora'] as const).map(async (method) => ({
    ...(await stepper({ ...task, way: { ...way, method } })),
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
const [lora = Number.NaN, qlora = Number.NaN] = timed.map(({ milliseconds }) => median(milliseconds));
console.log(JSON.stringify({ qloraOverLora: lora / qlora } satisfies Turns));
for (const { release } of timed) await release();
