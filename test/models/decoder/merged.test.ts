/** Many rows meet adapters that are merged into their matrices, few rows the branches: one result. */
import { expect } from 'chai';
import { initLora } from '../../../src/models/adapters/initialise.js';
import { createDecoder } from '../../../src/models/decoder/index.js';
import { planDecoder } from '../../../src/models/decoder/plan.js';
import type { Batch } from '../../../src/models/decoder/types.js';
import { initModel } from '../../../src/models/initialise.js';
import type { ModelConfig } from '../../../src/models/types.js';
import { onnxRuntime } from '../../../src/tensor/runtimes/onnx/index.js';
import { relativeError } from './fixture.js';

/** Rounding of a sum in float32, through two blocks. */
const TOLERANCE = 1e-5;

const config: ModelConfig = {
  ...{ architecture: 'llama', vocabSize: 97, hiddenSize: 48, intermediateSize: 80, layers: 2, heads: 6 },
  ...{ keyValueHeads: 3, headDim: 8, maxPositions: 64, ropeTheta: 10_000, normEpsilon: 1e-5 },
  ...{ tieEmbeddings: true, bosTokenId: null, eosTokenIds: [], padTokenId: null },
};
const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

/** 512 tokens: with the fewest rows that merge above them, and below them when they come in quarters. */
const whole: Batch = (() => {
  const ids = Int32Array.from({ length: 512 }, (_, at) => (at * 31 + 7) % 97);
  return { rows: 16, length: 32, ids, labels: ids };
})();
const quarter = (index: number): Batch => {
  const ids = whole.ids.slice(index * 128, (index + 1) * 128);
  return { rows: 4, length: 32, ids, labels: ids };
};

describe('adapters merged for many rows', () => {
  it('give the losses and gradients of the branches', async () => {
    const lora = { rank: 4, alpha: 8, dropout: 0, targets: TARGETS };
    const adapter = initLora(config, lora, 3);
    // B starts at zero, under which A has no gradient
    for (const { data } of adapter.tensors.values())
      data.forEach((value, at) => {
        data[at] = value + 0.05 * Math.sin(at * 12.9898);
      });
    const runtime = await onnxRuntime({ threads: 1, scratch: 0 });
    const decoder = await createDecoder({
      ...{ runtime, config, adapter, weights: initModel(config, 5), trainable: 'adapter' as const },
      ...{ checkpointedBlocks: 1, headChunk: 64 },
    });
    const uses = (rows: number): boolean =>
      planDecoder({
        ...{ config, lora, rows, length: 32, trainable: 'adapter', checkpointedBlocks: 1, headChunk: 64 },
        ...{ weightBytes: 0, decoded: false },
      }).graphs.some(({ graph }) => graph.nodes.some(({ op }) => op === 'adapted'));
    expect([uses(16), uses(4)]).to.deep.equal([true, false]);
    const key = { seed: 0, step: 0, micro: 0 };
    const { sum } = await decoder.accumulate(whole, 1, key);
    const merged = new Map([...decoder.gradients].map(([name, data]) => [name, data.slice()]));
    decoder.zeroGradients();
    let apart = 0;
    for (let index = 0; index < 4; index++) apart += (await decoder.accumulate(quarter(index), 1, key)).sum;
    expect(Math.abs(sum / apart - 1)).to.be.at.most(1e-6);
    for (const [name, data] of decoder.gradients)
      expect(relativeError(merged.get(name) ?? [], data), name).to.be.at.most(TOLERANCE);
    await decoder.release();
  });
});
