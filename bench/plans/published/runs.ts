/** A fine-tuning as people describe one, and what follows for its memory from its trainer's code. */

import { BLOCKS } from '../../../src/compute/accelerate/memory/blocks.js';
import { type DecoderFields, decoderShape } from '../../../src/compute/accelerate/memory/decoder-shape.js';
import type { TorchShape } from '../../../src/compute/accelerate/memory/shape.js';
import type {
  AttentionKernel,
  Certainty,
  Dtype,
  HeadCost,
  ShardingMemory,
  Stored,
  StoredParts,
  TorchTraining,
} from '../../../src/compute/accelerate/memory/training.js';
import { DTYPE_BYTES } from '../../../src/compute/accelerate/memory/training.js';
import type { AdapterRun } from './adapter-run.js';
import { HEADS, type HeadName, ligerHead } from './heads.js';
import { METHODS, type MethodName } from './methods.js';
import { OPTIMIZERS, type OptimizerName } from './optimizers.js';
import type { Trainer } from './trainer.js';
import { TRAINERS, type TrainerName } from './trainers.js';

export interface TrainingRun extends AdapterRun {
  readonly trainer: TrainerName;
  readonly model: DecoderFields;
  readonly method: MethodName;
  /** Of the base's linear layers, where they are quantised. */
  readonly quantised?: Stored;
  /** `mixed`: float32 weights under autocast. */
  readonly precision: Dtype | 'mixed';
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
  readonly isVaried?: boolean;
  readonly certainty?: Certainty;
}

export function trainingOf(run: TrainingRun): TorchTraining {
  const trainer: Trainer = TRAINERS[run.trainer];
  const shape = shapeFor(run, trainer);
  const weights: Dtype = run.precision === 'mixed' ? 'float32' : run.precision;
  const compute: Dtype = run.precision === 'mixed' ? 'bfloat16' : run.precision;
  const stored = storedParts(run, trainer, weights);
  const ofAdapter = (run.quantised && trainer.quantisedAdapters) ?? trainer.adapters;
  const dtype = run.method === 'full' ? stored.other : (ofAdapter ?? weights);
  const extra = (run.method === 'lora' ? trainer.loraExtra?.(shape, run) : undefined) ?? 0;
  return {
    shape,
    stored,
    trained: METHODS[run.method]({ run, shape, dtype, base: weights, extra }),
    compute,
    isAutocast: (trainer.isAutocast || run.precision === 'mixed') && compute !== 'float32',
    residual: trainer.hasMasterWeights ? compute : stored.other,
    attention: run.attention,
    checkpointed: run.isCheckpointed ? shape.layers : 0,
    isCheckpointOffloaded: trainer.offloadsCheckpoints,
    head: headFor(run, trainer, shape),
    optimizer: OPTIMIZERS[run.optimizer](DTYPE_BYTES[dtype]),
    accumulation: run.accumulation ?? 1,
    sharding: {
      kind: run.sharding ?? 'none',
      world: run.world ?? 1,
      isOffloaded: run.isOffloaded,
      ...((run.sharding === 'fsdp' && trainer.fsdp) || trainer.sharding),
    },
    rows: run.rows,
    length: run.length,
    isVaried: run.isVaried,
    keepsQuantisedInputs: trainer.keepsQuantisedInputs,
    dequantised: trainer.dequantised,
    certainty: run.certainty ?? (trainer.isEstimated || run.sharding !== undefined ? 'estimated' : 'counted'),
  };
}

function shapeFor({ model }: TrainingRun, { block }: Trainer): TorchShape {
  const traits = BLOCKS[model.type];
  return decoderShape(model, block?.(traits, model) ?? traits);
}

function storedParts({ quantised, sharding }: TrainingRun, trainer: Trainer, weights: Dtype): StoredParts {
  const isWidened = quantised !== undefined && trainer.widensQuantised === true && sharding === undefined;
  const other: Dtype = isWidened || trainer.hasMasterWeights ? 'float32' : weights;
  return {
    linear: quantised ?? other,
    embedding: other,
    head: quantised !== undefined && trainer.quantisesHead ? quantised : other,
    other,
    isHeadCopied: trainer.isHeadCopied,
  };
}

const headFor = ({ head, rows, length }: TrainingRun, trainer: Trainer, shape: TorchShape): HeadCost =>
  head === 'liger' ? ligerHead(shape, rows * length) : HEADS[head ?? trainer.head];
