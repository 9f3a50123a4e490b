/** What of a trainer its memory depends on. */

import type { DecoderFields } from '../../../src/compute/accelerate/memory/decoder-shape.js';
import type { BlockTraits, TorchShape } from '../../../src/compute/accelerate/memory/shape.js';
import type { Dtype, ShardingMemory } from '../../../src/compute/accelerate/memory/training.js';
import type { AdapterRun } from './adapter-run.js';
import type { HeadName } from './heads.js';

export interface Trainer {
  /** How its own code computes a block, where it is not transformers'. */
  readonly block?: (traits: BlockTraits, model: DecoderFields) => BlockTraits;
  readonly head: HeadName;
  /** Type of adapters, and of those over a quantised base; default: the base's. */
  readonly adapters?: Dtype;
  readonly quantisedAdapters?: Dtype;
  readonly isAutocast: boolean;
  /** `prepare_model_for_kbit_training`: what is not quantised becomes float32. */
  readonly widensQuantised?: boolean;
  readonly quantisesHead?: boolean;
  readonly isHeadCopied?: boolean;
  readonly keepsQuantisedInputs?: boolean;
  /** Bytes per number of the matrix that a quantised layer computes with. */
  readonly dequantised?: number;
  /** Weights are kept in float32 and computed with in 16 bits. */
  readonly hasMasterWeights?: boolean;
  readonly offloadsCheckpoints?: boolean;
  /** Not all of what its code keeps was counted, or read. */
  readonly isEstimated?: boolean;
  /** Activations of LoRA beyond those of PEFT, per token and block. */
  readonly loraExtra?: (shape: TorchShape, run: AdapterRun) => number;
  readonly sharding?: Partial<ShardingMemory>;
  /** Of FSDP, where it shards in other ways, too. */
  readonly fsdp?: Partial<ShardingMemory>;
}
