/** Token by token over caches that stay on a device, as they do on a GPU, against transformers and against arrays of the host. */
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { DecodeSession } from '../../../../src/compute/models/decoder/types.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import type { RuntimeName } from '../../../../src/language/ir/runtimes.js';
import { openHere, whereInstalled } from '../../tensor/runtimes/here.js';
import { FIXTURES, fixture } from './fixture.js';

/** The backends of TensorFlow.js share their graphs' kernels and differ in speed. */
const MODELS: Readonly<Record<Exclude<RuntimeName, 'onnx'>, readonly (typeof FIXTURES)[number][]>> = {
  tensorflow: FIXTURES,
  webgpu: ['tied'],
  wasm: ['gemma3', 'gpt2', 'tied'],
  cpu: ['tied'],
};

/** Of a model with 256 positions: caches grow from 64 positions to more. */
const LONG = { model: 'phi3-short', tokens: 100, leaving: 20 } as const;

const likeliest = (logits: Float32Array, row: number, vocab: number): number => {
  const scores = logits.subarray(row * vocab, (row + 1) * vocab);
  return scores.indexOf(Math.max(...scores));
};

/** Greedy tokens of each row; after `leaving` tokens the first row leaves. */
async function greedy(
  session: DecodeSession,
  prompts: readonly Int32Array[],
  vocab: number,
  { tokens, leaving = tokens }: { readonly tokens: number; readonly leaving?: number },
): Promise<number[][]> {
  const texts: number[][] = prompts.map(() => []);
  let rows = [...prompts.keys()];
  let logits = await session.append(prompts);
  for (let count = 1; ; count++) {
    rows.forEach((row, at) => {
      texts[row]?.push(likeliest(logits, at, vocab));
    });
    if (count === tokens) return texts;
    if (count === leaving) {
      rows = rows.slice(1);
      await session.keep(rows);
    }
    logits = await session.append(rows.map((row) => Int32Array.of(texts[row]?.at(-1) ?? 0)));
  }
}

function continues(
  name: Exclude<RuntimeName, 'onnx'>,
  models = MODELS[name],
  device: 'GPU' | 'CPU' = 'GPU',
): void {
  const where = device === 'GPU' ? 'on its device' : 'over arrays';
  const open = async (model: (typeof FIXTURES)[number], one: RuntimeName) => {
    const { recording, adapter, batch, weights } = fixture(model);
    const { config } = recording;
    const opened = await openHere(one);
    const runtime: Runtime = one === name ? { ...opened, device } : opened;
    const decoder = await createDecoder({
      ...{ runtime, config, adapter, weights, trainable: 'none', checkpointedBlocks: 0, logitsChunk: 7 },
    });
    const prompts = recording.lengths.map((length, row) =>
      batch.ids.slice(row * batch.length, row * batch.length + length),
    );
    return { recording, runtime, decoder, prompts, vocab: config.vocabSize };
  };

  for (const model of models)
    it(`${name}, ${where}, continues prompts of unequal length as transformers does, ${model}`, async () => {
      const { recording, decoder, prompts, vocab } = await open(model, name);
      const session = await decoder.session(prompts.length, 40);
      expect(await greedy(session, prompts, vocab, { tokens: 12 })).to.deep.equal(recording.lora.greedy);
      await session.release();
      await decoder.release();
    });

  if (name === 'webgpu' || name === 'cpu') return;
  it(`${name}, ${where}, lets rows join those that were read before, and the last one take a place`, async () => {
    const { recording, decoder, prompts, vocab } = await open('tied', name);
    const wanted = recording.lora.greedy;
    const batch = await decoder.session(1, 40);
    let logits = await batch.append([prompts[0] ?? new Int32Array(0)]);
    const rows = [0];
    const texts: number[][] = [[likeliest(logits, 0, vocab)], [], []];
    for (const row of [1, 2]) {
      const alone = await decoder.session(1, 40);
      logits = await alone.append([prompts[row] ?? new Int32Array(0)]);
      texts[row]?.push(likeliest(logits, 0, vocab));
      await batch.join(alone);
      rows.push(row);
      logits = await batch.append(rows.map((one) => Int32Array.of(texts[one]?.at(-1) ?? 0)));
      rows.forEach((one, at) => {
        texts[one]?.push(likeliest(logits, at, vocab));
      });
    }
    await batch.keep([2, 1]);
    logits = await batch.append([2, 1].map((row) => Int32Array.of(texts[row]?.at(-1) ?? 0)));
    [2, 1].forEach((row, at) => {
      texts[row]?.push(likeliest(logits, at, vocab));
    });
    texts.forEach((text, row) => {
      expect(text, `row ${row}`).to.deep.equal(wanted[row]?.slice(0, text.length));
    });
    expect(texts.map(({ length }) => length)).to.deep.equal([3, 4, 3]);
    await batch.release();
    await decoder.release();
  });

  it(`${name}, ${where}, gives the host's tokens where caches grow and rows leave, and holds nothing afterwards`, async () => {
    const all = [];
    for (const one of ['onnx', name] as const) {
      const { runtime, decoder, prompts, vocab } = await open(LONG.model, one);
      const longest = Math.max(...prompts.map(({ length }) => length));
      const answer = async () => {
        const session = await decoder.session(prompts.length, longest + LONG.tokens);
        const texts = await greedy(session, prompts, vocab, LONG);
        await session.release();
        return texts;
      };
      const texts = await answer();
      const { tensors, bytes } = runtime.memory.account;
      all.push(texts);
      if (one === name) {
        expect(await answer()).to.deep.equal(texts);
        expect(runtime.memory.account).to.include({ tensors, bytes });
      }
      await decoder.release();
    }
    expect(all[1]).to.deep.equal(all[0]);
  });
}

for (const name of ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const)
  whereInstalled(name, () => continues(name));
whereInstalled('tensorflow', () => continues('tensorflow', ['tied'], 'CPU'));
