/** How long a training takes: what its graphs compute over the speed that was measured, or as ranks share it. */
import type { Stage } from '../../../language/ir/program.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import type { PlanContext } from '../plan-context.js';
import type { Pace, Seconds } from '../plan-json.js';
import { computeSeconds, generationSeconds, plus } from '../speed.js';
import { answerFlops, type TrainFacts, trainFlops } from '../train-stage.js';
import { measuredPaces } from './pace.js';
import { trainTime } from './train-time.js';

interface TrainingInput {
  readonly context: PlanContext;
  readonly stage: Stage;
  readonly facts: TrainFacts;
  /** False for a cached stage: nothing is measured for it. */
  readonly look: boolean;
}

interface TimedTraining {
  readonly seconds: Seconds | null;
  readonly pace?: Pace;
}

export const timeOf = async (input: TrainingInput, plan: TrainPlan): Promise<TimedTraining> =>
  (await trainingTimes(input))(plan);

/** For many plans of a training: what they need is found out once. */
export async function trainingTimes({
  context,
  stage,
  facts,
  look,
}: TrainingInput): Promise<(plan: TrainPlan) => TimedTraining> {
  const { engine, isNominal, declared, host } = context;
  // figures that are declared are the same everywhere, and what was measured is not
  if (engine.name === 'accelerate' && (!isNominal || declared !== undefined)) {
    const reachedBy = isNominal ? () => undefined : measuredPaces(host);
    return (plan) => trainTime({ ...context, engine, reachedBy }, stage, facts, plan);
  }
  const speed = look ? await context.speed() : undefined;
  return (plan) => {
    if (speed === undefined) return { seconds: null };
    const { prompts, generated } = answerFlops(stage, facts, plan);
    const passed = computeSeconds(trainFlops(stage, facts, plan) + prompts, speed);
    return { seconds: generated === 0 ? passed : plus(passed, generationSeconds(generated, speed)) };
  };
}
