import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LoraConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { createDecoder, type Decoder } from '../../../src/compute/models/decoder/index.js';
import { openModel } from '../../../src/compute/models/load.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import {
  buildBatch,
  buildPacked,
  packedBatches,
  packedLength,
  packRows,
} from '../../../src/compute/training/batch.js';
import { checkpoints, type TrainingSettings, train } from '../../../src/compute/training/index.js';
import { uniform } from '../../../src/compute/training/order.js';
import type { StepRecord } from '../../../src/compute/training/state.js';
import { workFolder } from '../../../src/pipeline/store/index.js';
import { fixturePath, host, largestDifference, recordedRows, tokenRows } from './fixture.js';

const rowsOf = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row);

describe('packing', () => {
  const lengthsOf = (packs: readonly Uint32Array[], lengths: readonly number[]) =>
    packs.map((pack) => Array.from(pack, (row) => lengths[row] ?? 0));

  it('puts each row where it leaves least room, the longest first', () => {
    const lengths = [4, 3, 6, 2, 7, 1];
    const packs = packRows(rowsOf(6), 10, (row) => lengths[row] ?? 0);
    expect(lengthsOf(packs, lengths)).to.deep.equal([
      [7, 3],
      [6, 4],
      [2, 1],
    ]);
    expect(packs.map((pack) => [...pack])).to.deep.equal([
      [4, 1],
      [2, 0],
      [3, 5],
    ]);
  });

  it('takes every row once, and no sequence beyond its capacity but a row that is longer', () => {
    for (let trial = 0; trial < 50; trial++) {
      const lengths = Array.from(
        { length: 1 + trial },
        (_, row) => 1 + Math.floor(uniform(trial, 0, row) * 40),
      );
      const packs = packRows(rowsOf(lengths.length), 32, (row) => lengths[row] ?? 0);
      expect(packs.flatMap((pack) => [...pack]).sort((a, b) => a - b)).to.deep.equal([
        ...rowsOf(lengths.length),
      ]);
      for (const pack of lengthsOf(packs, lengths))
        expect(pack.length === 1 || pack.reduce((sum, length) => sum + length, 0) <= 32).to.equal(true);
      const least = Math.ceil(lengths.reduce((sum, length) => sum + Math.min(32, length), 0) / 32);
      // best fit decreasing needs at most 11/9 of the fewest sequences, and 4 more
      expect(packs.length).to.be.within(least, Math.ceil((11 / 9) * least) + 4);
    }
  });

  it('pads to few lengths', () => {
    expect([1, 64, 65, 500, 512].map((tokens) => packedLength(tokens, 512))).to.deep.equal([
      64, 64, 128, 512, 512,
    ]);
    expect(packedLength(40, 50)).to.equal(50);
    expect(new Set(rowsOf(2000).map((tokens) => packedLength(tokens + 1, 2000))).size).to.be.at.most(8);
  });

  it('keeps texts apart, and supervises no first token', () => {
    const rows = tokenRows([
      { ids: [1, 2, 3], labels: [1, -100, 3] },
      { ids: [4, 5], labels: [4, 5] },
    ]);
    const batch = buildPacked(rows, [Uint32Array.from([0, 1]), Uint32Array.from([1])], 9, {
      capacity: 8,
      longestText: 3,
    });
    expect({
      ...batch,
      ids: [...batch.ids],
      labels: [...batch.labels],
      segments: [...(batch.segments ?? [])],
    }).to.deep.equal({
      rows: 2,
      length: 8,
      longestText: 3,
      ids: [1, 2, 3, 4, 5, 9, 9, 9, 4, 5, 9, 9, 9, 9, 9, 9],
      labels: [-100, -100, 3, -100, 5, -100, -100, -100, -100, 5, -100, -100, -100, -100, -100, -100],
      segments: [0, 0, 0, 1, 1, 2, 3, 4, 0, 0, 1, 2, 3, 4, 5, 6],
    });
  });

  it('cuts sequences into micro batches, the fullest first', () => {
    const lengths = [4, 3, 6, 2, 7, 1];
    const cuts = packedBatches(rowsOf(6), 2, 10, (row) => lengths[row] ?? 0);
    expect(cuts.map((cut) => lengthsOf(cut, lengths))).to.deep.equal([
      [
        [7, 3],
        [6, 4],
      ],
      [[2, 1]],
    ]);
  });
});

describe('a step', () => {
  const rows = recordedRows();
  const folders: string[] = [];
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  async function decoderOf(): Promise<Decoder> {
    const { config, ...model } = openModel(host, fixturePath('base'));
    const weights = model.loadWeights('stored');
    const lora: LoraConfig = {
      kind: 'lora',
      rank: 4,
      alpha: 8,
      dropout: 0,
      targets: ['q_proj', 'v_proj', 'down_proj'],
    };
    return createDecoder({
      runtime: await onnxRuntime({ threads: 1 }),
      config,
      weights,
      adapter: initAdapter(config, lora, { seed: 3, weights }),
      trainable: 'adapter',
      checkpointedBlocks: 1,
      logitsChunk: 64,
    });
  }

  const SETTINGS: TrainingSettings = {
    rate: 5e-3,
    schedule: { name: 'cosine', warmupSteps: 1 },
    optimizer: 'adamw',
    momentum: 0,
    loraplusRatio: 1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    decay: 0.01,
    clip: 1,
    totalSteps: 10,
    globalBatch: 8,
    microBatch: 1,
    order: 'shuffled',
    seed: 17,
    every: 100,
  };

  /** Trains, in several goes where `stops` says so; the last go's decoder, with the records of all. */
  async function training(changes: Partial<TrainingSettings>, stops: readonly number[] = []) {
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-packing-'));
    folders.push(folder);
    const records: StepRecord[] = [];
    for (const stop of [...stops, Number.POSITIVE_INFINITY]) {
      const decoder = await decoderOf();
      const controller = new AbortController();
      const done = train({
        decoder,
        rows,
        padId: 2,
        settings: { ...SETTINGS, ...changes },
        checkpoints: checkpoints({
          host,
          work: workFolder(folder, () => {}),
          digest: 'packing',
          keep: 1,
          note: () => {},
        }),
        clock: () => 0,
        signal: controller.signal,
        emit(event) {
          if (event.type !== 'step') return;
          records.push(event.record);
          if (event.record.step === stop) controller.abort(new Error('stopped'));
        },
      });
      if (stop === Number.POSITIVE_INFINITY) await done;
      else await done.catch((error: Error) => expect(error.message).to.equal('stopped'));
      const parameters = new Map([...decoder.parameters].map(([name, { data }]) => [name, data.slice()]));
      await decoder.release();
      if (stop === Number.POSITIVE_INFINITY) return { records, parameters };
    }
    throw new Error('no go was the last');
  }

  it('is the same in 8 micro batches as in one, whatever the lengths', async () => {
    const decoder = await decoderOf();
    const gradients: ReadonlyMap<string, Float32Array>[] = [];
    const sums: number[] = [];
    const eight = rowsOf(8);
    for (const cuts of [[eight], Array.from(eight, (row) => eight.subarray(row, row + 1))]) {
      decoder.zeroGradients();
      let sum = 0;
      for (const cut of cuts)
        sum += (await decoder.accumulate(buildBatch(rows, cut, 2), 1 / 100, { seed: 0, step: 1, micro: 0 }))
          .sum;
      sums.push(sum);
      gradients.push(new Map([...decoder.gradients].map(([name, data]) => [name, data.slice()])));
    }
    const [whole, parts] = gradients;
    if (whole === undefined || parts === undefined) throw new Error('two were made');
    expect(Math.abs((sums[1] ?? 0) / (sums[0] ?? 1) - 1)).to.be.below(1e-6);
    for (const [name, expected] of whole) {
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const difference = expected.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (parts.get(name)?.[i] ?? Number.NaN))),
        0,
      );
      expect(difference, name).to.be.at.most(1e-6 * largest);
    }
    await decoder.release();
  });

  it('is the same packed as it is not, and a packed training that was stopped ends with the same bytes', async () => {
    const plain = await training({});
    const packed = await training({ packing: 96, microBatch: 2 });
    const stopped = await training({ packing: 96, microBatch: 2 }, [3, 7]);
    const worst = (field: 'loss' | 'gradNorm'): number =>
      Math.max(
        ...plain.records.map((record, i) => Math.abs((packed.records[i]?.[field] ?? 0) / record[field] - 1)),
      );
    expect(worst('loss')).to.be.below(1e-5);
    expect(worst('gradNorm')).to.be.below(1e-5);
    expect(packed.records.map(({ tokens }) => tokens)).to.deep.equal(
      plain.records.map(({ tokens }) => tokens),
    );
    const found = new Map([...packed.parameters].map(([name, data]) => [name, { data }]));
    expect(largestDifference(found, plain.parameters)).to.be.below(1e-4);
    expect(stopped.records).to.deep.equal(packed.records);
    for (const [name, data] of packed.parameters)
      expect(
        Buffer.from(stopped.parameters.get(name)?.buffer ?? new ArrayBuffer(0)).equals(
          Buffer.from(data.buffer),
        ),
        name,
      ).to.equal(true);
  });
});
