/** Tokens of a single row over weights as they are stored, against the same over float32. */
import { expect } from 'chai';
import { adapterShapes } from '../../../../src/compute/models/adapters/kinds.js';
import { expectedTensors } from '../../../../src/compute/models/architectures/index.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { Adapter, ModelConfig, WeightStore } from '../../../../src/compute/models/types.js';
import type { BlockFormat } from '../../../../src/compute/models/weights/formats.js';
import { quantiseBlocks } from '../../../../src/compute/models/weights/quantisation.js';
import {
  blockTensor,
  float32Tensor,
  weightStore,
} from '../../../../src/compute/models/weights/stored-tensor.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { sizeOf } from '../../../../src/compute/tensor/shape.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { fixture } from './fixture.js';

/** What float32 sums of another order leave open. */
const CLOSE = 1e-4;
/** Some come first over float32, and the cache grows on the way. */
const STEPS = 40;
const FORMATS: readonly BlockFormat[] = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'];

/** Rows of a matrix are whole blocks. */
const widened = (config: ModelConfig): ModelConfig => ({
  ...config,
  ...{ hiddenSize: 64, intermediateSize: 96, heads: 4, headDim: 16, vocabSize: 70, maxPositions: 128 },
  keyValueHeads: config.keyValueHeads < config.heads ? 2 : 4,
});

const wave = (count: number, seed: number, scale: number): Float32Array =>
  Float32Array.from({ length: count }, (_, at) => scale * Math.sin((at + 1) * (1.3 + seed / 7) + seed));

function stored(config: ModelConfig): WeightStore {
  const tensors = expectedTensors(config).map(({ name, shape }, number) => {
    if (shape.length === 1) return float32Tensor(name, shape, wave(sizeOf(shape), number, 0.5));
    const format = FORMATS[number % FORMATS.length] ?? 'Q4_0';
    return blockTensor(name, shape, format, quantiseBlocks(format, wave(sizeOf(shape), number, 0.2)));
  });
  return weightStore('made', tensors);
}

function adapted(name: string, config: ModelConfig): Adapter {
  const adapter = fixture(name).adapter.config;
  const shapes = adapterShapes(config, adapter);
  return {
    config: adapter,
    tensors: new Map(
      shapes.map((one, number) => [
        one.name,
        { shape: one.shape, data: wave(sizeOf(one.shape), number, 0.3) },
      ]),
    ),
  };
}

interface Asked {
  readonly adapter?: Adapter;
  readonly vocabularyShard?: number;
}

/** Logits of each step after a prompt, and whether they came from weights as they are stored. */
async function steps(
  runtime: Runtime,
  config: ModelConfig,
  { adapter, vocabularyShard }: Asked,
): Promise<{ readonly logits: readonly Float32Array[]; readonly compiled: number }> {
  let compiled = 0;
  const compileFixed: Runtime['compileFixed'] = async (...given) => {
    const graph = await runtime.compileFixed?.(...given);
    if (graph !== undefined) compiled++;
    return graph;
  };
  const decoder = await createDecoder({
    runtime: runtime.compileFixed === undefined ? runtime : { ...runtime, compileFixed },
    ...{ config, weights: stored(config), trainable: 'none', checkpointedBlocks: 0, logitsChunk: 7 },
    storedSteps: true,
    vocabularyShard,
    ...(adapter && { adapter }),
  });
  const session = await decoder.session(1, 100);
  await session.append([Int32Array.from({ length: 56 }, (_, at) => (at * 17) % 41)]);
  const logits: Float32Array[] = [];
  for (let step = 0; step < STEPS; step++)
    logits.push(await session.append([Int32Array.of((step * 13) % 41)]));
  await session.release();
  await decoder.release();
  return { logits, compiled };
}

/** How many graphs read weights as they are stored. */
async function compared(config: ModelConfig, asked: Asked = {}): Promise<number> {
  const runtime = await onnxRuntime({ threads: 1 });
  const { compileFixed: _, ...plain } = runtime;
  const [found, wanted] = [await steps(runtime, config, asked), await steps(plain, config, asked)];
  found.logits.forEach((logits, step) => {
    const others = wanted.logits[step] ?? new Float32Array(0);
    const largest = others.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    logits.forEach((value, i) => {
      expect(Math.abs(value - (others[i] ?? 0)) / largest, `step ${step}, logit ${i}`).to.be.below(CLOSE);
    });
  });
  return found.compiled;
}

describe('a step over weights as they are stored', () => {
  for (const name of ['llama3', 'gemma3', 'qwen2', 'qwen3', 'neox', 'phi3'])
    it(`gives the logits of float32, whatever the codes: ${name}`, async () => {
      expect(await compared(widened(fixture(name).recording.config))).to.equal(1);
    });

  it('reads the factors of LoRA next to them', async () => {
    const config = widened(fixture('llama3').recording.config);
    expect(await compared(config, { adapter: adapted('llama3', config) })).to.equal(1);
  });

  it('computes the head a shard of the vocabulary at a time', async () => {
    const config = widened(fixture('gemma3').recording.config);
    expect(await compared(config, { vocabularyShard: 23 })).to.equal(1 + Math.ceil(config.vocabSize / 23));
    const outer = widened(fixture('outer').recording.config);
    const adapter = adapted('outer', outer);
    expect(await compared(outer, { adapter, vocabularyShard: 64 })).to.equal(1 + 2);
  });

  it('is left where more is done with a matrix than a product, as in DoRA, and where it is stored the other way round', async () => {
    const config = widened(fixture('dora').recording.config);
    expect(await compared(config, { adapter: adapted('dora', config) })).to.equal(0);
    expect(await compared(widened(fixture('gpt2').recording.config))).to.equal(0);
  });
});
