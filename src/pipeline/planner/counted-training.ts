/** A training as it is counted on tiny models with the packages that are here, where the recorded tables lack something. */
import type { CountQuestion } from '../../compute/accelerate/count-tensors.js';
import { type TensorCounts, torchShape, uncounted } from '../../compute/accelerate/memory/index.js';
import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import { adapterShapes } from '../../compute/models/adapters/kinds.js';
import type { SettingsOf } from '../../language/schemas/stages/settings.js';
import { optimizerName } from '../stages/train/loop-settings.js';
import { precisionOf } from '../stages/train/precision.js';
import type { RankLimits } from '../stages/train-plan/freedom.js';
import { FACTOR, isOfExperts } from './memory/driver-run.js';
import type { PlannedModel } from './stage-models.js';

/** `undefined`: nothing could be counted. */
export type TensorCounter = (question: CountQuestion) => Promise<TensorCounts | undefined>;

export interface CountedTraining {
  readonly settings: SettingsOf['train'];
  readonly model: PlannedModel;
  readonly adapter: AdapterConfig | undefined;
}

/** Of the versions and architectures that the tables were counted for, nothing is counted again. */
export async function countedOf(
  { device, attention = 'sdpa', versions = {} }: RankLimits,
  { settings, model, adapter }: CountedTraining,
  count: TensorCounter,
): Promise<TensorCounts | undefined> {
  if (uncounted(torchShape(model.config).name, versions) === undefined) return undefined;
  return count({
    config: model.folder.configJson(),
    optimizer: optimizerName(settings),
    device,
    variant: {
      trained: adapter === undefined ? 'full' : 'adapter',
      targets: adapter === undefined ? null : targetsOf(model, adapter),
      precision: precisionOf(settings),
      attention,
    },
  });
}

/** The last two parts of the paths of all linear layers with factors. */
function targetsOf({ config }: PlannedModel, adapter: AdapterConfig): readonly string[] {
  const ends = adapterShapes(config, adapter).flatMap(({ name }) => {
    const path = FACTOR.exec(name)?.[1];
    return path === undefined || isOfExperts(path) ? [] : [path.split('.').slice(-2).join('.')];
  });
  return [...new Set(ends)].sort();
}
