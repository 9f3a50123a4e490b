import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { leastLengths } from '../expected-rows.js';
import { reachingDown } from '../memory/peaks.js';
import { trainedCount } from '../memory/ranks.js';
import { decoderShape, optimizerBytes } from '../memory/train.js';
import { trainPeak } from '../memory/train-peak.js';
import type { Peak } from '../plan-json.js';
import { timeOf } from '../time/time-of-training.js';
import type { TrainFacts } from '../train-stage.js';
import { type Estimator, NOTHING } from './types.js';

export const trainEstimate: Estimator = async ({ context, stage, trainPlan, facts, look }) => {
  if (trainPlan === undefined || facts === undefined) return NOTHING;
  const { pace, seconds } = await timeOf({ context, stage, facts, look }, trainPlan);
  const trained =
    facts.memory.ranks === undefined
      ? facts.memory.planDecoder(decoderShape(facts.memory, trainPlan)).parts.gradients
      : 4 * trainedCount(facts.memory, trainPlan);
  const state = optimizerBytes(facts.memory, trainPlan);
  const { keep } = settingsOf(stage, 'train').checkpoint;
  return {
    peak: trainedPeak(facts, trainPlan),
    seconds,
    ...(pace === undefined ? {} : { pace }),
    // best and last, and checkpoints of parameters and optimiser: those kept, the best, one being
    // written; and what of the state is in a file
    diskBytes: Math.ceil(
      2 * trained + (trained + state) * (keep + 2) + (trainPlan.offloadedState ?? 0) * state,
    ),
  };
};

/** Rows may be shorter than all that there are. */
function trainedPeak({ memory }: TrainFacts, plan: TrainPlan): Peak {
  const lengths = leastLengths(memory.lengths);
  return reachingDown(trainPeak(memory, plan), lengths && trainPeak({ ...memory, lengths }, plan));
}
