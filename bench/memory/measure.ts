/**
 * Run in a process of its own: how much resident memory a training step really takes, in bytes. Its argument is a case, as
 * JSON. Resident memory can be read and reset on Linux only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { GraphBuilder } from '../../src/compute/tensor/builder.js';
import { openRuntime } from '../../src/compute/tensor/runtimes/index.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { MemoryCase } from './cases.js';
import { trainingSteps } from './step.js';

const resident = (key: 'VmRSS' | 'VmHWM') =>
  1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

const task: MemoryCase = JSON.parse(process.argv[2] ?? '');
const runtime = await openRuntime(nodeHost(), task.runtime, { threads: 1 });
// what the runtime itself takes is there before the measurement begins
const b = new GraphBuilder('warm');
b.output('y', b.neg(b.input('x', [1])));
const warm = await runtime.compile(b.build());
await warm.run({ x: { type: { dtype: 'f32', shape: [1] }, data: new Float32Array(1) } });

const steps = trainingSteps(task);
// V8 gives freed memory back in the background: wait until it has
for (let turn = 0; turn < 5; turn++) {
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 60));
}
writeFileSync('/proc/self/clear_refs', '5');
const before = resident('VmRSS');
await steps(runtime);
process.stdout.write(String(resident('VmHWM') - before));
