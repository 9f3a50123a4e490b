/** One runtime in a process of its own, which takes a step whenever it is told to. */
import { writeFileSync } from 'node:fs';
import { ownPeakMemory } from '../../src/language/host/process-memory.js';
import { stepper } from '../training/step.js';
import type { Answer, RuntimeTask } from './table.js';

const task = JSON.parse(process.argv[2] ?? '') as RuntimeTask;
const { step, runtime } = await stepper(task).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
const answer = (message: Answer): void => void process.send?.(message);

// the first step compiles, and brings the weights to the device
let loss = await step();
if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
process.on('message', async () => {
  const [begun, before] = [performance.now(), process.cpuUsage()];
  loss = await step();
  const { user, system } = process.cpuUsage(before);
  answer({
    ...{ loss, seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 },
    ...{ peakBytes: ownPeakMemory(), heldBytes: runtime.memory.account.peak },
    where: `${runtime.name} ${runtime.version}${runtime.device === undefined ? '' : ` on the ${runtime.device}`}`,
  });
});
answer({ loss, seconds: 0, cpuSeconds: 0, peakBytes: 0, heldBytes: 0, where: '' });
