/** Several texts in a row: what each gives alone, and nothing of another. */
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { Batch, Decoder, DecoderOptions } from '../../../../src/compute/models/decoder/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { buildBatch, buildPacked, type TokenRows } from '../../../../src/compute/training/batch.js';
import { FIXTURES, fixture, relativeError, unpack } from './fixture.js';

const LOSS = 1e-6;
/** Sums in float32 over twenty copies: small gradients of one family lose a little more. */
const gradientLimit = (name: string): number => (name === 'gemma3' ? 2e-5 : 1e-5);
const NO_DROPOUT = { seed: 0, step: 0, micro: 0 };
/** Each recorded row stands so often in the packed one: longer than two blocks of queries. */
const COPIES = 10;

/** Adapters of other kinds are the business of linear layers, which know nothing of rows. */
const FAMILIES = FIXTURES.filter((name) => !/lora|dora|pissa|patterns/.test(name));

for (const name of FAMILIES)
  describe(`texts that share a row, ${name}`, () => {
    const { recording, adapter, batch, weights } = fixture(name);
    const { lengths } = recording;
    let runtime: Runtime;
    before(async () => {
      runtime = await onnxRuntime({ threads: 1, scratch: 0 });
    });
    const open = (changes: Partial<DecoderOptions> = {}): Promise<Decoder> =>
      createDecoder({
        runtime,
        config: recording.config,
        weights,
        trainable: 'full',
        checkpointedBlocks: 0,
        logitsChunk: 64,
        ...changes,
      });
    const rowOf = (data: Int32Array, row: number): Int32Array =>
      data.slice(row * batch.length, row * batch.length + (lengths[row] ?? 0));
    const rows: TokenRows = {
      count: lengths.length * COPIES,
      lengthOf: (row) => lengths[row % lengths.length] ?? 0,
      read: (row) => ({
        ids: rowOf(batch.ids, row % lengths.length),
        labels: rowOf(batch.labels, row % lengths.length),
      }),
    };
    const longestText = Math.max(...lengths);
    const every = Uint32Array.from({ length: rows.count }, (_, row) => row);

    for (const [mode, changes] of [
      ['full', {}],
      ['lora', { trainable: 'adapter', adapter }],
      ['full', { checkpointedBlocks: 9 }],
    ] as const)
      it(`have the losses and ${mode} gradients that transformers gives them alone${'checkpointedBlocks' in changes ? ', recomputed' : ''}`, async () => {
        const decoder = await open(changes);
        const packed = buildPacked(rows, [every, every], 0, { longestText });
        expect(packed.length).to.be.above(256);
        const expected = recording[mode];
        const sumOf = (losses: readonly number[]): number => losses.reduce((sum, loss) => sum + loss, 0);
        const scale = 1 / recording.supervised / (2 * COPIES);
        const { rows: sequences } = await decoder.accumulate(packed, scale, NO_DROPOUT);
        for (const { sum } of sequences)
          expect(Math.abs(sum / (COPIES * sumOf(expected.rows)) - 1)).to.be.at.most(LOSS);
        const unequal = await decoder.loss(
          buildPacked(rows, [every, every.subarray(0, 2)], 0, { longestText }),
        );
        const second = unequal.rows[1]?.sum ?? 0;
        expect(Math.abs(second / sumOf(expected.rows.slice(0, 2)) - 1)).to.be.at.most(LOSS);
        for (const [key, tensor] of Object.entries(expected.gradients))
          expect(relativeError(decoder.gradients.get(key) ?? [], unpack(tensor)), key).to.be.at.most(
            gradientLimit(name),
          );
        await decoder.release();
      });

    it('see nothing of each other, to the last bit', async () => {
      const decoder = await open({ trainable: 'none' });
      const { vocabSize } = recording.config;
      const packed = buildPacked(rows, [every], 0, { longestText });
      const own = Int32Array.from(packed.segments ?? []);
      const [changed, watched] = [3, 4];
      const other: Batch = {
        ...packed,
        ids: packed.ids.map((id, at) => (own[at] === changed ? (id + 1) % vocabSize : id)),
      };
      const [before, after] = [await decoder.logits(packed), await decoder.logits(other)];
      const of = (logits: Float32Array, segment: number): readonly number[] =>
        own.reduce<number[]>((all, text, at) => {
          if (text === segment) all.push(...logits.subarray(at * vocabSize, (at + 1) * vocabSize));
          return all;
        }, []);
      expect(of(after, changed)).to.not.deep.equal(of(before, changed));
      expect(of(after, watched)).to.deep.equal(of(before, watched));
      expect(of(after, changed - 1)).to.deep.equal(of(before, changed - 1));
      await decoder.release();
    });
  });

describe('texts of LongRoPE', () => {
  it('are rotated by their own lengths beside longer ones, in a batch and in a packed row', async () => {
    const { recording, batch, weights } = fixture('phi3-long');
    const decoder = await createDecoder({
      runtime: await onnxRuntime({ threads: 1, scratch: 0 }),
      config: recording.config,
      weights,
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: 64,
    });
    // long texts have more than 4 tokens
    const lengths = [13, 3];
    const rows: TokenRows = {
      count: lengths.length,
      lengthOf: (row) => lengths[row] ?? 0,
      read(row) {
        const ids = batch.ids.slice(0, lengths[row]);
        return { ids, labels: ids };
      },
    };
    const sums: number[] = [];
    for (const [row, length] of lengths.entries())
      sums.push((await decoder.loss({ rows: 1, length, ...rows.read(row) })).sum);
    const both = Uint32Array.of(0, 1);
    const together = await decoder.loss(buildBatch(rows, both, 0));
    const packed = await decoder.loss(buildPacked(rows, [both], 0, { longestText: 13 }));
    const relative = (found: number, expected: number): number => Math.abs(found / expected - 1);
    together.rows.forEach(({ sum }, row) => {
      expect(relative(sum, sums[row] ?? 0)).to.be.at.most(LOSS);
    });
    expect(
      relative(
        packed.sum,
        sums.reduce((a, b) => a + b, 0),
      ),
    ).to.be.at.most(LOSS);
    // as a long text it would have another loss
    const { lengths: _, ...padded } = buildBatch(rows, Uint32Array.of(1), 0);
    expect(relative((await decoder.loss(padded)).sum, sums[1] ?? 0)).to.be.above(10 * LOSS);
    await decoder.release();
  });
});
