/** Loss, logits, gradients and greedy text of bottleneck adapters against AdapterHub's `adapters`. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseConfig } from '../../../src/models/config/index.js';
import { createDecoder } from '../../../src/models/decoder/index.js';
import type { Batch, Decoder, DecoderOptions } from '../../../src/models/decoder/types.js';
import type { Json } from '../../../src/models/json-file.js';
import type { Adapter } from '../../../src/models/types.js';
import { parseBottleneck } from '../../../src/packaging/adapterhub/config-file.js';
import { onnxRuntime } from '../../../src/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../src/tensor/types.js';
import { memoryWeights, type Packed, relativeError, unpack } from './fixture.js';

const LOSS = 1e-6;
const LOGITS = 1e-5;
const GRADIENTS = 1e-5;
const NO_DROPOUT = { seed: 0, step: 0, micro: 0 };

/** See test/fixtures/bottleneck/record.py. */
interface Recording {
  readonly config: Json;
  readonly lengths: readonly number[];
  readonly rows: number;
  readonly length: number;
  readonly supervised: number;
  readonly ids: readonly number[];
  readonly labels: readonly number[];
  readonly weights: Readonly<Record<string, Packed>>;
  readonly adapter: {
    /** What `adapters` writes as adapter_config.json. */
    readonly config: Json;
    readonly tensors: Readonly<Record<string, Packed>>;
    readonly logits: Packed;
    readonly rows: readonly number[];
    readonly gradients: Readonly<Record<string, Packed>>;
    readonly greedy: readonly (readonly number[])[];
  };
}

// compiled tests lie one folder deeper than the fixtures' own root
const FOLDER = new URL('../../../../test/fixtures/bottleneck/', import.meta.url);
const NAMES = readdirSync(FOLDER).flatMap((file) =>
  file.endsWith('.json') ? [file.replace('.json', '')] : [],
);

for (const name of NAMES)
  describe(`bottleneck adapters, ${name}`, () => {
    const recording: Recording = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
    const { rows, length, adapter: expected } = recording;
    const config = parseConfig(recording.config, `${name}.json`);
    const weights = memoryWeights(recording.weights);
    const adapter: Adapter = {
      config: parseBottleneck(expected.config, name).config,
      tensors: new Map(
        Object.entries(expected.tensors).map(([key, packed]) => [
          key,
          { shape: packed.shape, data: unpack(packed) },
        ]),
      ),
    };
    const batch: Batch = {
      rows,
      length,
      ids: Int32Array.from(recording.ids),
      labels: Int32Array.from(recording.labels),
    };
    let runtime: Runtime;
    const open = (changes: Partial<DecoderOptions> = {}): Promise<Decoder> =>
      createDecoder({
        runtime,
        config,
        weights,
        adapter,
        trainable: 'adapter',
        checkpointedBlocks: 0,
        headChunk: 64,
        ...changes,
      });
    before(async () => {
      // even the smallest intermediates in shared memory, so that a wrong lifetime shows
      runtime = await onnxRuntime({ threads: 1, scratch: 0 });
    });

    const compareGradients = (decoder: Decoder) => {
      expect([...decoder.gradients.keys()].sort()).to.deep.equal(Object.keys(expected.gradients).sort());
      for (const [key, packed] of Object.entries(expected.gradients))
        expect(relativeError(decoder.gradients.get(key) ?? [], unpack(packed)), key).to.be.at.most(GRADIENTS);
    };

    it('gives the loss of each row, the logits and every gradient', async () => {
      const decoder = await open();
      const result = await decoder.accumulate(batch, 1 / recording.supervised, NO_DROPOUT);
      expect(result.tokens).to.equal(recording.supervised);
      result.rows.forEach(({ sum }, row) => {
        expect(Math.abs(sum / (expected.rows[row] ?? 0) - 1)).to.be.at.most(LOSS);
      });
      compareGradients(decoder);
      expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(LOGITS);
      await decoder.release();
    });

    for (const [title, changes] of [
      ['recomputed', { checkpointedBlocks: 9 }],
      ['half recomputed, head in chunks of 7', { checkpointedBlocks: 1, headChunk: 7 }],
      ['decoded into a workspace', { weights: memoryWeights(recording.weights, false) }],
    ] as const)
      it(`gives the same when ${title}`, async () => {
        const decoder = await open(changes);
        await decoder.accumulate(batch, 1 / recording.supervised, NO_DROPOUT);
        compareGradients(decoder);
        await decoder.release();
      });

    it('gives the same from two texts in one row', async () => {
      const decoder = await open();
      const texts = recording.lengths.map((count, row) => [row * length, row * length + count] as const);
      const joined = (data: Int32Array) =>
        Int32Array.from(texts.flatMap(([start, end]) => [...data.subarray(start, end)]));
      const labels = Int32Array.from(
        texts.flatMap(([start, end]) => [-100, ...batch.labels.subarray(start + 1, end)]),
      );
      const segments = Int32Array.from(texts.flatMap(([start, end], row) => Array(end - start).fill(row)));
      const packed = { rows: 1, length: segments.length, ids: joined(batch.ids), labels, segments };
      await decoder.accumulate(packed, 1 / recording.supervised, NO_DROPOUT);
      compareGradients(decoder);
      await decoder.release();
    });

    it('continues prompts of unequal length as the library does', async () => {
      const decoder = await open({ trainable: 'none' });
      const session = await decoder.session(rows, 40);
      const argmax = (logits: Float32Array, row: number) => {
        const scores = logits.subarray(row * config.vocabSize, (row + 1) * config.vocabSize);
        return scores.indexOf(Math.max(...scores));
      };
      const texts: number[][] = recording.lengths.map(() => []);
      let next = recording.lengths.map((count, row) => batch.ids.slice(row * length, row * length + count));
      for (let step = 0; step < 12; step++) {
        const logits = await session.append(next);
        next = texts.map((text, row) => {
          text.push(argmax(logits, row));
          return Int32Array.of(text.at(-1) ?? 0);
        });
      }
      expect(texts).to.deep.equal(expected.greedy);
      await session.release();
      await decoder.release();
    });
  });
