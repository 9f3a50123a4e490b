/** One task in a process of its own: prints what was measured as JSON. */
import { writeFileSync } from 'node:fs';
import { ownPeakMemory } from '../../src/language/host/process-memory.js';
import type { Measured, Task } from './cases.js';
import { median } from './median.js';
import { stepper } from './step.js';

const task = JSON.parse(process.argv[2] ?? '') as Task;
const { step, release } = await stepper(task);
if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
const seconds: number[] = [];
let loss = await step();
for (let count = 0; count < task.steps; count++) {
  const begun = performance.now();
  loss = await step();
  seconds.push((performance.now() - begun) / 1000);
}
const found: Measured = {
  tokensPerSecond: (task.rows * task.length) / median(seconds),
  peakBytes: ownPeakMemory(),
  loss,
};
console.log(JSON.stringify(found));
await release();
