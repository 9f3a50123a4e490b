/** The driver of this program (`python/ftpc_driver`): what it keeps, as its code has it. */
import type { uncounted } from './blocks.js';
import type { CountedBlock } from './counted.js';
import type { TorchShape } from './shape.js';
import type {
  AdapterTraining,
  AttentionKernel,
  Certainty,
  Dtype,
  EvaluationMemory,
  HeadCost,
  ShardingMemory,
  StoredParts,
  TorchTraining,
} from './training.js';

export interface DriverRun {
  readonly shape: TorchShape;
  /** Its tensors are float32, whatever the base is; left out where every weight is trained. */
  readonly adapter?: Omit<AdapterTraining, 'kind' | 'dtype'>;
  /** `bf16`: products by autocast, and a frozen base in bfloat16. */
  readonly precision: 'f32' | 'bf16';
  readonly isQuantised: boolean;
  readonly device: 'cpu' | 'cuda';
  readonly attention: AttentionKernel;
  /** Several texts share a sequence: they are kept apart by a mask. */
  readonly isPacked: boolean;
  readonly checkpointed: number;
  readonly logitsChunk?: number;
  readonly sharding: {
    readonly kind: 'none' | 'ddp' | 'fsdp';
    readonly world: number;
    readonly isOffloaded: boolean;
  };
  readonly accumulation: number;
  readonly rows: number;
  readonly length: number;
  /** Supervised tokens of a micro batch: only their logits are computed. */
  readonly predicted: number;
  /** Bytes of the optimiser's state, and of what a step needs besides, per trained number. */
  readonly optimizer: { readonly state: number; readonly temporary: number };
  readonly evaluation?: EvaluationMemory;
  /** Another model, which is asked before the base is there. */
  readonly asked?: DriverRun;
  /** Left out if the tables were counted for it. */
  readonly uncounted?: ReturnType<typeof uncounted>;
  /** What was counted on this machine. */
  readonly counted?: CountedBlock;
}

export function driverTraining(run: DriverRun): TorchTraining {
  const { shape, adapter, precision, sharding, predicted } = run;
  const compute: Dtype = precision === 'bf16' ? 'bfloat16' : 'float32';
  const weights: Dtype = adapter === undefined ? 'float32' : compute;
  const isShared = sharding.world > 1 && !(sharding.kind === 'fsdp' && adapter === undefined);
  const { state, temporary } = run.optimizer;
  return {
    shape,
    stored: storedParts(run, weights),
    trained:
      adapter === undefined
        ? { kind: 'full', dtype: 'float32' }
        : { ...adapter, kind: 'adapter', dtype: 'float32' },
    compute,
    isAutocast: precision === 'bf16',
    residual: weights,
    device: run.device,
    attention: shape.block.isAlwaysEager ? 'eager' : run.attention,
    isMasked: run.isPacked,
    checkpointed: run.checkpointed,
    head: headOf(run),
    // gradients are added up over the ranks as one tensor
    optimizer: { state, temporary: Math.max(temporary, isShared ? 4 : 0) },
    accumulation: run.accumulation,
    sharding: shardingOf(run),
    rows: run.rows,
    length: run.length,
    predicted,
    evaluation: run.evaluation,
    ...(run.asked && { asked: driverTraining(run.asked) }),
    counted: run.counted,
    certainty: certaintyOf(run),
  };
}

/** What carries a state is computed by kernels that differ much in what they save. */
function certaintyOf({ uncounted, shape }: DriverRun): Certainty {
  if (uncounted === undefined) return 'counted';
  return shape.state === undefined ? 'estimated' : 'assumed';
}

const storedParts = ({ isQuantised }: DriverRun, weights: Dtype): StoredParts => ({
  linear: isQuantised ? 'nf4-dq' : weights,
  embedding: weights,
  head: weights,
  other: weights,
});

/** Bytes per logit: log-softmax, float32 gradients of it and of the logits; only where something is supervised. */
const LOGITS = { forward: 8, backward: 12 } as const;

/**
 * The last norm saves its input, which takes the place of that of the first block's, as a frozen embedding needs no gradient; where
 * a prompt comes before the text, both are saved. Where
 * all is trained, it saves what its weight is multiplied by, and the head its input. Of a frozen head, chunks are computed once,
 * and the gradient of all states is kept.
 */
function headOf({ logitsChunk, adapter, precision, predicted, counted, shape }: DriverRun): HeadCost {
  const width = precision === 'bf16' ? 2 : 4;
  const known = LOGITS.backward + (shape.block.capsLogits ? width : 0);
  const bytes = { forward: LOGITS.forward, backward: counted?.logits ?? known };
  const isChunked = logitsChunk !== undefined && logitsChunk < predicted;
  if (adapter === undefined) return { ...bytes, chunk: logitsChunk, states: 8, inputs: width };
  return {
    ...bytes,
    chunk: logitsChunk,
    states: adapter.reachesEmbedding ? 4 : 0,
    inputs: isChunked ? 2 * width : 0,
  };
}

/**
 * FSDP2 gathers a block while the one before it is computed; an adapter is whole on every rank. On a CPU, the first rank has the
 * whole base next to its shard when it has read it; before GPUs have their shards, it is in the memory of the first one's machine.
 */
const shardingOf = ({ sharding, device }: DriverRun): ShardingMemory => ({
  kind: sharding.kind,
  world: sharding.world,
  isOffloaded: sharding.isOffloaded,
  isTrainedWhole: true,
  hasWholeConstants: true,
  gatheredBlocks: 2,
  keepsRoot: true,
  load: device === 'cpu' ? { whole: 1, shard: 1 } : undefined,
});
