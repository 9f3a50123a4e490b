/**
 * Run in a process of its own: how much resident memory a training step really takes, in bytes. Arguments: what is
 * planned, as JSON, the name of the runtime, and that of an optimiser whose step is taken too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { labelsOf } from '../../../../src/compute/models/adapters/classifier.js';
import { adapterShapes } from '../../../../src/compute/models/adapters/kinds.js';
import { expectedTensors } from '../../../../src/compute/models/architectures/index.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import type { StoredTensor } from '../../../../src/compute/models/types.js';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { openRuntime } from '../../../../src/compute/tensor/runtimes/index.js';
import { createUpdater } from '../../../../src/compute/training/create-updater.js';
import { OPTIMIZERS, type OptimizerName } from '../../../../src/compute/training/optimizers/index.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { shareableFloats } from '../../../../src/language/host/shareable.js';
import type { RuntimeName } from '../../../../src/language/ir/runtimes.js';
import { stored } from './fixture.js';

const resident = (key: 'VmRSS' | 'VmHWM') =>
  1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

const options: DecoderPlanOptions = JSON.parse(process.argv[2] ?? '');
const { config, rows, length } = options;
const runtime = await openRuntime(nodeHost(), (process.argv[3] ?? 'onnx') as RuntimeName, { threads: 1 });
// what the runtime itself takes is there before the measurement begins
const b = new GraphBuilder('warm');
b.output('y', b.neg(b.input('x', [1])));
const warm = await runtime.compile(b.build());
await warm.run({ x: { type: { dtype: 'f32', shape: [1] }, data: new Float32Array(1) } });

// without garbage, whose pages would be used again and hide growth
const filled = (shape: readonly number[]) => {
  const data = shareableFloats(shape.reduce((p, q) => p * q, 1));
  for (let index = 0; index < data.length; index++) data[index] = 0.02 * Math.sin(index);
  return data;
};
const tensors = new Map<string, StoredTensor>();
const add = (name: string, shape: readonly number[]) =>
  tensors.set(name, stored(name, shape, filled(shape), !options.dequantised));
for (const { name, shape } of expectedTensors(config)) add(name, shape);
const shapes = options.adapter ? adapterShapes(config, options.adapter) : [];
const adapter = options.adapter && {
  config: options.adapter,
  tensors: new Map(shapes.map(({ name, shape }) => [name, { shape, data: filled(shape) }] as const)),
};

// V8 gives freed memory back in the background: wait until it has
for (let turn = 0; turn < 5; turn++) {
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 60));
}
writeFileSync('/proc/self/clear_refs', '5');
const before = resident('VmRSS');
const decoder = await createDecoder({
  runtime,
  config,
  weights: {
    names: () => [...tensors.keys()],
    has: (name) => tensors.has(name),
    get(name) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new RangeError(name);
      return tensor;
    },
    residentBytes: 0,
  },
  adapter,
  trainable: options.trainable,
  checkpointedBlocks: options.checkpointedBlocks,
  recomputedMlps: options.recomputedMlps,
  logitsChunk: options.logitsChunk,
  vocabularyShard: options.vocabularyShard,
});
const ids = Int32Array.from({ length: rows * length }, (_, index) => (index * 7919) % config.vocabSize);
// a text has its class at its last token
const labels =
  (labelsOf(options.adapter) ?? config.labels) === undefined
    ? ids
    : Int32Array.from(ids, (_, index) => ((index + 1) % length === 0 ? index % 2 : -100));
const optimizer = process.argv[4] as OptimizerName | undefined;
const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, momentum: 0, loraplusRatio: 1 };
const updater = optimizer && createUpdater(decoder, OPTIMIZERS[optimizer], settings);
for (let step = 0; step < 2; step++) {
  decoder.zeroGradients();
  await decoder.accumulate({ rows, length, ids, labels }, 1, { seed: 1, step, micro: 0 });
  await updater?.norm();
  await updater?.update(step + 1, 1e-4, 1);
}
process.stdout.write(String(resident('VmHWM') - before));
