/** Steps over weights as they are stored, of one row and of several, against the same over float32. */
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

/** `inFloat32`: matrices of blocks in codes of a digit and others of two, which are in float32, too. */
function stored(config: ModelConfig, inFloat32 = false): WeightStore {
  const tensors = expectedTensors(config).map(({ name, shape }, number) => {
    if (shape.length === 1) return float32Tensor(name, shape, wave(sizeOf(shape), number, 0.5));
    const floats = wave(sizeOf(shape), number, 0.2);
    if (!inFloat32) {
      const format = FORMATS[number % FORMATS.length] ?? 'Q4_0';
      return blockTensor(name, shape, format, quantiseBlocks(format, floats));
    }
    const format = name.includes('layers') ? 'Q4_1' : 'Q8_0';
    const tensor = blockTensor(name, shape, format, quantiseBlocks(format, floats));
    tensor.dequantise(floats);
    return { ...tensor, view: () => floats };
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
  /** Prompts of different lengths, the second of which leaves in the middle; default: 1. */
  readonly rows?: number;
  readonly inFloat32?: boolean;
}

interface Computed {
  readonly logits: readonly Float32Array[];
  /** Graphs that read weights as they are stored. */
  readonly compiled: number;
  /** How often one of them gave logits. */
  readonly heads: number;
}

/** Logits of each step after prompts, and whether they came from weights as they are stored. */
async function steps(
  runtime: Runtime,
  config: ModelConfig,
  { adapter, vocabularyShard, rows = 1, inFloat32 }: Asked,
): Promise<Computed> {
  let [compiled, heads] = [0, 0];
  const compileFixed: Runtime['compileFixed'] = async (...given) => {
    const graph = await runtime.compileFixed?.(...given);
    if (graph === undefined) return undefined;
    compiled++;
    const isHead = graph.graph.outputs.some(({ name }) => name === 'logits');
    return {
      ...graph,
      run(...args) {
        if (isHead) heads++;
        return graph.run(...args);
      },
    };
  };
  const decoder = await createDecoder({
    runtime: runtime.compileFixed === undefined ? runtime : { ...runtime, compileFixed },
    ...{
      config,
      weights: stored(config, inFloat32),
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: 7,
    },
    storedSteps: true,
    vocabularyShard,
    ...(adapter && { adapter }),
  });
  const session = await decoder.session(rows, 100);
  let left = Array.from({ length: rows }, (_, row) => row);
  await session.append(
    left.map((row) => Int32Array.from({ length: 56 - 9 * row }, (_, at) => (at * 17 + row) % 41)),
  );
  const logits: Float32Array[] = [];
  for (let step = 0; step < STEPS; step++) {
    if (rows > 1 && step === STEPS / 2) {
      left = left.filter((row) => row !== 1);
      await session.keep(left);
    }
    const after = await session.append(left.map((row) => Int32Array.of((step * 13 + row) % 41)));
    logits.push(after.slice());
  }
  await session.release();
  await decoder.release();
  return { logits, compiled, heads };
}

async function compared(config: ModelConfig, asked: Asked = {}): Promise<Omit<Computed, 'logits'>> {
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
  const { compiled, heads } = found;
  return { compiled, heads };
}

describe('a step over weights as they are stored', () => {
  for (const name of ['llama3', 'gemma3', 'qwen2', 'qwen3', 'neox', 'phi3'])
    it(`gives the logits of float32, whatever the codes: ${name}`, async () => {
      expect((await compared(widened(fixture(name).recording.config))).compiled).to.equal(1);
    });

  for (const name of ['llama3', 'gemma3', 'neox'])
    it(`takes several rows, which leave one after another: ${name}`, async () => {
      expect((await compared(widened(fixture(name).recording.config), { rows: 4 })).compiled).to.equal(1);
    });

  it('reads the factors of LoRA next to them', async () => {
    const config = widened(fixture('llama3').recording.config);
    for (const rows of [1, 3])
      expect((await compared(config, { adapter: adapted('llama3', config), rows })).compiled).to.equal(1);
  });

  it('computes the head a shard of the vocabulary at a time', async () => {
    const config = widened(fixture('gemma3').recording.config);
    for (const rows of [1, 3])
      expect((await compared(config, { vocabularyShard: 23, rows })).compiled).to.equal(
        1 + Math.ceil(config.vocabSize / 23),
      );
    const outer = widened(fixture('outer').recording.config);
    const adapter = adapted('outer', outer);
    expect((await compared(outer, { adapter, vocabularyShard: 64 })).compiled).to.equal(1 + 2);
  });

  it('is left where more is done with a matrix than a product, as in DoRA, and where it is stored the other way round', async () => {
    const config = widened(fixture('dora').recording.config);
    expect((await compared(config, { adapter: adapted('dora', config) })).compiled).to.equal(0);
    expect((await compared(widened(fixture('gpt2').recording.config))).compiled).to.equal(0);
  });

  it('leaves a head of two digits to float32 where several rows have that', async () => {
    const config = widened(fixture('gemma3').recording.config);
    const asked = { vocabularyShard: 23, inFloat32: true };
    const shards = Math.ceil(config.vocabSize / 23);
    const { heads, ...one } = await compared(config, asked);
    expect(one).to.deep.equal({ compiled: 1 + shards });
    expect(heads % shards).to.equal(0);
    expect(heads).to.be.above(0);
    expect(await compared(config, { ...asked, rows: 3 })).to.deep.equal({ compiled: 1 + shards, heads: 0 });
  });
});
