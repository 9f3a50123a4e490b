import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { type PlannedCodes, plannedCodes, takesCodes } from '../../../compute/models/weights/stored-codes.js';
import type { WeightResidency } from '../../../language/ir/runtimes.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { forwardMemory } from '../forward-memory.js';
import { evaluationPeak, type ForwardMemory } from '../memory/evaluate.js';
import { publicationOf } from '../publication.js';
import { copySeconds, plus } from '../speed.js';
import { type PlannedModel, weightBytes } from '../stage-models.js';
import { diskSeconds } from '../time/other-times.js';
import { memoryBudgetOf } from '../train-stage.js';
import { onEngine } from './on-engine.js';
import { firstThatFits, here } from './place.js';
import { type Estimator, NOTHING } from './types.js';

export const deployEstimate: Estimator = async ({ context, stage, limit }) => {
  const settings = settingsOf(stage, 'deploy');
  const model = context.models.of(settings.model);
  if (model === undefined) return NOTHING;
  const bytes = weightBytes(model).lora + model.tokenizerBytes;
  const { config, adapter } = forwardMemory(context, model, 256, 'stored');
  const publishes = publicationOf(settings, model, adapter);
  // elsewhere, nothing is written here
  const diskBytes = publishes.target === 'directory' ? publishes.bytes : 0;
  if (model.config.foreign !== undefined && context.engine.name === 'accelerate')
    return {
      ...onEngine(context, context.engine, model, { longest: 256, answers: { rows: 1, tokens: 256 } }),
      seconds: diskSeconds(3 * bytes, context.declared),
      diskBytes,
      publishes,
    };
  const classifies = adaptedConfig(config, adapter).labels !== undefined;
  // a release is asked something before it becomes current, whether or not the file says what
  const asked = classifies ? undefined : { rows: 1, prompt: 64, maxTokens: 64 };
  return {
    ...firstThatFits(memoryBudgetOf(context, limit), ['stored', 'paged'], (residency) => {
      const memory = forwardMemory(context, model, 256, residency);
      return evaluationPeak(memory, asked && { ...asked, codes: askedCodes(model, memory, residency) });
    }),
    seconds: here(context, plus(copySeconds(2 * bytes), 2)),
    diskBytes,
    publishes,
  };
};

/** What a single answer reads as it is stored. */
function askedCodes(
  { config, format }: PlannedModel,
  { adapter, isQuantised, runtime }: ForwardMemory,
  residency: WeightResidency,
): PlannedCodes | undefined {
  const reads = runtime === 'onnx' && residency !== 'paged' && isQuantised !== true && takesCodes(adapter);
  return reads ? plannedCodes(config, format) : undefined;
}
