/** Stages that train nothing, on the accelerate engine. */
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adapterShapes } from '../../../compute/models/adapters/kinds.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { sizeOf } from '../../../compute/tensor/shape.js';
import type { AccelerateRun } from '../../../language/ir/engines.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { precisionOf } from '../../stages/train/precision.js';
import { overIt } from '../forward-memory.js';
import { type WorkerRows, workerPeak } from '../memory/worker.js';
import type { PlanContext } from '../plan-context.js';
import type { Peak } from '../plan-json.js';
import { isInFourBits, type PlannedModel, stageNamed } from '../stage-models.js';

/** The memory of a stage that trains nothing, on the accelerate engine; `adapter`: left out, the one of the model. */
export function onEngine(
  context: PlanContext,
  { device, devices }: AccelerateRun,
  planned: PlannedModel,
  rows: WorkerRows,
  adapter = overIt(context, planned),
): { readonly peak: Peak } {
  const { config, root } = planned;
  const trainer = root.adapterOf ?? root.trainedBy;
  const model = {
    config,
    // merges and releases compute in float32
    isBf16: isBf16(context, planned) && device === 'cuda' && rows.answers !== undefined,
    isQuantised: isInFourBits(
      config,
      trainer === undefined ? undefined : context.trainPlans.get(trainer)?.method,
    ),
    adapterNumbers: adapter && numbersOf(config, adapter),
  };
  const availableBytes =
    device === 'cpu' ? undefined : (context.device?.availableBytes ?? context.availableBytes);
  const place = { device, devices, availableBytes, hasDevice: context.device !== undefined };
  return { peak: workerPeak(model, place, rows) };
}

const numbersOf = (config: ModelConfig, adapter: AdapterConfig): number =>
  adapterShapes(config, adapter).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Whether a model was trained in bfloat16, in which it is asked on a GPU too; of a folder's adapter nobody knows. */
export function isBf16(
  { program }: PlanContext,
  { root, over }: Pick<PlannedModel, 'root' | 'over'>,
): boolean {
  const trainer = over === undefined ? (root.adapterOf ?? root.trainedBy) : undefined;
  const stage = trainer === undefined ? undefined : stageNamed(program, trainer);
  return stage?.kind === 'train' && precisionOf(settingsOf(stage, 'train')) === 'bf16';
}
