import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from '../../../src/compute/evaluation/generation/generate.js';
import { rowLosses } from '../../../src/compute/evaluation/losses.js';
import { createDecoder, type Decoder } from '../../../src/compute/models/decoder/index.js';
import { openModel } from '../../../src/compute/models/load.js';
import { readAdapter } from '../../../src/compute/packaging/adapters.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { expected, tiny } from './tiny.js';

const host = nodeHost();
const prompts = expected.ids.map((ids) => Int32Array.from(ids));

describe('evaluation of a real decoder', () => {
  const decoders = new Map<'base' | 'tuned', Decoder>();

  before(async () => {
    const runtime = await onnxRuntime({ threads: 1 });
    const model = openModel(host, join(tiny, 'base'));
    const weights = model.loadWeights('stored');
    const adapter = readAdapter(host, join(tiny, 'adapter'));
    const common = {
      runtime,
      config: model.config,
      weights,
      trainable: 'none',
      checkpointedBlocks: 0,
    } as const;
    decoders.set('base', await createDecoder({ ...common, logitsChunk: 32 }));
    decoders.set('tuned', await createDecoder({ ...common, adapter, logitsChunk: 32 }));
  });
  after(async () => {
    for (const decoder of decoders.values()) await decoder.release();
  });
  const decoderOf = (which: 'base' | 'tuned'): Decoder => {
    const decoder = decoders.get(which);
    if (decoder === undefined) throw new Error(`no decoder ${which}`);
    return decoder;
  };

  for (const which of ['base', 'tuned'] as const) {
    it(`answers greedily as transformers, token for token (${which})`, async () => {
      const answers = await generate(decoderOf(which), prompts, { maxTokens: 24, stopIds: [258] });
      expect(answers.map(({ ids }) => ids)).to.deep.equal(expected[which].greedy);
    });

    it(`has PyTorch’s losses (${which}, 1e-5 relative)`, async () => {
      const rows = {
        count: prompts.length,
        lengthOf: (row: number) => prompts[row]?.length ?? 0,
        read: (row: number) => ({ ids: prompts[row] as Int32Array, labels: prompts[row] as Int32Array }),
      };
      const losses = await rowLosses(decoderOf(which), rows, { batchTokens: 128, padId: 256 });
      for (const [row, { sum, tokens }] of losses.entries()) {
        const wanted = expected[which].losses[row] ?? Number.NaN;
        expect(sum).to.be.closeTo(wanted, 1e-5 * wanted + 1e-9);
        expect(tokens).to.equal((prompts[row]?.length ?? 0) - 1);
      }
    });
  }

  it('goes on with some rows of a session as if the others had never been there (1e-5)', async () => {
    const decoder = decoderOf('tuned');
    const chosen = [1, 3];
    const next = [Int32Array.of(70), Int32Array.of(80)];
    const together = await decoder.session(prompts.length, 100);
    await together.append(prompts);
    await together.append(prompts.map((_, row) => Int32Array.of(60 + row)));
    await together.keep(chosen);
    const few = await decoder.session(chosen.length, 100);
    await few.append(chosen.map((row) => prompts[row] as Int32Array));
    await few.append(chosen.map((row) => Int32Array.of(60 + row)));
    for (const step of [next, next, next]) {
      const [a, b] = [await together.append(step), await few.append(step)];
      expect(a.length).to.equal(b.length);
      for (const [i, logit] of a.entries()) expect(logit).to.be.closeTo(b[i] ?? Number.NaN, 1e-5);
    }
    let refused: unknown;
    await together.keep([1, 0]).catch((error: unknown) => {
      refused = error;
    });
    expect(refused).to.be.instanceOf(RangeError);
    await together.release();
    await few.release();
  });

  it('is the same for a row alone and among others', async () => {
    const options = { maxTokens: 20, stopIds: [] };
    const together = await generate(decoderOf('tuned'), prompts, options);
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await generate(decoderOf('tuned'), [prompt], options);
      expect(alone).to.deep.equal(together[i]);
    }
  });
});
