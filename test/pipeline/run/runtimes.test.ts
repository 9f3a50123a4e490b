/** A whole pipeline on the runtimes that have to be installed: the losses of a training are those of ONNX Runtime. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readConfig } from '../../../src/compute/models/config/index.js';
import { initModel } from '../../../src/compute/models/initialise.js';
import { safetensorsChunks } from '../../../src/compute/models/safetensors/write.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { RuntimeName } from '../../../src/language/ir/runtimes.js';
import { openHere, whereInstalled } from '../../compute/tensor/runtimes/here.js';
import { freshFolder, ftpc } from '../../tools/cli/folders.js';
import { rowsText } from './pipelines.js';

/** Relative. */
const LOSS = 1e-4;
/** WebGPU is tried on a driver in software, which is slow. */
const STEPS = { webgpu: 4, wasm: 8 } as const;

const pipeline = (method: string, steps: number): string => `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
}

format dialogs {
  from = rows
  template = chat()
  model = local("model")
  max_length = 64tok
}

train adapter using ${method} {
  base = local("model")
  dataset = dialogs.train
  lora = { rank: 4, alpha: 8 }
  optimizer = adamw(rate: 5e-3)
  batch = { global: 1, micro: 1 }
  stop = { steps: ${steps} }
  fallback = []
}
`;

/** A Llama of hidden size 64 with random weights, and the byte tokenizer of the tiny model. */
function writeModel(folder: string): void {
  const host = nodeHost(folder);
  cpSync(join(host.packageFolder, 'test/fixtures/evaluation/tiny/base'), folder, { recursive: true });
  const path = join(folder, 'config.json');
  const written = {
    ...(JSON.parse(readFileSync(path, 'utf8')) as object),
    ...{ hidden_size: 64, head_dim: 16, intermediate_size: 96 },
  };
  writeFileSync(path, JSON.stringify(written));
  const store = initModel(readConfig(host, folder), 7);
  const tensors = store.names().map((name) => {
    const tensor = store.get(name);
    const values = new Float32Array(tensor.shape.reduce((p, q) => p * q, 1));
    tensor.dequantise(values);
    return {
      name,
      dtype: 'F32' as const,
      shape: tensor.shape,
      chunks: () => [new Uint8Array(values.buffer)],
    };
  });
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([...safetensorsChunks(tensors)]));
}

interface Event {
  readonly type?: string;
  readonly loss?: number;
  readonly code?: string;
}

async function ran(runtime: RuntimeName, method: string, steps: number): Promise<readonly Event[]> {
  const folder = freshFolder();
  mkdirSync(join(folder, 'model'));
  writeModel(join(folder, 'model'));
  writeFileSync(join(folder, 'rows.jsonl'), rowsText(40).split('\n').slice(0, 40).join('\n'));
  writeFileSync(join(folder, 'tiny.ftp'), pipeline(method, steps));
  const { code, out, err } = await ftpc(folder, ['run', 'tiny.ftp', '--runtime', runtime, '--json']);
  expect(code, err + out).to.equal(0);
  return out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Event);
}

const lossesOf = (events: readonly Event[]): readonly number[] =>
  events.flatMap(({ type, loss }) => (type === 'stage.progress' && loss !== undefined ? [loss] : []));

for (const runtime of ['webgpu', 'wasm'] as const)
  describe(`a pipeline with a tiny Llama on ${runtime} @long`, () => {
    whereInstalled(runtime, () => {
      for (const method of ['lora', 'qlora'])
        it(`${method} has the losses of ONNX Runtime over ${STEPS[runtime]} steps`, async () => {
          const steps = STEPS[runtime];
          const events = await ran(runtime, method, steps);
          const [expected, found] = [lossesOf(await ran('onnx', method, steps)), lossesOf(events)];
          const { driver } = await openHere(runtime);
          const slow = events.filter(({ code }) => code === 'FTP0936');
          expect(slow.length, 'told once of a driver in software').to.equal(
            driver?.isSoftware === true ? 1 : 0,
          );
          expect(expected.length).to.equal(steps);
          expect(found.length).to.equal(steps);
          expect(expected.at(-1)).to.be.below(expected[0] ?? 0);
          found.forEach((loss, step) => {
            expect(Math.abs(loss / (expected[step] ?? 0) - 1), `step ${step + 1}`).to.be.below(LOSS);
          });
        });
    });
  });
