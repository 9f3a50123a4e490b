import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { f32Writable, safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import { readAdapter, writeAdapter } from '../../../../src/compute/packaging/adapters.js';
import { checkAdapter } from '../../../../src/compute/packaging/check-base.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { BOTTLENECK_FIXTURES, bottleneckFixture } from '../../models/decoder/bottleneck-fixture.js';
import { memoryWeights, relativeError, unpack } from '../../models/decoder/fixture.js';
import { linesFrom, outputIn } from '../python.js';

const host = nodeHost();
const script = join(host.packageFolder, 'test/compute/packaging/adapterhub/logits.py');

/** A Python with `adapters`: that of `FTPC_ADAPTERS_PYTHON`, or `python3`. */
const python = process.env['FTPC_ADAPTERS_PYTHON'] || 'python3';
const isThere = spawnSync(python, ['-c', 'import adapters']).status === 0;

const names = BOTTLENECK_FIXTURES;

const why = isThere ? '' : ` (skipped: no Python with adapters; FTPC_ADAPTERS_PYTHON names one)`;

describe(`bottleneck adapters in AdapterHub's library${why}`, () => {
  let folder = '';
  let theirs: readonly (readonly number[])[] = [];
  const ours: Float32Array[] = [];

  before(async function () {
    // without the library there is nothing to compare with
    if (!isThere) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'ftpc-adapters-'));
    for (const name of names) ours.push(await written(name));
    const folders = names.map((name) => join(folder, name));
    theirs = linesFrom(python, script, folders);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const output = outputIn(() => folder);

  /** Writes base and adapter, reads the adapter back, and gives the logits that they have here. */
  async function written(name: string): Promise<Float32Array> {
    const { recording, config, adapter, batch } = bottleneckFixture(name);
    const tensors = Object.entries(recording.weights).map(([key, packed]) =>
      f32Writable(key, packed.shape, unpack(packed)),
    );
    output.write(`${name}/base/config.json`, JSON.stringify(recording.config));
    output.write(`${name}/base/model.safetensors`, safetensorsChunks(tensors));
    const { rows, length, ids } = batch;
    const texts = Array.from({ length: rows }, (_, row) => [
      ...ids.subarray(row * length, (row + 1) * length),
    ]);
    output.write(`${name}/ids.json`, JSON.stringify(texts));
    writeAdapter(output, `${name}/adapter`, adapter, {
      base: { name: `${name}/base`, revision: null, shape: config },
    });
    const read = readAdapter(host, join(folder, name, 'adapter'));
    checkAdapter(read, config, name);
    const decoder = await createDecoder({
      runtime: await onnxRuntime({ threads: 1 }),
      config,
      weights: memoryWeights(recording.weights),
      adapter: read,
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: 64,
    });
    const logits = await decoder.logits(batch);
    await decoder.release();
    return logits;
  }

  for (const [index, name] of names.entries())
    it(`${name}: the logits are ours (1e-5 of the largest)`, () => {
      expect(relativeError(theirs[index] ?? [], ours[index] ?? [])).to.be.below(1e-5);
    });
});
