/** Bytes of the driver's tensors, counted while it trains (`test/fixtures/torch-memory/record.py`), next to what is planned. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type DecoderFields,
  type DriverRun,
  decoderShape,
  driverTraining,
  type TorchShape,
  torchPeak,
} from '../../../../src/compute/accelerate/memory/index.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

interface Case {
  readonly model: string;
  readonly trained: 'adapter' | 'full';
  readonly targets: readonly string[] | null;
  readonly rank: number;
  readonly dropout: number;
  readonly precision: 'f32' | 'bf16';
  readonly quantised: boolean;
  readonly attention: 'eager' | 'sdpa';
  readonly checkpointed: number;
  readonly chunk: number | null;
  readonly sharding: 'none' | 'ddp' | 'fsdp';
  readonly world: number;
  readonly accumulation: number;
  readonly optimizer: keyof typeof OPTIMIZERS;
  readonly kind: 'lora' | 'dora' | 'prompt' | 'prefix';
  /** Rows of a validation. */
  readonly validated: number;
  readonly packed: boolean;
  readonly supervised: number;
  /** By the phase of the second step. */
  readonly peaks: Readonly<Record<string, number>>;
}

const TINY = { layers: 4, hidden: 128, heads: 8, keyValueHeads: 4, inner: 352, vocabulary: 2000 };
const MHA = { ...TINY, keyValueHeads: 8, inner: 512, biases: true };
const MODELS = {
  llama: { ...TINY, type: 'llama' },
  qwen3: { ...TINY, type: 'qwen3', isTied: true },
  mixtral: { ...TINY, type: 'mixtral', experts: 4, activeExperts: 2 },
  gpt2: { ...MHA, type: 'gpt2', positions: 256, isTied: true },
  gpt_neox: { ...MHA, type: 'gpt_neox' },
  wide: {
    ...TINY,
    type: 'llama',
    layers: 6,
    hidden: 192,
    heads: 6,
    keyValueHeads: 2,
    inner: 512,
    vocabulary: 5000,
  },
  qwen2: { ...TINY, type: 'qwen2', hidden: 96, heads: 4, keyValueHeads: 2 },
  phi3: { ...TINY, type: 'phi3' },
  gemma2: { ...TINY, type: 'gemma2', isTied: true },
  mistral3: { ...TINY, type: 'mistral3' },
} as const satisfies Readonly<Record<string, Omit<DecoderFields, 'name'>>>;
/** Numbers of what sees, by model. */
const SENSES: Readonly<Record<string, number>> = { mistral3: 135_552 };
/** Rows of a micro batch, and their tokens. */
const [ROWS, LENGTH] = [4, 96];
/** Tokens of a prompt or a prefix. */
const VIRTUAL = 20;
const NAMES: Readonly<Record<string, string>> = { q_proj: 'q', v_proj: 'v' };
/** Bytes per trained number of the state; tensors of the size of the largest that an update makes. */
const OPTIMIZERS = {
  adamw: { state: 8, tensors: 0 },
  sgd: { state: 0, tensors: 0 },
  adafactor: { state: 0.1, tensors: 3 },
  lion: { state: 4, tensors: 3 },
  adamw8bit: { state: 2, tensors: 0 },
} as const;

const isModel = (name: string): name is keyof typeof MODELS => Object.hasOwn(MODELS, name);

function runOf(one: Case): DriverRun {
  if (!isModel(one.model)) throw new Error(`there is no shape of ${one.model}`);
  const shape = withSenses(decoderShape({ name: one.model, ...MODELS[one.model] }), SENSES[one.model]);
  const adapter = one.trained === 'full' ? undefined : adapterOf(one, shape);
  const { tensors } = OPTIMIZERS[one.optimizer];
  const numbers = shape.linear + shape.embedding + shape.head + shape.other;
  const state = stateOf(one, shape.embedding / numbers);
  return {
    ...{ shape, adapter, precision: one.precision, isQuantised: one.quantised, device: 'cpu' },
    ...{ attention: one.attention, isPacked: one.packed, checkpointed: one.checkpointed },
    logitsChunk: one.chunk ?? undefined,
    sharding: { kind: one.sharding, world: one.world, isOffloaded: false },
    ...{
      accumulation: one.accumulation,
      rows: ROWS,
      length: one.kind === 'prompt' ? LENGTH + VIRTUAL : LENGTH,
    },
    predicted: predictedOf(one),
    evaluation: evaluationOf(one),
    optimizer: { state, temporary: (4 * tensors * shape.hidden * shape.vocabulary) / numbers },
  };
}

const withSenses = (shape: TorchShape, otherOfSenses = 0): TorchShape => ({
  ...shape,
  other: shape.other + otherOfSenses,
  otherOfSenses,
});

function adapterOf(
  { targets, rank, dropout, kind }: Case,
  { linears, layers, hidden, keys }: TorchShape,
): DriverRun['adapter'] {
  if (kind === 'prompt')
    return { parameters: VIRTUAL * hidden, targets: [], dropout: 0, reachesEmbedding: true };
  if (kind === 'prefix')
    return { parameters: 2 * layers * keys * VIRTUAL, targets: [], dropout: 0, prefix: VIRTUAL };
  const names = targets?.map((name) => NAMES[name] ?? name);
  const adapted = linears.filter(({ name }) => names === undefined || names.includes(name));
  return {
    parameters: layers * rank * adapted.reduce((sum, { inputs, outputs }) => sum + inputs + outputs, 0),
    targets: adapted.map(({ reads, inputs, outputs }) => ({
      ...{ reads, inputs, rank, extraNumbers: kind === 'dora' ? 2 * outputs : 0 },
    })),
    dropout,
  };
}

/** Bytes per number. Of eight bits, tensors of fewer than 4,096 numbers stay exact, as these factors are. */
function stateOf({ optimizer, trained }: Case, embedding: number): number {
  if (optimizer !== 'adamw8bit') return OPTIMIZERS[optimizer].state;
  return trained === 'adapter' ? 8 : 2 + 6 * embedding;
}

function evaluationOf({ validated, chunk, supervised }: Case): DriverRun['evaluation'] {
  const predicted = Math.min(chunk ?? Infinity, validated * Math.round(LENGTH * supervised));
  return validated === 0 ? undefined : { rows: validated, length: LENGTH, predicted, perLogit: 8 };
}

/** Nothing predicts the first token of a text. */
function predictedOf({ packed, supervised }: Case): number {
  const [texts, length] = packed ? [2 * ROWS, LENGTH / 2] : [ROWS, LENGTH];
  return texts * Math.min(length - 1, Math.round(length * supervised));
}

describe("the driver's tensors", () => {
  const file = join(nodeHost().packageFolder, 'test/fixtures/torch-memory/counted.json');
  const cases: readonly Case[] = JSON.parse(readFileSync(file, 'utf8'));
  const errors = cases.map((one) => {
    const counted = Math.max(...Object.values(one.peaks));
    const { peaks: _, ...settings } = one;
    return { settings, error: torchPeak(driverTraining(runOf(one))).allocated.bytes / counted - 1 };
  });

  it('are planned within 3 % of what is counted', () => {
    expect(errors.length).to.be.greaterThan(50);
    for (const { settings, error } of errors)
      expect(Math.abs(error), JSON.stringify(settings)).to.be.lessThan(0.03);
  });

  it('are planned within 1 % in the median', () => {
    const sizes = errors.map(({ error }) => Math.abs(error)).sort((a, b) => a - b);
    expect(sizes[sizes.length >> 1]).to.be.lessThan(0.01);
  });
});
