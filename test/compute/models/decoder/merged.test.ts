/** Many rows meet adapters that are merged into their matrices, or low ranks that are joined; few rows the branches: one result. */
import { expect } from 'chai';
import { isTrained } from '../../../../src/compute/models/adapters/branches.js';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { Batch } from '../../../../src/compute/models/decoder/types.js';
import { initModel } from '../../../../src/compute/models/initialise.js';
import type { ModelConfig } from '../../../../src/compute/models/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { relativeError } from './fixture.js';

/** Rounding of a sum in float32, through two blocks. */
const TOLERANCE = 1e-5;

/** 256 rows are more than a fifth above the inputs of all layers of the small one, and of none of the wide one. */
const WIDTHS = {
  merged: { headDim: 8, intermediateSize: 80 },
  joined: { headDim: 36, intermediateSize: 216 },
};

const configOf = (width: keyof typeof WIDTHS): ModelConfig => ({
  ...{ architecture: 'llama', vocabSize: 97, layers: 2, heads: 6, keyValueHeads: 3, maxPositions: 64 },
  ...{ hiddenSize: 6 * WIDTHS[width].headDim, ropeTheta: 10_000, normEpsilon: 1e-5, tieEmbeddings: true },
  ...{ bosTokenId: null, eosTokenIds: [], padTokenId: null },
  ...WIDTHS[width],
});

const PLAIN: LoraConfig = {
  ...{ kind: 'lora', rank: 4, alpha: 8, dropout: 0 },
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};

const METHODS: Readonly<Record<string, LoraConfig>> = {
  LoRA: PLAIN,
  'LoRA of several ranks': {
    ...PLAIN,
    rankPattern: { k_proj: 2, up_proj: 3 },
    targets: PLAIN.targets.slice(1),
  },
  DoRA: { ...PLAIN, dora: true },
  PiSSA: { ...PLAIN, pissa: true },
};

/** 256 tokens, and fewer than are merged or joined when they come in halves. */
const whole: Batch = (() => {
  const ids = Int32Array.from({ length: 256 }, (_, at) => (at * 31 + 7) % 97);
  return { rows: 8, length: 32, ids, labels: ids };
})();
const half = (index: number): Batch => {
  const ids = whole.ids.slice(index * 128, (index + 1) * 128);
  return { rows: 4, length: 32, ids, labels: ids };
};

describe('adapters over many rows', () => {
  for (const width of ['merged', 'joined'] as const)
    for (const [method, lora] of Object.entries(METHODS))
      it(`give the losses and gradients of the branches: ${method}, ${width}`, async () => {
        const config = configOf(width);
        const weights = initModel(config, 5);
        const adapter = initAdapter(config, lora, { seed: 3, weights });
        // B starts at zero, under which A has no gradient
        for (const [name, { data }] of adapter.tensors)
          if (isTrained(name))
            data.forEach((value, at) => {
              data[at] = value + 0.05 * Math.sin(at * 12.9898);
            });
        const runtime = await onnxRuntime({ threads: 1, scratch: 0 });
        const shape = { checkpointedBlocks: 1, logitsChunk: 64 };
        const decoder = await createDecoder({
          ...{ runtime, config, adapter, weights, trainable: 'adapter' as const },
          ...shape,
        });
        const uses = (op: string, rows: number): boolean =>
          planDecoder({
            ...{
              config,
              adapter: lora,
              rows,
              length: 32,
              trainable: 'adapter',
              ...shape,
              weightBytes: 0,
              dequantised: {},
            },
          }).graphs.some(({ graph }) => graph.nodes.some((node) => node.op === op));
        const merges = width === 'merged' && (method === 'LoRA' || method === 'LoRA of several ranks');
        expect([uses('adapted', 8), uses('adapted', 4)]).to.deep.equal([merges, false]);
        const key = { seed: 0, step: 0, micro: 0 };
        const { sum } = await decoder.accumulate(whole, 1, key);
        const many = new Map([...decoder.gradients].map(([name, data]) => [name, data.slice()]));
        decoder.zeroGradients();
        let few = 0;
        for (let index = 0; index < 2; index++) few += (await decoder.accumulate(half(index), 1, key)).sum;
        expect(Math.abs(sum / few - 1)).to.be.at.most(1e-6);
        for (const [name, data] of decoder.gradients)
          expect(relativeError(many.get(name) ?? [], data), name).to.be.at.most(TOLERANCE);
        await decoder.release();
      });
});
