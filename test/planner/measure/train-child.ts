/**
 * Trains a model of random weights on random rows in this process and prints the most that was resident, by stage of
 * the work: what the planner's figure is compared with. Its one argument is a {@link Workload} as JSON.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDecoder } from '../../../src/models/decoder/index.js';
import { initLora, initModel } from '../../../src/models/initialise.js';
import type { ModelConfig, StoredTensor, WeightStore } from '../../../src/models/types.js';
import { halfTensor } from '../../../src/models/weights/dense.js';
import { encodeFloat16 } from '../../../src/models/weights/half.js';
import { PROJECTIONS } from '../../../src/models/weights/llama-names.js';
import { quantiseNf4 } from '../../../src/models/weights/nf4-quantise.js';
import { nf4Tensor } from '../../../src/models/weights/nf4-tensor.js';
import { weightStore } from '../../../src/models/weights/store.js';
import { nodeHost } from '../../../src/source/node-host.js';
import { workFolder } from '../../../src/store/index.js';
import { onnxRuntime } from '../../../src/tensor/runtimes/onnx/index.js';
import { checkpoints, type TokenRows, train } from '../../../src/training/index.js';
import type { Workload } from './workload.js';

const workload = JSON.parse(process.argv[2] ?? '{}') as Workload;
const { chosen, lengths, steps } = workload;
const config: ModelConfig = workload.config;

const resident = (field: 'VmHWM' | 'VmRSS'): number =>
  Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;

function stored(fresh: WeightStore): WeightStore {
  if (chosen.method === 'full' || workload.file === 'F32') return fresh;
  return weightStore(
    'random weights',
    fresh.names().map((name): StoredTensor => {
      const tensor = fresh.get(name);
      const data = tensor.view() ?? new Float32Array(0);
      if (chosen.method === 'qlora' && name.includes('_proj'))
        return nf4Tensor(
          name,
          tensor.shape,
          quantiseNf4(data.length, (start, count) => data.subarray(start, start + count)),
        );
      return halfTensor(name, tensor.shape, 'F16', encodeFloat16(data));
    }),
  );
}

function rows(count: number, seed: number): TokenRows {
  const lengthOf = (row: number): number => lengths[(row + seed) % lengths.length] ?? 8;
  return {
    count,
    lengthOf,
    read: (row) => {
      const length = lengthOf(row);
      const ids = Int32Array.from({ length }, (_, index) => (row * 31 + index * 7 + seed) % config.vocabSize);
      return { ids, labels: ids.map((id, index) => (index < length / 4 ? -100 : id)) };
    },
  };
}

const marks: Record<string, number> = { start: resident('VmRSS') };
const runtime = await onnxRuntime({ threads: 2 });
marks['runtime'] = resident('VmRSS');
const lora = { rank: chosen.rank, alpha: chosen.alpha, dropout: workload.dropout, targets: [...PROJECTIONS] };
const full = chosen.method === 'full';
const decoder = await createDecoder({
  runtime,
  config,
  weights: stored(initModel(config, 1)),
  adapter: full ? undefined : initLora(config, lora, 1),
  trainable: full ? 'full' : 'adapter',
  checkpointedBlocks: chosen.checkpointedBlocks,
  headChunk: chosen.headChunk,
});
marks['model'] = resident('VmRSS');
const folder = mkdtempSync(join(tmpdir(), 'ftpc-measure-'));
let stepSeconds = 0;
try {
  await train({
    decoder,
    rows: rows(workload.rows, 0),
    validation: workload.validation > 0 ? rows(workload.validation, 3) : undefined,
    padId: 0,
    settings: {
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      decay: 0,
      rate: 1e-3,
      schedule: { name: 'constant', warmupSteps: 0 },
      clip: 1,
      totalSteps: steps,
      globalBatch: chosen.microBatch * chosen.accumulation,
      microBatch: chosen.microBatch,
      order: 'shuffled',
      seed: 1,
      every: Math.max(1, Math.floor(steps / 2)),
    },
    checkpoints: checkpoints({
      host: nodeHost(folder),
      work: workFolder(join(folder, 'work'), () => {}),
      digest: 'measure',
      keep: 2,
      note: () => {},
    }),
    now: () => performance.now(),
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'step') {
        stepSeconds += event.record.seconds;
        if (workload.trace === true)
          console.error(
            event.record.step,
            Math.round(resident('VmRSS') / 2 ** 20),
            Math.round(resident('VmHWM') / 2 ** 20),
            JSON.stringify(
              Object.fromEntries(
                Object.entries(process.memoryUsage()).map(([k, v]) => [k, Math.round(v / 2 ** 20)]),
              ),
            ),
          );
      }
    },
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(JSON.stringify({ peak: resident('VmHWM'), marks, stepSeconds }));
process.exit(0);
