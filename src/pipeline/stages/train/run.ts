import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { createDecoder } from '../../../compute/models/decoder/index.js';
import type { Adapter, ModelConfig, WeightStore } from '../../../compute/models/types.js';
import { tensorNotFinite } from '../../../compute/models/weights/stored-tensor.js';
import { OutOfMemoryError, translateHostError } from '../../../compute/tensor/out-of-memory.js';
import { isNotFinite, type TrainingEvent, tokensPerSecond, train } from '../../../compute/training/index.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { StageEvent } from '../../../language/ir/events.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import type { RunStage } from '../stage.js';
import type { TrainPlan } from '../train-plan/plan.js';
import { startOf } from './adapters/definition.js';
import { freshAdapter, withFactors } from './adapters/kinds.js';
import { coverageLines, coverageOf, trainableLine } from './coverage.js';
import { loopSettings } from './loop-settings.js';
import { recover } from './recovery.js';
import type { TrainRows } from './train-rows.js';
import { type TrainTask, trainTask } from './train-task.js';
import { writeResult } from './write-result.js';

/**
 * Trains and writes the best and the last state: PEFT adapters, or whole models under `full`. Goes on from the newest
 * checkpoint of the same settings. Throws a `UserError`, a `ModelError`, the signal's reason, or `OutOfMemoryError` when
 * nothing is left to try.
 */
export const run: RunStage = async (context) => {
  if (context.trainPlan === undefined) throw new Error('a train stage runs with what the planner chose');
  const task = await trainTask(context, context.trainPlan);
  for (let plan = context.trainPlan; ; ) {
    try {
      return await attempt(task, plan);
    } catch (error) {
      const starved = translateHostError(error) instanceof OutOfMemoryError;
      const next = starved
        ? recover(plan, context.stage, {
            config: task.model.config,
            adapter: task.adapter,
            runtime: context.runtime,
          })
        : undefined;
      if (next === undefined) throw error;
      const cause = error instanceof Error ? error.message : String(error);
      context.emit({ type: 'recovery', stage: context.stage.name, cause, change: next.change });
      plan = next.plan;
    }
  }
};

async function attempt(task: TrainTask, plan: TrainPlan): Promise<StageResult> {
  const { context, model, runtime, rows, validation } = task;
  const { host, stage, signal } = context;
  const adapter = plan.method === 'full' ? undefined : withFactors(task.adapter, plan);
  const config = adaptedConfig(model.config, task.adapter);
  const weights = task.weights(plan);
  const decoder = await createDecoder({
    runtime,
    config,
    weights,
    adapter: adapter && firstAdapter(task, adapter, weights),
    trainable: adapter === undefined ? 'full' : 'adapter',
    checkpointedBlocks: plan.checkpointedBlocks,
    recomputedMlps: plan.recomputedMlps,
    recomputedAttention: plan.recomputedAttention,
    logitsChunk: plan.logitsChunk,
    vocabularyShard: plan.vocabularyShard,
    precision: task.settings.precision,
  });
  const { offloadedState: fraction = 0 } = plan;
  const offload = fraction > 0 ? { pages: context.work.pages('optimizer'), fraction } : undefined;
  try {
    describe(task, config, adapter);
    const result = await train({
      decoder,
      rows,
      validation,
      padId: rows.padId,
      settings: loopSettings(stage, plan, rows.count),
      checkpoints: task.checkpoints,
      offload,
      clock: () => host.clock(),
      signal,
      emit: (event) => context.emit(stageEvent(stage.name, event)),
    });
    return await writeResult(task, decoder, { plan, adapter, result });
  } catch (error) {
    if (adapter === undefined || !isNotFinite(error)) throw error;
    const tensor = tensorNotFinite(weights);
    throw tensor === undefined ? error : withNotFinite(error, task.base.label, tensor);
  } finally {
    offload?.pages.close();
    await decoder.release();
  }
}

/** A training over frozen weights that stopped being a number, where that is the fault of one of them. */
const withNotFinite = ({ diagnostic }: UserError, base: string, tensor: string): UserError =>
  new UserError({
    ...diagnostic,
    notes: [`tensor "${tensor}" of \`${base}\` has values that are not finite`],
    help: 'download the base again, or use one whose weights are finite; weights that overflow in f16 need bf16 or f32',
  });

/** The adapter that training starts with: the one to continue from, or a fresh one. */
function firstAdapter(
  { context, settings, model }: TrainTask,
  adapter: AdapterConfig,
  weights: WeightStore,
): Adapter {
  const start = startOf(settings, context);
  return start === undefined
    ? freshAdapter(model.config, adapter, settings, weights)
    : { config: adapter, tensors: start.opened.load().tensors };
}

/** Says what is trained, and on what. */
function describe(
  { context, rows, validation }: TrainTask,
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
): void {
  const note = (text: string): void => context.emit({ type: 'note', stage: context.stage.name, text });
  const coverage = coverageOf(config, adapter);
  note(trainableLine(coverage));
  if (adapter !== undefined) for (const line of coverageLines(coverage.modules)) note(line);
  const left = (all: TrainRows): string => `${all.total - all.count} of ${all.total}`;
  if (rows.count < rows.total)
    note(`${left(rows)} rows are too long and were left out; report.json lists them`);
  if (validation !== undefined && validation.count < validation.total) {
    note(`${left(validation)} validation rows are too long and left out`);
  }
  if (validation?.count === 0) {
    note('no validation row is left: training is not watched, and the last state counts as the best');
  }
  context.output.write('coverage.json', `${JSON.stringify(coverage, null, 2)}\n`);
}

/** What the loop reports, as an event of the stage. */
function stageEvent(stage: string, event: TrainingEvent): StageEvent {
  switch (event.type) {
    case 'step': {
      const { step, epoch, loss, learningRate, gradNorm, tokens, seconds } = event.record;
      return {
        type: 'stage.progress',
        stage,
        done: step,
        total: event.total,
        unit: 'steps',
        step,
        epoch,
        loss,
        learningRate,
        gradNorm,
        tokensPerSecond: tokensPerSecond(tokens, seconds),
      };
    }
    case 'validation':
      return { type: 'validation', stage, step: event.step, loss: event.loss, best: event.best };
    case 'checkpoint':
      return { type: 'checkpoint.saved', stage, step: event.step, path: event.path };
    case 'note':
      return { type: 'note', stage, text: event.text };
  }
}
