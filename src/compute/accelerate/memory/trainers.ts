/** Trainers whose memory is known, by what their code keeps: each turns a run that somebody describes into bytes' facts. */
import { BLOCKS } from './blocks.js';
import { type DecoderFields, decoderShape } from './decoder-shape.js';
import { HEADS, type HeadName, ligerHead } from './heads.js';
import type { BlockTraits, TorchShape } from './shape.js';
import type {
  AdapterTarget,
  AttentionKernel,
  Certainty,
  Dtype,
  HeadCost,
  OptimizerMemory,
  ShardingMemory,
  Stored,
  TorchTraining,
  Trained,
} from './training.js';

/** What a published run says of itself. */
export interface TrainingRun {
  readonly trainer: TrainerName;
  readonly model: DecoderFields;
  readonly method: keyof typeof METHODS;
  /** Of the base's linear layers, where they are quantised. */
  readonly quantised?: Stored;
  /** `mixed`: float32 weights under autocast. */
  readonly precision: 'bfloat16' | 'float16' | 'float32' | 'mixed';
  /** Names of linear layers as in {@link TorchShape.linears}; `head` is the head. */
  readonly targets?: readonly string[];
  readonly rank?: number;
  readonly dropout?: number;
  readonly isCheckpointed: boolean;
  readonly attention: AttentionKernel;
  readonly optimizer: OptimizerName;
  readonly head?: HeadName | 'liger';
  readonly accumulation?: number;
  readonly sharding?: ShardingMemory['kind'];
  readonly world?: number;
  readonly isOffloaded?: boolean;
  readonly rows: number;
  readonly length: number;
  readonly certainty?: Certainty;
}

/** Bytes of state per trained number and of what a step needs besides, for parameters of so many bytes. */
export const OPTIMIZERS = {
  /** Two moments in the parameters' type; `foreach` makes a temporary as large as all parameters. */
  adamw: (width) => ({ state: 2 * width, temporary: width }),
  'adamw fused': (width) => ({ state: 2 * width, temporary: 0 }),
  /** Moments in 8 bits, with a float32 per 256 each. */
  adamw8bit: () => ({ state: 2 + 8 / 256, temporary: 0 }),
  paged: () => ({ state: 0, temporary: 0 }),
  'paged in backward': () => ({ state: 0, temporary: 0, isInBackward: true }),
  /** Transformers' own, before torch's: one parameter at a time. */
  'adamw loop': (width) => ({ state: 2 * width, temporary: 0 }),
  adafactor: () => ({ state: 0.01, temporary: 0 }),
  sgd: (width) => ({ state: width, temporary: width }),
  /** Float32 weights and two moments beside parameters in 16 bits, and float32 gradients of a group of parameters. */
  deepspeed: () => ({ state: 8, temporary: 4, master: 4 }),
} as const satisfies Readonly<Record<string, (width: number) => OptimizerMemory>>;
export type OptimizerName = keyof typeof OPTIMIZERS;

interface Trainer {
  /** How its own code computes a block, where it is not transformers'. */
  readonly block?: (traits: BlockTraits) => BlockTraits;
  readonly head: HeadName;
  /** Of adapters over an unquantised base; default: the base's. */
  readonly adapters?: Dtype;
  readonly quantisedAdapters?: Dtype;
  readonly isAutocast: boolean;
  /** `prepare_model_for_kbit_training`: what is not quantised becomes float32. */
  readonly widensQuantised?: boolean;
  readonly quantisesHead?: boolean;
  readonly isHeadCopied?: boolean;
  readonly keepsQuantisedInputs?: boolean;
  readonly dequantised?: number;
  /** Activations of adapters beyond those of PEFT, per token. */
  readonly extra?: (shape: TorchShape, run: TrainingRun) => number;
  readonly sharding?: Partial<ShardingMemory>;
}

/**
 * LitGPT fuses queries, keys and values, whose views keep the whole; under grouped queries keys and values are expanded. GELU is
 * torch's own.
 */
const litgptBlock = (traits: BlockTraits): BlockTraits => ({
  ...traits,
  mlpSaved: traits.isGated ? 3 : 1,
  fusedQkv: true,
});

/** LoRA over the fused matrix is put in its places by an index: the source is kept, unless it is all of it. */
function litgptExtra({ queries, keys }: TorchShape, { method, targets = [] }: TrainingRun): number {
  if (method !== 'lora') return 0;
  const all = ['q', 'k', 'v'].every((name) => targets.includes(name));
  return all ? 0 : 2 * (queries + keys);
}

/** FSDP of torch 2.1 with a checkpoint that is read whole: the model, and a shard of it, with room to cut. */
const LITGPT_LOAD = { load: 1.1 } as const;

export const TRAINERS = {
  /** LitGPT of 2023, commit 8641822, with bitsandbytes 0.41. */
  'litgpt 2023': {
    block: litgptBlock,
    head: 'litgpt',
    isAutocast: false,
    quantisesHead: true,
    isHeadCopied: true,
    keepsQuantisedInputs: true,
    extra: litgptExtra,
    sharding: LITGPT_LOAD,
  },
  litgpt: {
    block: litgptBlock,
    head: 'litgpt',
    isAutocast: false,
    quantisesHead: true,
    isHeadCopied: true,
    keepsQuantisedInputs: true,
    extra: litgptExtra,
    sharding: LITGPT_LOAD,
  },
  'torchtune 2024': { head: 'torchtune 2024-04', isAutocast: false },
  torchtune: { head: 'torchtune chunked', isAutocast: false },
  /** Qwen's `finetune.py` of 2023: transformers' Trainer, PEFT 0.6, DeepSpeed where it shards. */
  'qwen 2023': { head: 'transformers<=4.45', isAutocast: true, dequantised: 7 },
  /** Transformers' Trainer with PEFT of 2023, and since: adapters in the type of the base, then in float32. */
  'trl 2023': {
    head: 'transformers<=4.45',
    isAutocast: true,
    widensQuantised: true,
    quantisedAdapters: 'float32',
  },
  trl: {
    head: 'transformers>=4.50',
    isAutocast: true,
    adapters: 'float32',
    quantisedAdapters: 'float32',
    widensQuantised: true,
  },
  /** A plain loop over PEFT, without autocast. */
  'peft loop': { head: 'transformers>=4.50', isAutocast: false, adapters: 'float32' },
  unsloth: {
    head: 'unsloth',
    isAutocast: true,
    adapters: 'float32',
    quantisedAdapters: 'float32',
  },
  'llama-factory': { head: 'transformers<=4.45', isAutocast: true, quantisedAdapters: 'float32' },
  torchtitan: { head: 'transformers float32', isAutocast: false },
} as const satisfies Readonly<Record<string, Trainer>>;
export type TrainerName = keyof typeof TRAINERS;

const WIDTHS = { bfloat16: 2, float16: 2, float32: 4, mixed: 4 } as const;

/** What is trained, by method. */
export const METHODS = { full: 'full', lora: 'adapter' } as const;

export function trainingOf(run: TrainingRun): TorchTraining {
  const trainer: Trainer = TRAINERS[run.trainer];
  const shape = shapeFor(run, trainer);
  const weights: Dtype = run.precision === 'mixed' ? 'float32' : run.precision;
  const compute: Dtype = run.precision === 'mixed' ? 'bfloat16' : run.precision;
  const widened = run.quantised !== undefined && trainer.widensQuantised === true;
  const other: Dtype = widened ? 'float32' : weights;
  const trained = trainedBy(run, trainer, shape, weights);
  const width = WIDTHS[trained.dtype];
  return {
    shape,
    stored: {
      linear: run.quantised ?? weights,
      embedding: other,
      head: run.quantised !== undefined && trainer.quantisesHead ? run.quantised : other,
      other,
      isHeadCopied: trainer.isHeadCopied,
    },
    trained,
    compute,
    isAutocast: (trainer.isAutocast || run.precision === 'mixed') && compute !== 'float32',
    residual: other,
    attention: run.attention,
    checkpointed: run.isCheckpointed ? shape.layers : 0,
    head: headFor(run, trainer, shape),
    optimizer: OPTIMIZERS[run.optimizer](width),
    accumulation: run.accumulation ?? 1,
    sharding: {
      kind: run.sharding ?? 'none',
      world: run.world ?? 1,
      isOffloaded: run.isOffloaded,
      ...trainer.sharding,
    },
    rows: run.rows,
    length: run.length,
    keepsQuantisedInputs: trainer.keepsQuantisedInputs,
    dequantised: run.quantised === undefined ? undefined : trainer.dequantised,
    certainty: run.certainty,
  };
}

function shapeFor({ model }: TrainingRun, { block }: Trainer): TorchShape {
  const shape = decoderShape(model);
  return block === undefined ? shape : { ...shape, block: block(BLOCKS[model.type]) };
}

function headFor({ head, rows, length }: TrainingRun, trainer: Trainer, shape: TorchShape): HeadCost {
  return head === 'liger' ? ligerHead(shape, rows * length) : HEADS[head ?? trainer.head];
}

function trainedBy(run: TrainingRun, trainer: Trainer, shape: TorchShape, weights: Dtype): Trained {
  if (METHODS[run.method] === 'full') return { kind: 'full', dtype: weights };
  const { targets = [], rank = 8, dropout = 0 } = run;
  const layers = shape.linears.filter(
    ({ name }) => targets.includes(name) || (name === 'qkv' && targets.some(isQkv)),
  );
  const numbers = layers.reduce((sum, { inputs, outputs }) => sum + rank * (inputs + outputs), 0);
  const ofHead = targets.includes('head') ? rank * (shape.hidden + shape.vocabulary) : 0;
  const dtype =
    run.quantised === undefined ? trainer.adapters : (trainer.quantisedAdapters ?? trainer.adapters);
  return {
    kind: 'adapter',
    dtype: dtype ?? (weights === 'float32' ? 'float32' : weights),
    parameters: shape.layers * numbers + ofHead,
    targets: layers.map(({ reads, inputs }): AdapterTarget => ({ reads, inputs, rank })),
    dropout,
    extraPerToken: trainer.extra?.(shape, run),
  };
}

const isQkv = (name: string): boolean => name === 'q' || name === 'k' || name === 'v';
