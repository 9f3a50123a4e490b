/** The keys of a GGUF file that say what a model computes, as llama.cpp's converter writes them (`convert_hf_to_gguf.py`). */
import { blockOf, blueprintOf } from '../../models/architectures/index.js';
import { llama3Divisors } from '../../models/gguf/config.js';
import type { GgufField } from '../../models/gguf/write.js';
import type { ArchitectureName, ModelConfig } from '../../models/types.js';
import { windowPeriod } from './llama-limits.js';

export const u32 = (value: number): GgufField => ({ type: 'u32', value });
export const f32 = (value: number): GgufField => ({ type: 'f32', value });
export const flag = (value: boolean): GgufField => ({ type: 'bool', value });
export const text = (value: string): GgufField => ({ type: 'string', value });

type Fields = Readonly<Record<string, GgufField>>;

export interface WrittenFamily {
  /** `general.architecture`. */
  readonly name: string;
  /** Rows of query and key projections are stored in pairs. */
  readonly rotatesPairs?: boolean;
  /** Norms with mean and variance. */
  readonly layerNorm?: boolean;
  /** Fields that only this family has, without the architecture's name. */
  readonly fields: (config: ModelConfig) => Fields;
}

const windowOf = ({ window }: ModelConfig): Fields =>
  window === undefined ? {} : { 'attention.sliding_window': u32(window) };

/** Values of a head that are turned. */
const turned = (config: ModelConfig): Fields => {
  const { rotary } = blockOf(blueprintOf(config), 0).attention;
  return rotary === undefined ? {} : { 'rope.dimension_count': u32(rotary.dims) };
};

const caps = ({ scoreCap, logitCap }: ModelConfig): Fields => ({
  ...(scoreCap === undefined ? {} : { attn_logit_softcapping: f32(scoreCap) }),
  ...(logitCap === undefined ? {} : { final_logit_softcapping: f32(logitCap) }),
});

const GEMMA3_PERIOD = 6;

/** Every how many layers one sees all, where it is not the usual one in six. */
function gemma3Windows(config: ModelConfig): Fields {
  const period = windowPeriod(config);
  return period === undefined || period === GEMMA3_PERIOD
    ? {}
    : { 'attention.sliding_window_pattern': u32(period) };
}

const FAMILIES: Readonly<Partial<Record<ArchitectureName, WrittenFamily>>> = {
  llama: { name: 'llama', rotatesPairs: true, fields: turned },
  mistral: {
    name: 'llama',
    rotatesPairs: true,
    fields: (config) => ({ ...turned(config), ...windowOf(config) }),
  },
  qwen2: { name: 'qwen2', fields: () => ({}) },
  qwen3: { name: 'qwen3', fields: () => ({}) },
  smollm3: { name: 'smollm3', rotatesPairs: true, fields: turned },
  gemma2: { name: 'gemma2', fields: (config) => ({ ...windowOf(config), ...caps(config) }) },
  gemma3: {
    name: 'gemma3',
    fields: (config) => ({
      ...windowOf(config),
      ...caps(config),
      ...gemma3Windows(config),
      ...(config.localRopeTheta === undefined ? {} : { 'rope.freq_base_swa': f32(config.localRopeTheta) }),
    }),
  },
  phi3: {
    name: 'phi3',
    // without a window, llama.cpp takes the file for an older one and sets its own
    fields: (config) => ({ ...turned(config), 'attention.sliding_window': u32(config.window ?? 0) }),
  },
  gpt2: { name: 'gpt2', layerNorm: true, fields: () => ({}) },
  gpt_neox: {
    name: 'gptneox',
    layerNorm: true,
    fields: (config) => ({ ...turned(config), use_parallel_residual: flag(config.parallel ?? false) }),
  },
};

/** How llama.cpp knows an architecture; `undefined` where it has none. */
export const ggufFamily = ({ architecture }: ModelConfig): WrittenFamily | undefined =>
  FAMILIES[architecture];

/** Tensors that are no weights: divisors of the frequencies. */
interface GgufVector {
  readonly name: string;
  readonly values: Float32Array;
}

export interface Hyperparameters {
  readonly fields: Fields;
  readonly vectors: readonly GgufVector[];
}

/** Under `general.architecture`. */
export function hyperparameters(config: ModelConfig, family: WrittenFamily): Hyperparameters {
  const { rotary } = blockOf(blueprintOf(config), config.layers - 1).attention;
  const norm = family.layerNorm === true ? 'layer_norm_epsilon' : 'layer_norm_rms_epsilon';
  const heads = family.layerNorm !== true;
  const { fields: scaling, vectors } = ropeScaling(config);
  const fields: Fields = {
    vocab_size: u32(config.vocabSize),
    context_length: u32(config.maxPositions),
    embedding_length: u32(config.hiddenSize),
    block_count: u32(config.layers),
    feed_forward_length: u32(config.intermediateSize),
    'attention.head_count': u32(config.heads),
    ...(heads
      ? {
          'attention.head_count_kv': u32(config.keyValueHeads),
          'attention.key_length': u32(config.headDim),
          'attention.value_length': u32(config.headDim),
        }
      : {}),
    [`attention.${norm}`]: f32(config.normEpsilon),
    ...(rotary === undefined && config.unrotated === undefined
      ? {}
      : { 'rope.freq_base': f32(config.ropeTheta) }),
    ...scaling,
    ...family.fields(config),
  };
  const own = Object.entries(fields).map(([key, field]) => [`${family.name}.${key}`, field] as const);
  return { fields: Object.fromEntries(own), vectors };
}

function ropeScaling(config: ModelConfig): Hyperparameters {
  const { ropeScaling: scaling, ropeTheta, headDim } = config;
  if (scaling === undefined) return { fields: {}, vectors: [] };
  switch (scaling.type) {
    case 'linear':
      return {
        fields: { 'rope.scaling.type': text('linear'), 'rope.scaling.factor': f32(scaling.factor) },
        vectors: [],
      };
    case 'yarn':
      return {
        fields: {
          'rope.scaling.type': text('yarn'),
          'rope.scaling.factor': f32(scaling.factor),
          'rope.scaling.original_context_length': u32(scaling.originalPositions),
        },
        vectors: [],
      };
    case 'llama3':
      return {
        fields: {},
        vectors: [
          { name: 'rope_freqs.weight', values: llama3Divisors(scaling.factor, ropeTheta, headDim / 2) },
        ],
      };
    case 'longrope':
      return {
        fields: {
          'rope.scaling.type': text('longrope'),
          'rope.scaling.original_context_length': u32(scaling.originalPositions),
          'rope.scaling.attn_factor': f32(scaling.attentionFactor),
        },
        vectors: [
          { name: 'rope_factors_long.weight', values: Float32Array.from(scaling.long) },
          { name: 'rope_factors_short.weight', values: Float32Array.from(scaling.short) },
        ],
      };
  }
}
