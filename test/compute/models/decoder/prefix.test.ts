/** Prefix tuning against PEFT, for tiny models of every family: see test/fixtures/prefix/record.py. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { PrefixConfig } from '../../../../src/compute/models/adapters/config.js';
import { adapterShapes, initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { plainPrefix } from '../../../../src/compute/models/decoder/prefix.js';
import type { Batch, Decoder, DecoderOptions } from '../../../../src/compute/models/decoder/types.js';
import type { Adapter } from '../../../../src/compute/models/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { buildPacked, type TokenRows } from '../../../../src/compute/training/batch.js';
import { openHere, whereInstalled } from '../../tensor/runtimes/here.js';
import { fixture, memoryWeights, type Packed, relativeError, unpack } from './fixture.js';
import { expectGradients, expectRowLosses } from './recorded.js';

const LOSS = 1e-6;
const LOGITS = 1e-5;
const GRADIENTS = 1e-5;
const NO_DROPOUT = { seed: 0, step: 0, micro: 0 };

interface Recorded {
  /** Name of the model. */
  readonly base: string;
  readonly tokens: number;
  readonly projection: number | null;
  /** Loss of each row. */
  readonly rows: readonly number[];
  readonly logits: Packed;
  readonly tensors: Readonly<Record<string, Packed>>;
  readonly gradients: Readonly<Record<string, Packed>>;
  /** What PEFT saves. */
  readonly saved: Packed;
  readonly greedy: readonly (readonly number[])[];
}

const FOLDER = new URL('../../../../../test/fixtures/prefix/', import.meta.url);
const CASES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace('.json', ''));

/** What is run on other runtimes too. */
const ELSEWHERE: ReadonlySet<string> = new Set(['tied-projection', 'gpt2', 'mistral-long-prefix']);

const greatest = (logits: Float32Array): number => logits.indexOf(Math.max(...logits));

for (const name of CASES)
  describe(`a decoder with a prefix, ${name}`, () => {
    const expected: Recorded = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
    const { recording, batch, weights } = fixture(expected.base);
    const { config, supervised, lengths } = recording;
    const { tokens, projection } = expected;
    const adapter: Adapter<'prefix'> = {
      config: { kind: 'prefix', tokens, ...(projection === null ? {} : { projection }) },
      tensors: new Map(
        Object.entries(expected.tensors).map(([key, packed]) => [
          key,
          { shape: packed.shape, data: unpack(packed) },
        ]),
      ),
    };
    let runtime: Runtime;
    before(async () => {
      runtime = await onnxRuntime({ threads: 1, scratch: 0 });
    });
    const open = (changes: Partial<DecoderOptions> = {}): Promise<Decoder> =>
      createDecoder({
        runtime,
        config,
        weights,
        adapter,
        trainable: 'adapter',
        checkpointedBlocks: 0,
        logitsChunk: 64,
        ...changes,
      });
    const compareGradients = (decoder: Decoder, limit = GRADIENTS) => {
      expectGradients(decoder, expected.gradients, limit);
    };

    it('has the tensors of PEFT', () => {
      const shapes = Object.entries(expected.tensors).map(([key, { shape }]) => ({ name: key, shape }));
      expect(adapterShapes(config, adapter.config)).to.deep.equal(shapes);
    });

    it('gives the loss of each row, the logits and every gradient', async () => {
      const decoder = await open();
      expect(decoder.options.config.maxPositions).to.equal(config.maxPositions - tokens);
      const result = await decoder.accumulate(batch, 1 / supervised, NO_DROPOUT);
      expect(result.tokens).to.equal(supervised);
      expectRowLosses(result, expected.rows, LOSS);
      compareGradients(decoder);
      expect((await decoder.loss(batch)).sum).to.be.closeTo(result.sum, 1e-4);
      expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(LOGITS);
      await decoder.release();
    });

    for (const [title, changes] of [
      ['recomputed', { checkpointedBlocks: 9 }],
      ['recomputed in its MLPs', { recomputedMlps: 9 }],
      ['recomputed in its attention probabilities', { recomputedAttention: 9 }],
      ['decoded into a workspace', { weights: memoryWeights(recording.weights, false) }],
    ] as const)
      it(`gives the same when ${title}`, async () => {
        const decoder = await open(changes);
        await decoder.accumulate(batch, 1 / supervised, NO_DROPOUT);
        compareGradients(decoder);
        await decoder.release();
      });

    if (ELSEWHERE.has(name))
      whereInstalled('tensorflow', () => {
        it('gives the same on tensorflow', async () => {
          const decoder = await open({ runtime: await openHere('tensorflow'), checkpointedBlocks: 1 });
          decoder.zeroGradients();
          await decoder.accumulate(batch, 1 / supervised, NO_DROPOUT);
          await decoder.collectGradients();
          compareGradients(decoder);
          expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(LOGITS);
          await decoder.release();
        });
      });

    it('gives nearly the same in bfloat16', async () => {
      const decoder = await open({ precision: 'bf16' });
      const { sum } = await decoder.accumulate(batch, 1 / supervised, NO_DROPOUT);
      const exact = expected.rows.reduce((total, loss) => total + loss, 0);
      expect(Math.abs(sum / exact - 1)).to.be.within(1e-9, 2e-2);
      compareGradients(decoder, 0.2);
      await decoder.release();
    });

    it('adds micro batches up to the batch', async () => {
      const decoder = await open();
      for (let row = 0; row < batch.rows; row++) {
        const part = (data: Int32Array) => data.slice(row * batch.length, (row + 1) * batch.length);
        const micro: Batch = {
          rows: 1,
          length: batch.length,
          ids: part(batch.ids),
          labels: part(batch.labels),
        };
        await decoder.accumulate(micro, 1 / supervised, NO_DROPOUT);
      }
      compareGradients(decoder);
      await decoder.release();
    });

    it('precedes each of the texts that share a row', async () => {
      const copies = 10;
      const rowOf = (data: Int32Array, row: number): Int32Array =>
        data.slice(row * batch.length, row * batch.length + (lengths[row] ?? 0));
      const rows: TokenRows = {
        count: lengths.length * copies,
        lengthOf: (row) => lengths[row % lengths.length] ?? 0,
        read: (row) => ({
          ids: rowOf(batch.ids, row % lengths.length),
          labels: rowOf(batch.labels, row % lengths.length),
        }),
      };
      const every = Uint32Array.from({ length: rows.count }, (_, row) => row);
      const packed = buildPacked(rows, [every, every], 0, { longestText: Math.max(...lengths) });
      expect(packed.length).to.be.above(256);
      const decoder = await open();
      const result = await decoder.accumulate(packed, 1 / supervised / (2 * copies), NO_DROPOUT);
      const sum = expected.rows.reduce((total, loss) => total + loss, 0);
      for (const row of result.rows) expect(Math.abs(row.sum / (copies * sum) - 1)).to.be.at.most(LOSS);
      compareGradients(decoder, 2 * GRADIENTS);
      await decoder.release();
    });

    // a table of learned positions has an end
    if (config.architecture !== 'gpt2')
      it('is seen by long rows as far as a window reaches', async () => {
        const length = 300;
        const ids = Int32Array.from({ length }, (_, at) => 3 + ((at * at) % 37));
        const decoder = await open({ trainable: 'none' });
        const inBlocks = await decoder.logits({ rows: 1, length, ids });
        // of texts that share rows no block of queries is told apart
        const whole = await decoder.logits({ rows: 1, length, ids, segments: new Int32Array(length) });
        expect(relativeError(inBlocks, whole)).to.be.at.most(1e-6);
        await decoder.release();
      });

    it('is saved as PEFT saves it, and answers from a cache as PEFT answers', async () => {
      const plain = await plainPrefix(runtime, config, adapter);
      expect(plain.config).to.deep.equal({ kind: 'prefix', tokens });
      const [saved] = plain.tensors.values();
      expect(saved?.shape).to.deep.equal(expected.saved.shape);
      expect(relativeError(saved?.data ?? [], unpack(expected.saved))).to.be.at.most(1e-6);
      const decoder = await open({ adapter: plain, trainable: 'none' });
      const { vocabSize } = config;
      const session = await decoder.session(lengths.length, 32);
      const prompts = lengths.map((length, row) =>
        batch.ids.slice(row * batch.length, row * batch.length + length),
      );
      const answers = lengths.map((): number[] => []);
      for (let logits = await session.append(prompts); ; ) {
        const next = lengths.map((_, row) =>
          greatest(logits.subarray(row * vocabSize, (row + 1) * vocabSize)),
        );
        next.forEach((token, row) => {
          answers[row]?.push(token);
        });
        if ((answers[0]?.length ?? 0) === expected.greedy[0]?.length) break;
        logits = await session.append(next.map((token) => Int32Array.of(token)));
      }
      expect(answers).to.deep.equal(expected.greedy);
      await session.release();
      await decoder.release();
    });
  });

describe('a fresh prefix', () => {
  const { config } = fixture('tied').recording;
  const adapter: PrefixConfig = { kind: 'prefix', tokens: 400, projection: 25 };
  const spread = (data: Float32Array): readonly [number, number] => [
    Math.max(...data.map(Math.abs)),
    Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length),
  ];

  it('is drawn as torch draws an embedding and linear layers', () => {
    const { tensors } = initAdapter(config, adapter, { seed: 3, init: 'random' });
    const inner = config.keyValueHeads * config.headDim;
    const expected: Readonly<Record<string, number>> = {
      '0.weight': inner,
      '0.bias': inner,
      '2.weight': 25,
      '2.bias': 25,
    };
    for (const [name, { data }] of tensors) {
      const [largest, deviation] = spread(data);
      const inputs = expected[name.replace('prompt_encoder.transform.', '')];
      if (inputs === undefined) expect(deviation).to.be.closeTo(1, 0.05);
      else expect(largest).to.be.within(0.8 / Math.sqrt(inputs), 1 / Math.sqrt(inputs));
    }
  });

  it('is nothing under `zero`', async () => {
    const runtime = await onnxRuntime({ threads: 1 });
    for (const prefix of [{ tokens: 4 }, { tokens: 4, projection: 3 }]) {
      const adapter = initAdapter<'prefix'>(config, { kind: 'prefix', ...prefix }, { seed: 3, init: 'zero' });
      const [states] = (await plainPrefix(runtime, config, adapter)).tensors.values();
      expect(states?.data.every((value) => value === 0)).to.equal(true);
    }
  });
});
