import { join } from 'node:path';
import { expect } from 'chai';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { createDecoder, type Decoder } from '../../../../src/compute/models/decoder/index.js';
import { laneSizes, lanesOf } from '../../../../src/compute/models/decoder/lanes.js';
import type { Batch } from '../../../../src/compute/models/decoder/types.js';
import type { DequantisingThread } from '../../../../src/compute/models/weights/dequantising-threads.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { dequantiseInThreads } from '../../../../src/pipeline/run/threads/dequantise-in-threads.js';
import { openResolved } from '../../../../src/pipeline/stages/open-models.js';

const model = openResolved(nodeHost(), { folder: join(nodeHost().packageFolder, 'stdlib/models/starter') });
const { config } = model;

const LORA: LoraConfig = {
  ...{ kind: 'lora', rank: 4, alpha: 8, dropout: 0 },
  targets: ['q_proj', 'v_proj', 'down_proj'],
};

const ids = Int32Array.from({ length: 24 }, (_, at) => (at * 7919 + 17) % config.vocabSize);
const batch: Batch = { rows: 1, length: 24, ids, labels: ids };

/** The starter in 4 bits, trained with other threads that dequantise. */
async function decoderWith(dequantisers: readonly DequantisingThread[], tiled: boolean): Promise<Decoder> {
  const quantised = new Map(model.toQuantise().map(({ name }) => [name, model.quantise(name, true)]));
  return createDecoder({
    ...{ config, dequantisers, tiled, runtime: await onnxRuntime({ threads: 1 }) },
    weights: model.loadWeights('nf4', { quantised }),
    adapter: initAdapter(config, LORA, { seed: 1 }),
    ...{ trainable: 'adapter', checkpointedBlocks: 3, logitsChunk: 512 },
  });
}

/** What two passes give. `between`: what happens in the meantime. */
async function passes(
  dequantisers: readonly DequantisingThread[],
  { between = async (): Promise<void> => {}, tiled = false } = {},
) {
  const decoder = await decoderWith(dequantisers, tiled);
  const first = await decoder.accumulate(batch, 1, { seed: 1, step: 1, micro: 0 });
  await between();
  const second = await decoder.accumulate(batch, 1, { seed: 1, step: 2, micro: 0 });
  const gradients = [...decoder.gradients].map(([name, values]) => [name, Float32Array.from(values)]);
  const { sum } = await decoder.loss(batch);
  await decoder.release();
  return { losses: [first.sum, second.sum, sum], gradients };
}

/** Counts what a thread is asked, and loses it where it is told to. */
function counted(threads: readonly DequantisingThread[]) {
  const answered = threads.map(() => 0);
  return {
    answered,
    threads: threads.map((thread, index) => ({
      ...thread,
      async dequantise(...question: Parameters<DequantisingThread['dequantise']>) {
        const values = await thread.dequantise(...question);
        answered[index] = (answered[index] ?? 0) + (values === undefined ? 0 : 1);
        return values;
      },
    })),
  };
}

describe('a base that threads dequantise', () => {
  for (const tiled of [false, true])
    it(`is trained as one that a thread dequantises alone, bit for bit${tiled ? ', in tiles' : ''}`, async () => {
      const alone = await passes([], { tiled });
      for (const count of [1, 3]) {
        const { answered, threads } = counted(dequantiseInThreads(count));
        const together = await passes(threads, { tiled });
        for (const thread of threads) await thread.end();
        expect(together, `${count}`).to.deep.equal(alone);
        // six blocks, forward and backward, but for the last one, which is still there; and six without gradients
        for (const times of answered) expect(times).to.be.at.least(2 * 11 + 6);
      }
    });

  it('is dequantised here when a thread is lost', async () => {
    const { answered, threads } = counted(dequantiseInThreads(1));
    const end = async (): Promise<void> => {
      for (const thread of threads) await thread.end();
    };
    expect(await passes(threads, { between: end })).to.deep.equal(await passes([]));
    expect(answered[0]).to.be.within(1, 12);
  });

  it('is shared out so that all lanes are about as long, and what is not shared is in the first', () => {
    const of = (width: number, isShared = true) => ({ shape: [width, 10], isShared });
    const block = [of(4), of(4), of(4), of(4), of(11), of(11), of(11)];
    expect(lanesOf(block, 2)).to.deep.equal([1, 1, 1, 0, 0, 1, 0]);
    expect(laneSizes([block], 2)).to.deep.equal([260, 230]);
    expect(lanesOf([of(4, false), of(1), of(9, false)], 3)).to.deep.equal([0, 1, 0]);
    expect(laneSizes([block, [of(50, false)]], 2)).to.deep.equal([500, 230]);
    expect(laneSizes([block], 1)).to.deep.equal([490]);
  });
});
