/** Training in this process. */
import { classifyRows } from '../../../compute/evaluation/classify.js';
import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { decoderModel } from '../../../compute/evaluation/language-model.js';
import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { createDecoder, type Decoder } from '../../../compute/models/decoder/index.js';
import type { AdapterTensors } from '../../../compute/models/types.js';
import {
  type Checkpoints,
  checkpoints,
  type MeasureAnswers,
  type TrainingState,
  train,
} from '../../../compute/training/index.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import type { StageContext } from '../stage.js';
import type { TrainPlan } from '../train-plan/plan.js';
import { withFactors } from './adapters/kinds.js';
import { describe } from './describe.js';
import { firstAdapter } from './first-adapter.js';
import { loopSettings } from './loop-settings.js';
import { withCulprit } from './not-finite.js';
import { precisionOf } from './precision.js';
import { preferenceLearning } from './preferences/learning.js';
import { readSetbacks } from './setbacks.js';
import { stageEvent } from './stage-events.js';
import { learnedRows, type TrainTask } from './train-task.js';
import { validationAnswers } from './validation-answers.js';
import { writeResult } from './write-result.js';

/** Trains by the training loop in this process, and writes best and last state. Throws as the loop does. */
export async function trainEmbedded(task: TrainTask, plan: TrainPlan): Promise<StageResult> {
  const { context, model, rows, validation } = task;
  const { host, stage, signal } = context;
  const settings = loopSettings(stage, plan, learnedRows(task), readSetbacks(context));
  // another reference is asked before, without the base in memory
  if (task.reference === undefined) await task.quantise(plan);
  // before the base is loaded to be trained: under `full` it would be in memory twice
  const preferences = await preferenceLearning(task, plan, settings);
  const adapter = plan.method === 'full' ? undefined : withFactors(task.adapter, plan);
  await task.quantise(plan);
  const weights = task.weights(plan);
  const first = adapter && firstAdapter(task, adapter, weights);
  const dequantising = await task.dequantising(plan);
  const endThreads = async (): Promise<void> => {
    for (const thread of dequantising.dequantisers) await thread.end();
  };
  const decoder = await createDecoder({
    runtime: await task.runtime(),
    config: adaptedConfig(model.config, task.adapter),
    weights,
    adapter: first,
    ...dequantising,
    trainable: adapter === undefined ? 'full' : 'adapter',
    checkpointedBlocks: plan.checkpointedBlocks,
    recomputedMlps: plan.recomputedMlps,
    recomputedAttention: plan.recomputedAttention,
    logitsChunk: plan.logitsChunk,
    vocabularyShard: plan.vocabularyShard,
    precision: precisionOf(task.settings),
    smoothing: task.settings.label_smoothing,
  }).catch(async (error: unknown) => {
    await endThreads();
    throw error;
  });
  const { offloadedState: fraction = 0 } = plan;
  const offload = fraction > 0 ? { pages: context.work.pages('optimizer'), fraction } : undefined;
  const saved = checkpointsOf(context, task.settings.checkpoint.keep);
  try {
    describe(task, adapter);
    const { state, ending } = await train({
      decoder,
      rows,
      validation,
      padId: rows.padId,
      measureAnswers: await answersOf(task, decoder),
      preferences,
      settings,
      checkpoints: saved,
      offload,
      clock: () => host.clock(),
      signal,
      emit: (event) => context.emit(stageEvent(stage.name, event)),
    });
    const ends = { best: bestParameters(decoder, saved, state), last: decoder.parameters };
    return await writeResult(task, {
      plan,
      adapter,
      first: first?.tensors ?? new Map(),
      state,
      ending,
      ...ends,
    });
  } catch (error) {
    throw adapter === undefined ? error : withCulprit(error, task.base.label, weights);
  } finally {
    offload?.pages.close();
    await decoder.release();
    await endThreads();
  }
}

/** Of the model as it is then: the decoder that trains answers too. */
async function answersOf(task: TrainTask, decoder: Decoder): Promise<MeasureAnswers | undefined> {
  const { validation, context } = task;
  const wanted = await validationAnswers(task);
  if (wanted === undefined || validation === undefined) return undefined;
  const { signal } = context;
  const model = decoderModel(decoder);
  return async (loss) => {
    if (validation.labels !== undefined) {
      const { classes } = await classifyRows(model, {
        heldOut: { ...validation, tokens: validation, text: () => NO_TEXT },
        ...{ rowLabels: validation.labels, signal },
      });
      return wanted.measure(
        classes.map(({ predicted }) => [predicted]),
        loss,
      );
    }
    const prompts = wanted.rows.map((row, at) => validation.read(row).ids.slice(0, wanted.promptTokens[at]));
    const answers = await model.generate(prompts, {
      ...{ maxTokens: wanted.maxTokens, stopIds: validation.stopIds, signal },
      together: EVALUATION_SHAPES.together,
    });
    return wanted.measure(
      answers.map(({ ids }) => ids),
      loss,
    );
  };
}

/** What a class is found by does not read it. */
const NO_TEXT = { prompt: '', answer: '', file: '', line: 0 };

const checkpointsOf = ({ host, work, key, stage, emit }: StageContext, keep: number): Checkpoints =>
  checkpoints({
    ...{ host, work, keep },
    digest: key,
    note: (text) => emit({ type: 'note', stage: stage.name, text }),
  });

/** Without validation the last state is the best that is known. */
const bestParameters = (
  { parameters }: Decoder,
  saved: Checkpoints,
  { best, step }: TrainingState,
): AdapterTensors => (best === null || best.step === step ? parameters : saved.parametersOf(best.step));
