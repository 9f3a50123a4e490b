/**
 * What a training continues with that ran out of memory: the next plan that cannot change the result, from the
 * planner's ladder.
 */

import { trainsHead } from '../../../compute/models/adapters/biases.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { vocabularyShardSize } from '../../../compute/models/decoder/chunks.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { Stage } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { openResolved } from '../open-models.js';
import { resolveModel } from '../resolve-models.js';
import type { StageContext } from '../stage.js';
import { rankLimits } from '../stage-engine.js';
import { changedFields, type FieldValue } from '../train-plan/fields.js';
import type { RankLimits, RelaxationLimits } from '../train-plan/freedom.js';
import { nextExact } from '../train-plan/ladder.js';
import type { TrainPlan } from '../train-plan/plan.js';
import { checkedAdapter } from './adapters/checked-adapter.js';
import { isPaged } from './loop-settings.js';
import { rowLabels } from './row-labels.js';

export interface Recovery {
  readonly plan: TrainPlan;
  /** What is different, by the fields of the plan. */
  readonly change: Readonly<Record<string, FieldValue | null>>;
}

/**
 * Each state computes the same sum in another order (under dropout, a smaller micro batch draws other masks of the same
 * distribution), so that training continues from its last checkpoint. `undefined` when nothing is left.
 */
export function recover(plan: TrainPlan, stage: Stage, trained: TrainComputation): Recovery | undefined {
  // fewer sequences than rows where rows are packed
  const global = Math.min(settingsOf(stage, 'train').batch.global, plan.microBatch * plan.accumulation);
  const next = nextExact(plan, relaxationLimits(stage, trained, global));
  return next && { plan: next, change: changedFields(plan, next) };
}

/** The same for a process that is gone. Throws where the base cannot be read any more. */
export function recoverKilled(
  plan: TrainPlan,
  context: Pick<StageContext, 'stage' | 'inputs' | 'folder' | 'host' | 'runtime' | 'engine'>,
): Recovery | undefined {
  const { stage, host, runtime, engine } = context;
  const base = resolveModel(settingsOf(stage, 'train').base, context);
  const { config } = openResolved(host, base);
  const adapter = checkedAdapter(stage, { config, label: base.label }, context, rowLabels(context, config));
  return recover(plan, stage, { config, adapter, runtime, ranks: engine && rankLimits(engine) });
}

/** What a train stage computes, and with what. */
interface TrainComputation {
  readonly config: ModelConfig;
  readonly adapter: AdapterConfig;
  /** Name of the tensor runtime. */
  readonly runtime: string;
  /** PyTorch computes, in processes of its own. */
  readonly ranks?: RankLimits;
}

/** What may be changed where a train stage does not fit; `global`: rows of a step, or sequences of them. */
export function relaxationLimits(
  stage: Stage,
  { config, adapter, runtime, ranks }: TrainComputation,
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
      ranks === undefined && runtime === 'onnx' && !trainsHead(config, adapter)
        ? vocabularyShardSize(adaptedConfig(config, adapter))
        : undefined,
    fixedRank: settings.start !== undefined,
    // bitsandbytes pages by itself
    offloads: ranks === undefined && isPaged(settings),
    ranks,
  };
}
