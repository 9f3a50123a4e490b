/** How fast this machine multiplies: a product of a decoder's size, through the runtime that will train. */
import type { Host } from '../source/host.js';
import { GraphBuilder } from '../tensor/builder.js';
import type { Speed } from './time.js';

const SIZE = 512;
const ROWS = 1024;
/** Milliseconds of measuring. */
const PATIENCE = 400;

export async function measureSpeed(host: Host, threads: number): Promise<Speed> {
  const { onnxRuntime } = await import('../tensor/runtimes/onnx/index.js');
  const runtime = await onnxRuntime({ threads });
  const builder = new GraphBuilder('speed');
  const x = builder.input('x', [ROWS, SIZE]);
  const w = builder.input('w', [SIZE, SIZE]);
  builder.output('y', builder.matmul(x, w));
  const graph = await runtime.compile(builder.build());
  const tensor = (rows: number) => ({
    type: { dtype: 'f32' as const, shape: [rows, SIZE] },
    data: new Float32Array(rows * SIZE).fill(0.5),
  });
  const [inputs, outputs] = [{ x: tensor(ROWS), w: tensor(SIZE) }, { y: tensor(ROWS) }];
  await graph.run(inputs, outputs);
  const begun = host.now();
  let runs = 0;
  let passed = 0;
  while (passed < PATIENCE) {
    await graph.run(inputs, outputs);
    runs++;
    passed = host.now() - begun;
  }
  await graph.release();
  return { flopsPerSecond: (2 * ROWS * SIZE * SIZE * runs * 1000) / passed };
}

/** Under what a measurement may be used again: the same processor, threads and runtime. */
export const speedKey = (host: Host, threads: number, runtime: string): string => {
  const { cpu, cores } = host.machine();
  return `${cpu}, ${cores} cores, ${threads} threads, ${runtime}`;
};
