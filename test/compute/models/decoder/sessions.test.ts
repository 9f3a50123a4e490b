/** Sessions whose rows come and go: prompts in pieces, restored, joined and moved, against whole prompts. */
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { Decoder, DecodeSession } from '../../../../src/compute/models/decoder/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { openHere, whereInstalled } from '../../tensor/runtimes/here.js';
import { FIXTURES, fixture } from './fixture.js';

/** A window, positions of a table, and what neither is. */
const QUICK: ReadonlySet<string> = new Set(['gemma3', 'gpt2', 'tied']);

/** What float32 sums of another order leave open. */
const CLOSE = 2e-4;

async function open(name: (typeof FIXTURES)[number], runtime?: Runtime) {
  const { recording, adapter, batch, weights } = fixture(name);
  const { config } = recording;
  const decoder = await createDecoder({
    runtime: runtime ?? (await onnxRuntime({ threads: 1 })),
    ...{ config, adapter, weights, trainable: 'none', checkpointedBlocks: 0, logitsChunk: 7 },
  });
  const prompts = recording.lengths.map((length, row) =>
    batch.ids.slice(row * batch.length, row * batch.length + length),
  );
  return { decoder, prompts, vocab: config.vocabSize, capacity: 40 };
}

/** Logits of one prompt that is given as these pieces. */
async function inPieces(session: DecodeSession, prompt: Int32Array, pieces: readonly number[]) {
  let at = 0;
  let logits = new Float32Array(0) as Float32Array;
  for (const length of pieces) {
    logits = await session.append([prompt.slice(at, at + length)]);
    at += length;
  }
  return logits;
}

function expectClose(found: Float32Array, wanted: Float32Array): void {
  expect(found.length).to.equal(wanted.length);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  found.forEach((value, i) => {
    expect(Math.abs(value - (wanted[i] ?? 0)) / largest, `logit ${i}`).to.be.below(CLOSE);
  });
}

const alone = async (decoder: Decoder, prompt: Int32Array, capacity: number): Promise<Float32Array> => {
  const session = await decoder.session(1, capacity);
  const logits = await session.append([prompt]);
  await session.release();
  return logits;
};

describe('sessions of a decoder', () => {
  for (const runtime of ['tensorflow', 'wasm'] as const)
    whereInstalled(runtime, () => {
      it(`read a prompt in pieces through tensors of a device: ${runtime}`, async () => {
        const { decoder, prompts, capacity } = await open('tied', await openHere(runtime));
        const [first] = prompts as [Int32Array];
        const wanted = await alone(decoder, first, capacity);
        const pieced = await decoder.session(1, capacity);
        expect(pieced.extends).to.equal(true);
        expectClose(await inPieces(pieced, first, [2, first.length - 2]), wanted);
        await pieced.release();
        await decoder.release();
      });
    });

  for (const name of FIXTURES)
    it(`read a prompt in pieces, go on from what was read, and let rows join and leave: ${name}${QUICK.has(name) ? '' : ' @long'}`, async () => {
      const { decoder, prompts, vocab, capacity } = await open(name);
      const [first, second] = prompts as [Int32Array, Int32Array];
      const wanted = await alone(decoder, first, capacity);
      const pieced = await decoder.session(1, capacity);
      const cut = Math.floor(first.length / 2);
      expectClose(await inPieces(pieced, first, [cut, first.length - cut]), wanted);
      if (!pieced.extends) return decoder.release();

      const every = await decoder.session(1, capacity);
      await every.append([first.slice(0, 2)]);
      const all = await every.append([first.slice(2)], 'every');
      expectClose(all.subarray(all.length - vocab), wanted);
      expectClose(all.subarray(0, vocab), await alone(decoder, first.slice(0, 3), capacity));

      const pieces = [
        { ids: first.slice(0, 2), data: pieced.read(0, 0, 2) },
        { ids: first.slice(2, cut + 1), data: pieced.read(0, 2, cut + 1) },
      ];
      const restored = await decoder.session(1, capacity);
      await restored.restore([pieces]);
      expectClose(await restored.append([first.slice(cut + 1)]), wanted);

      const batch = await decoder.session(0, capacity);
      await batch.join(restored);
      const other = await decoder.session(1, capacity);
      await other.append([second]);
      await batch.join(other);
      await batch.join(pieced);
      await batch.join(every);
      const next = await batch.append(Array.from({ length: 4 }, () => Int32Array.of(5)));
      const row = (logits: Float32Array, at: number) => logits.subarray(at * vocab, (at + 1) * vocab);
      const grown = (prompt: Int32Array, ...ids: number[]) =>
        alone(decoder, Int32Array.of(...prompt, ...ids), capacity);
      for (const at of [0, 2, 3]) expectClose(row(next, at), await grown(first, 5));
      expectClose(row(next, 1), await grown(second, 5));
      await batch.keep([3, 1]);
      const last = await batch.append([Int32Array.of(7), Int32Array.of(8)]);
      expectClose(row(last, 0), await grown(first, 5, 7));
      expectClose(row(last, 1), await grown(second, 5, 8));
      await batch.keep([1]);
      expectClose(await batch.append([Int32Array.of(9)]), await grown(second, 5, 8, 9));
      await batch.release();
      await decoder.release();
    });

  for (const name of FIXTURES)
    it(`read several prompts at once, each after what was held of it: ${name}${QUICK.has(name) ? '' : ' @long'}`, async () => {
      const { decoder, prompts, vocab, capacity } = await open(name);
      const [first, second] = prompts as [Int32Array, Int32Array];
      const before = await decoder.session(1, capacity);
      await before.append([first]);
      if (!before.extends) return decoder.release();
      const held = { ids: first.slice(0, 3), data: before.read(0, 0, 3) };
      const shorter = first.slice(0, -2);
      const texts = [first, second, shorter];
      const wanted: Float32Array[] = [];
      for (const text of [...texts, Int32Array.of(...second, 5)])
        wanted.push(await alone(decoder, text, capacity));
      const together = await decoder.session(3, capacity);
      await together.restore([[held], [], [held]]);
      const after = await together.append([first.slice(3), second, shorter.slice(3)]);
      texts.forEach((_, row) => {
        expectClose(after.subarray(row * vocab, (row + 1) * vocab), wanted[row] ?? after);
      });
      // what was read of a row is its own
      expect(together.read(0, 0, 3)).to.deep.equal(held.data);
      await together.keep([1]);
      expectClose(await together.append([Int32Array.of(5)]), wanted[3] ?? after);
      await decoder.release();
    });

  it('refuse rows that are not there, move back, or are of another decoder', async () => {
    const [one, two] = [await open('tied'), await open('tied')];
    const session = await one.decoder.session(2, one.capacity);
    await session.append(one.prompts.slice(0, 2));
    for (const rows of [[2], [0, 0], [1, 0]]) {
      const refused = await session.keep(rows).catch((error: unknown) => error);
      expect(refused, rows.join()).to.be.instanceOf(RangeError);
    }
    const foreign = await two.decoder.session(1, two.capacity);
    expect(await session.join(foreign).catch((error: unknown) => error)).to.be.instanceOf(RangeError);
    await one.decoder.release();
    await two.decoder.release();
  });
});
