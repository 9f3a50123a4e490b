/** Page faults of twenty runs of a product whose factor is packed, in a process as pipelines have them. */

import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { openRuntime } from '../../../../src/compute/tensor/runtimes/index.js';
import { VARIANTS } from '../../../../src/compute/tensor/runtimes/tensorflow/variants.js';
import { f32 } from '../../../../src/compute/tensor/shape.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

const options = { threads: 2, variant: VARIANTS.xla, compiledFrom: 0 };
const runtime = await openRuntime(nodeHost(), 'tensorflow', options);
const [x, w, y] = [f32([512, 1536]), f32([576, 1536]), f32([512, 576])];
const b = new GraphBuilder('projection');
b.output('y', b.matmul(b.input('x', x.shape), b.input('w', w.shape), { transB: true }));
const compiled = await runtime.compile(b.build());
const held = (type: typeof x) =>
  runtime.memory.hold({ type, data: new Float32Array(type.shape.reduce((p, q) => p * q, 1)).fill(1) });
const [inputs, outputs] = [{ x: held(x), w: held(w) }, { y: runtime.memory.buffer().tensor(y) }];
const run = async (times: number) => {
  for (let time = 0; time < times; time++) await compiled.run(inputs, outputs);
};
await run(5);
const before = process.resourceUsage().minorPageFault;
await run(20);
process.stdout.write(JSON.stringify({ faults: process.resourceUsage().minorPageFault - before }));
