/** Training in Python processes: what they read is written, they are watched, and what they leave is the stage's result. */

import { join } from 'node:path';
import type { AccelerateEngine } from '../../../../compute/accelerate/engine.js';
import { runRanks } from '../../../../compute/accelerate/ranks.js';
import type { TrainSpec } from '../../../../compute/accelerate/spec.js';
import type { AdapterConfig } from '../../../../compute/models/adapters/config.js';
import { checkpointName, STORED_STATE } from '../../../../compute/training/checkpoint.js';
import { diverged } from '../../../../compute/training/failures.js';
import type { Ending, TrainingSettings } from '../../../../compute/training/index.js';
import type { StepRecord } from '../../../../compute/training/state.js';
import { tryJsonFile } from '../../../../language/host/json.js';
import type { OutputFolder, StageResult } from '../../../../language/ir/outputs.js';
import { isMade } from '../../open-models.js';
import { NotSavedError, type StageContext } from '../../stage.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import { withFactors } from '../adapters/kinds.js';
import { describe } from '../describe.js';
import { loopSettings } from '../loop-settings.js';
import { decodedTensors, writeModel } from '../model-files.js';
import { withCulprit } from '../not-finite.js';
import { divergenceAnswer, readSetbacks } from '../setbacks.js';
import { learnedRows, type TrainTask } from '../train-task.js';
import { type ValidationAnswers, validationAnswers } from '../validation-answers.js';
import { writeResult } from '../write-result.js';
import { type InitialAdapter, writeHead, writeInitialAdapter } from './adapter-files.js';
import { writeAttempt } from './attempt.js';
import { batchesOf, rowCuts, writeRows, writeSteps } from './input-files.js';
import { writePreferences } from './preference-files.js';
import { rankError } from './rank-diagnostics.js';
import { rankListener } from './rank-events.js';
import { rankTask } from './rank-task.js';
import { readResults } from './results.js';
import { otherModelSpec, type SpecFiles, specificationOf } from './specification.js';

/** Throws as the embedded engine does: a `UserError`, the signal's reason, or an `OutOfMemoryError`. */
export async function trainOnRanks(
  task: TrainTask,
  plan: TrainPlan,
  engine: AccelerateEngine,
): Promise<StageResult> {
  const { work } = task.context;
  const scratch = work.scratch();
  const answers = await validationAnswers(task);
  const { specification, adapter, first } = writeTraining(scratch, task, {
    ...{ plan, engine, answers },
    folder: work.path,
  });
  if (engine.nodes !== undefined) writeAttempt(scratch);
  describe(task, adapter);
  const ending = await runToEnd(task, specification, engine, { folder: scratch.path, adapter, answers });
  const { state, best, last } = readResults(task, adapter);
  return writeResult(task, {
    ...{ plan, adapter, state, ending, best, last },
    first: first?.tensors ?? new Map(),
  });
}

/** What ranks are started with. */
interface WrittenTraining {
  /** As it is in `spec.json`. */
  readonly specification: TrainSpec;
  /** `undefined` if every weight is trained. */
  readonly adapter: AdapterConfig | undefined;
  /** What the adapter begins with. */
  readonly first: InitialAdapter | undefined;
}

/** Writes what ranks read, and `spec.json`; what they write goes below `folder`. */
export function writeTraining(
  output: OutputFolder,
  task: TrainTask,
  {
    plan,
    engine,
    folder,
    answers,
  }: {
    plan: TrainPlan;
    engine: AccelerateEngine;
    folder: string;
    answers?: ValidationAnswers | undefined;
  },
): WrittenTraining {
  const { context } = task;
  const adapter = plan.method === 'full' ? undefined : withFactors(task.adapter, plan);
  const settings = loopSettings(context.stage, plan, learnedRows(task), readSetbacks(context));
  const first = adapter && writeInitialAdapter(output, task, adapter, plan);
  const files = writeInputs(output, task, { plan, settings, first, folder, engine });
  const specification = specificationOf(task, { plan, adapter, settings, answers }, engine, files);
  output.write('spec.json', JSON.stringify(specification, null, 2));
  return { specification, adapter, first };
}

function writeInputs(
  scratch: OutputFolder,
  task: TrainTask,
  {
    plan,
    settings,
    first,
    folder,
    engine,
  }: {
    plan: TrainPlan;
    settings: TrainingSettings;
    first: InitialAdapter | undefined;
    folder: string;
    engine: AccelerateEngine;
  },
): SpecFiles {
  const { model, base, preferences } = task;
  const made = isMade(base);
  if (made) writeModel(scratch, 'base', model, model.config, decodedTensors(model.loadWeights('paged')));
  return {
    folder,
    ...(preferences === undefined
      ? writeLearnedRows(scratch, task, settings)
      : writePreferences(scratch, preferences, {
          ...{ plan, settings, folder },
          other: otherModelSpec(scratch, task, engine),
        })),
    ...(first === undefined ? { head: writeHead(scratch, task) } : { adapter: first.folder }),
    ...(made ? { base: join(scratch.path, 'base') } : {}),
  };
}

function writeLearnedRows(
  scratch: OutputFolder,
  { rows, validation, model }: TrainTask,
  settings: TrainingSettings,
): Pick<TrainSpec, 'rows' | 'validation' | 'steps' | 'preferences'> {
  const cut = rowCuts(settings, rows, model.config.maxPositions);
  return {
    rows: { file: writeRows(scratch, 'rows.safetensors', rows) },
    validation:
      validation === undefined || validation.count === 0
        ? null
        : {
            file: writeRows(scratch, 'validation.safetensors', validation),
            batches: batchesOf(validation, settings.microBatch),
            others: null,
          },
    steps: writeSteps(scratch, 'steps.jsonl', settings, { rows, cut }),
    preferences: null,
  };
}

async function runToEnd(
  task: TrainTask,
  { total_steps: total }: TrainSpec,
  engine: AccelerateEngine,
  {
    folder,
    adapter,
    answers,
  }: {
    folder: string;
    adapter: AdapterConfig | undefined;
    answers: ValidationAnswers | undefined;
  },
): Promise<Ending> {
  const { context, base, model } = task;
  const { host, stage, signal, threads } = context;
  // what ends a training that its ranks would go on with
  const hopeless = new AbortController();
  const listener = rankListener({
    ...{ stage: stage.name, total, vocabulary: model.config.vocabSize, emit: context.emit },
    diverges: (why, step) => {
      if (divergenceAnswer(stage) !== 'warn') hopeless.abort(diverged(why, step, listener.rate()));
    },
    ...(answers && { measure: answers.measure }),
    fails: (error) => hopeless.abort(error),
    usesDevice: (bytes) => engine.device !== 'cpu' && context.usesMemory?.(bytes),
    historyOf: (step) => historyOf(context, step),
  });
  // packages and weights take their time before the first step
  const label = engine.devices === 1 ? 'starting a rank' : `starting ${engine.devices} ranks`;
  context.emit({ type: 'stage.progress', stage: stage.name, done: 0, total, unit: 'steps', label });
  const end = await runRanks(
    rankTask(host, engine, threads, folder),
    {
      event: listener.event,
      printed: (rank, text) => context.printed?.(engine.devices === 1 ? text : prefixed(rank, text)),
      memory: (bytes) => engine.device === 'cpu' && context.usesMemory?.(bytes),
    },
    AbortSignal.any([signal, hopeless.signal]),
  );
  if (hopeless.signal.aborted && !signal.aborted) throw hopeless.signal.reason;
  if (end.how === 'done') return end.ending;
  if (end.how === 'interrupted') throw end.saved ? signal.reason : new NotSavedError();
  const { device, python, nodes } = engine;
  const error = rankError(end.failure, { stage, device, python, nodes, rate: listener.rate() });
  throw adapter === undefined ? error : withCulprit(error, base.label, model.loadWeights('paged'));
}

const prefixed = (rank: number, text: string): string => text.replace(/^(?=.)/gm, `[rank ${rank}] `);

/** The steps of a checkpoint of the ranks; none where it cannot be read. */
const historyOf = ({ host, work }: StageContext, step: number): readonly StepRecord[] =>
  tryJsonFile(STORED_STATE, host, `${work.path}/checkpoints/${checkpointName(step)}/state.json`)?.state
    .steps ?? [];
