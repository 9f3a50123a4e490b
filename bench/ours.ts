/** One case in a process of its own: prints what was measured as JSON. */
import { writeFileSync } from 'node:fs';
import { initLora } from '../src/models/adapters/initialise.js';
import { projectionsOfModel } from '../src/models/architectures/index.js';
import { createDecoder } from '../src/models/decoder/index.js';
import { freshSource } from '../src/models/initialise.js';
import { weightAccess } from '../src/models/load.js';
import { headChunk } from '../src/planner/solve/start.js';
import { ownPeakMemory } from '../src/run/peak-memory.js';
import { onnxRuntime } from '../src/tensor/runtimes/onnx/index.js';
import { adamw } from '../src/training/optimizers/adamw.js';
import { createOptimizer } from '../src/training/optimizers/index.js';
import { optimiserStep } from '../src/training/step.js';
import type { Case, Measured } from './cases.js';

const { config, rows, length, method, recompute, rank, steps, threads } = JSON.parse(
  process.argv[2] ?? '',
) as Case;
const weights = weightAccess('fresh weights', config, () => freshSource(config, 1));
const targets = [...new Set(projectionsOfModel(config).map(({ target }) => target))];
const decoder = await createDecoder({
  runtime: await onnxRuntime({ threads }),
  config,
  weights: weights.loadWeights(method === 'qlora' ? 'nf4' : 'stored'),
  adapter: initLora(config, { rank, alpha: 2 * rank, dropout: 0, targets }, 1),
  trainable: 'adapter',
  checkpointedBlocks: recompute === 'all' ? config.layers : 0,
  headChunk: headChunk(config.vocabSize),
});
const optimizer = createOptimizer(adamw, decoder.parameters, {
  ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, momentum: 0, loraplusRatio: 1 },
});
const read = (row: number) => {
  const ids = Int32Array.from({ length }, (_, at) => ((row * length + at) * 7919 + 17) % config.vocabSize);
  return { ids, labels: ids };
};
const source = { count: rows, lengthOf: () => length, read };
if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
const seconds: number[] = [];
let loss = Number.NaN;
for (let step = 1; step <= steps + 1; step++) {
  const begun = performance.now();
  const done = await optimiserStep({
    ...{ decoder, optimizer, source, step, microBatch: rows, padId: 0, seed: 1, rate: 1e-4, clip: 1 },
    rows: Uint32Array.from({ length: rows }, (_, row) => row),
    pause: async () => {},
  });
  loss = done.loss;
  // The first step compiles.
  if (step > 1) seconds.push((performance.now() - begun) / 1000);
}
const median = seconds.sort((a, b) => a - b)[seconds.length >> 1] ?? Number.NaN;
const found: Measured = { tokensPerSecond: (rows * length) / median, peakBytes: ownPeakMemory(), loss };
console.log(JSON.stringify(found));
await decoder.release();
