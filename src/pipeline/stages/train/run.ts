import { OutOfMemoryError, translateHostError } from '../../../compute/tensor/out-of-memory.js';
import { divergedAgain, isDivergence } from '../../../compute/training/failures.js';
import { percentText } from '../../../language/diagnostics/make.js';
import type { RunStage } from '../stage.js';
import { rankLimits, underPlan } from '../stage-engine.js';
import { trainOnRanks } from './accelerate/train.js';
import { trainEmbedded } from './embedded.js';
import { recover } from './recovery.js';
import { readSetbacks, setBack } from './setbacks.js';
import { trainTask } from './train-task.js';

/**
 * Trains and writes the best and the last state: PEFT adapters, or whole models under `full`. Goes on from the newest
 * checkpoint of the same settings. Throws a `UserError`, a `ModelError`, the signal's reason, or `OutOfMemoryError` when
 * nothing is left to try. A training that diverges goes back to a good checkpoint where its `watch` says so.
 */
export const run: RunStage = async (context) => {
  if (context.trainPlan === undefined) throw new Error('a train stage runs with what the planner chose');
  const task = trainTask(context, context.trainPlan);
  const { engine } = context;
  for (let plan = context.trainPlan; ; ) {
    try {
      return await (engine === undefined
        ? trainEmbedded(task, plan)
        : trainOnRanks(task, plan, underPlan(engine, plan)));
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const setback = await setBack(error, context);
      if (setback !== undefined) {
        const change = { rate: percentText(setback.factor), from_step: setback.to };
        context.emit({ type: 'recovery', stage: context.stage.name, cause, change });
        continue;
      }
      const times = isDivergence(error) ? readSetbacks(context).length : 0;
      if (times > 0 && isDivergence(error)) throw divergedAgain(error, times);
      const starved = translateHostError(error) instanceof OutOfMemoryError;
      const next = starved
        ? recover(plan, context.stage, {
            config: task.model.config,
            adapter: task.adapter,
            runtime: context.runtime,
            ranks: engine && rankLimits(engine),
          })
        : undefined;
      if (next === undefined) throw error;
      context.emit({ type: 'recovery', stage: context.stage.name, cause, change: next.change });
      plan = next.plan;
    }
  }
};
