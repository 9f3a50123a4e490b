import { expect } from 'chai';
import type { AdapterConfig, LoraConfig } from '../../../src/compute/models/adapters/config.js';
import { adapterShapes, initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { plainAdapter } from '../../../src/compute/models/adapters/pissa.js';
import { withNewTokens } from '../../../src/compute/models/added-tokens.js';
import { createDecoder, type Decoder } from '../../../src/compute/models/decoder/index.js';
import { openModel } from '../../../src/compute/models/load.js';
import type { Adapter, ModelConfig, WeightStore } from '../../../src/compute/models/types.js';
import { RUNTIME_NAMES, type RuntimeName } from '../../../src/language/ir/runtimes.js';
import { ofKind } from '../models/adapters/of-kind.js';
import { openHere, whereInstalled } from '../tensor/runtimes/here.js';
import { fixturePath, host, type RunName, recordedRows, recordedRun, recordedTensors } from './fixture.js';
import { agrees } from './whole-run.js';

/** Whole trainings against PyTorch, PEFT, AdapterHub's `adapters` and transformers' Trainer. */
const IN_FOUR_BITS: ReadonlySet<RunName> = new Set([
  'qlora',
  'qlora-dora',
  'qlora-pissa',
  'qlora-prefix',
  'pfeiffer',
]);

/** What trains no low-rank factors. */
const OTHERS: Readonly<Partial<Record<RunName, AdapterConfig>>> = {
  prompt: { kind: 'prompt', tokens: 6 },
  prefix: { kind: 'prefix', tokens: 6 },
  'qlora-prefix': { kind: 'prefix', tokens: 6 },
  'prefix-projection': { kind: 'prefix', tokens: 6, projection: 12 },
  houlsby: {
    ...{ kind: 'bottleneck', reduction: 8, places: ['attention', 'mlp'], activation: 'silu' },
    ...{ reads: 'output', scale: 1, dropout: 0 },
  },
  pfeiffer: {
    ...{ kind: 'bottleneck', reduction: 4, places: ['mlp'], activation: 'relu' },
    ...{ reads: 'sum', scale: 1, dropout: 0 },
  },
};

/** GPT-2 has biases in every linear layer and norm. */
const BIASED: Readonly<Partial<Record<RunName, LoraConfig['bias']>>> = {
  biases: 'all',
  'biases-of-layers': 'lora_only',
};

const LLAMA = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

/** Layers with factors, where they are not those of Llama's blocks. */
const TARGETS: Readonly<Partial<Record<RunName, readonly string[]>>> = {
  biases: ['c_attn', 'mlp.c_proj'],
  'biases-of-layers': ['c_attn', 'mlp.c_proj'],
  outer: [...LLAMA, 'embed_tokens', 'lm_head'],
  'outer-gpt2': ['c_attn', 'mlp.c_proj', 'wte', 'lm_head'],
};

const GPT2 = '../classification/gpt2';

/** Bases, where they are not the Llama that ties embedding and head. */
const BASES: Readonly<Partial<Record<RunName, string>>> = {
  ...{ biases: GPT2, 'biases-of-layers': GPT2, 'outer-gpt2': GPT2 },
  tokens: 'untied',
};

const isPissa = (name: RunName): boolean => name.endsWith('pissa');

async function decoderFor(name: RunName, runtime: RuntimeName): Promise<Decoder> {
  const run = recordedRun(name);
  const model = withNewTokens(openModel(host, fixturePath(BASES[name] ?? 'base')), {
    specialTokens: run.added,
  });
  const weights = model.loadWeights(IN_FOUR_BITS.has(name) ? 'nf4' : 'stored');
  return createDecoder({
    runtime: await openHere(runtime),
    config: model.config,
    weights,
    adapter: name === 'full' ? undefined : initialAdapter(model.config, weights, name),
    trainable: name === 'full' ? 'full' : 'adapter',
    checkpointedBlocks: 1,
    logitsChunk: 64,
    smoothing: run.smoothing,
  });
}

/** PEFT's random factors; what else is trained follows from the base: magnitudes of DoRA, factors of PiSSA, whole modules. */
function initialAdapter(config: ModelConfig, weights: WeightStore, name: RunName): Adapter {
  const other = OTHERS[name];
  if (other !== undefined) {
    const recorded = recordedTensors(`${name}-initial.safetensors`);
    const tensors = adapterShapes(config, other).map(
      ({ name: tensor, shape }) =>
        [tensor, { shape, data: recorded.get(tensor) ?? new Float32Array(0) }] as const,
    );
    return { config: other, tensors: new Map(tensors) };
  }
  const bias = BIASED[name];
  const targets = TARGETS[name] ?? LLAMA;
  const lora: LoraConfig = {
    kind: 'lora',
    rank: 4,
    alpha: 8,
    dropout: 0,
    targets,
    ...(bias === undefined ? {} : { bias }),
    ...(name === 'tokens' ? { modulesToSave: ['embed_tokens', 'lm_head'] } : {}),
    dora: name.endsWith('dora'),
    pissa: isPissa(name),
  };
  const { tensors } = initAdapter(config, lora, { seed: 0, weights });
  const recorded = plainly(
    recordedTensors(`${name in BASES || name in TARGETS ? name : 'lora'}-initial.safetensors`),
  );
  if (!isPissa(name))
    for (const [tensor, { data }] of tensors) {
      const values = recorded.get(tensor);
      if (values !== undefined) data.set(values);
      expect(values === undefined, tensor).to.equal(
        /magnitude|(?:embed_tokens|lm_head)\.weight$/.test(tensor),
      );
    }
  return { config: lora, tensors };
}

/** By the names of this program: PEFT has the bias of a layer with factors within it. */
const plainly = (tensors: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> =>
  new Map([...tensors].map(([tensor, values]) => [tensor.replace('.base_layer.bias', '.bias'), values]));

/**
 * A bias of keys adds the same to every score of a query, which softmax takes away: its gradient is 0 but for rounding, which
 * AdamW makes steps of. GPT-2 has it between those of queries and values.
 */
function withoutKeys(tensor: string, values: Float32Array): Float32Array {
  if (!tensor.endsWith('c_attn.bias')) return values;
  const third = values.length / 3;
  return Float32Array.of(...values.subarray(0, third), ...values.subarray(2 * third));
}

/**
 * What is compared in the end. The signs of singular vectors are arbitrary, so that of PiSSA it is the products of the
 * factors, once the adapter is told as a plain one.
 */
function finalTensors({ options, parameters }: Decoder, name: RunName) {
  const recorded = plainly(recordedTensors(`${name}-final.safetensors`));
  if (name in BIASED)
    return {
      found: new Map(
        [...parameters].map(([tensor, { data }]) => [tensor, { data: withoutKeys(tensor, data) }]),
      ),
      expected: new Map([...recorded].map(([tensor, data]) => [tensor, withoutKeys(tensor, data)])),
    };
  if (!isPissa(name) || options.adapter === undefined) return { found: parameters, expected: recorded };
  const { config, tensors } = plainAdapter(ofKind('lora', options.adapter), options.adapter.tensors);
  expect(config).to.include({ rank: 8, alpha: 16 });
  const product = (down: ArrayLike<number>, up: ArrayLike<number>): Float32Array => {
    const [rows, columns] = [up.length / config.rank, down.length / config.rank];
    return Float32Array.from({ length: rows * columns }, (_, at) => {
      let sum = 0;
      for (let k = 0; k < config.rank; k++)
        sum +=
          (up[Math.floor(at / columns) * config.rank + k] ?? 0) * (down[k * columns + (at % columns)] ?? 0);
      return sum;
    });
  };
  const downs = [...tensors].filter(([tensor]) => tensor.includes('lora_A'));
  const upOf = (tensor: string): string => tensor.replace('lora_A', 'lora_B');
  const none = new Float32Array(0);
  return {
    found: new Map(
      downs.map(([tensor, { data }]) => [
        tensor,
        { data: product(data, tensors.get(upOf(tensor))?.data ?? none) },
      ]),
    ),
    expected: new Map(
      downs.map(([tensor]) => [
        tensor,
        product(recorded.get(tensor) ?? none, recorded.get(upOf(tensor)) ?? none),
      ]),
    ),
  };
}

async function wholeTraining(name: RunName, runtime: RuntimeName): Promise<void> {
  const run = recordedRun(name);
  await agrees(await decoderFor(name, runtime), {
    run,
    rows: recordedRows(run),
    padId: 2,
    outcome: (decoder) => finalTensors(decoder, name),
  });
}

/** The rules of an optimiser are the same on each; what differs is how a base is held and what is trained. */
const RUNS: Readonly<Record<RuntimeName, readonly RunName[]>> = {
  onnx: [
    'lora',
    'dora',
    'loraplus',
    'smoothed',
    'outer',
    'outer-gpt2',
    'tokens',
    'biases',
    'biases-of-layers',
    'qlora',
    'full',
    'pissa',
    'prompt',
    'houlsby',
    'pfeiffer',
    'prefix',
    'prefix-projection',
    'qlora-dora',
    'qlora-pissa',
    'qlora-prefix',
  ],
  tensorflow: ['lora', 'smoothed', 'qlora', 'full'],
  // these are slow here
  webgpu: [],
  wasm: ['lora', 'outer', 'smoothed', 'qlora', 'full'],
  cpu: [],
};

for (const runtime of RUNTIME_NAMES)
  describe(`training against PyTorch, PEFT and Trainer, on ${runtime}`, () => {
    whereInstalled(runtime, () => {
      for (const name of RUNS[runtime])
        it(`${name}: losses, norms, rates and final tensors`, () => wholeTraining(name, runtime));
    });
  });
