import { adaptedConfig } from '../../../compute/models/adapters/classifier.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { wholeTensor } from '../../../compute/models/adapters/whole.js';
import { vocabularyShardSize } from '../../../compute/models/decoder/vocabulary-shards.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { Stage } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { RelaxationLimits } from '../train-plan/freedom.js';
import { isPaged } from './loop-settings.js';

/** What a train stage computes, and with what. */
export interface TrainComputation {
  readonly config: ModelConfig;
  readonly adapter: AdapterConfig;
  /** Name of the tensor runtime. */
  readonly runtime: string;
}

/** What may be changed where a train stage does not fit; `global`: rows of a step, or sequences of them. */
export function relaxationLimits(
  stage: Stage,
  { config, adapter, runtime }: TrainComputation,
  global: number,
): RelaxationLimits {
  const settings = settingsOf(stage, 'train');
  return {
    preset: stage.preset,
    fallback: settings.fallback,
    global,
    micro: settings.batch.micro,
    layers: config.layers,
    vocabularyShard:
      runtime === 'onnx' && wholeTensor(config, adapter, 'head') === undefined
        ? vocabularyShardSize(adaptedConfig(config, adapter))
        : undefined,
    fixedRank: settings.start !== undefined,
    offloads: isPaged(settings),
  };
}
