/** One task in a process of its own: prints what was measured as JSON. */
import { writeFileSync } from 'node:fs';
import { ownPeakMemory } from '../../src/language/host/process-memory.js';
import { median } from '../training/median.js';
import type { Measured, PairTask } from './cases.js';
import { pairStepper } from './step.js';

const task = JSON.parse(process.argv[2] ?? '') as PairTask;
const { ask, step, release } = await pairStepper(task);
if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};
await ask();
const loss = await step();
const [asking, stepping]: [number[], number[]] = [[], []];
for (let count = 0; count < task.steps; count++) {
  asking.push(await timed(ask));
  stepping.push(await timed(step));
}
const tokens = 2 * task.rows * task.length;
const found: Measured = {
  tokensPerSecond: tokens / median(stepping),
  withReference: tokens / (median(stepping) + median(asking)),
  peakBytes: ownPeakMemory(),
  loss,
};
console.log(JSON.stringify(found));
await release();
