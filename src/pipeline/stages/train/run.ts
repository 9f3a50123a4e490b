import { adaptedConfig } from '../../../compute/models/adapters/classifier.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { projectionsOfModel } from '../../../compute/models/architectures/index.js';
import { CHAT_TEMPLATE } from '../../../compute/models/chat-template/index.js';
import { createDecoder, type Decoder } from '../../../compute/models/decoder/index.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import type { Adapter, AdapterTensors, ModelConfig, WeightStore } from '../../../compute/models/types.js';
import { tensorNotFinite } from '../../../compute/models/weights/not-finite.js';
import { writeAdapter } from '../../../compute/packaging/write-adapter.js';
import { translateHostError } from '../../../compute/tensor/host-out-of-memory.js';
import { OutOfMemoryError } from '../../../compute/tensor/out-of-memory.js';
import { openRuntime } from '../../../compute/tensor/runtimes/index.js';
import type { Runtime } from '../../../compute/tensor/types.js';
import {
  type Checkpoints,
  checkpoints,
  isNotFinite,
  type TrainingResult,
  type TrainingState,
  train,
} from '../../../compute/training/index.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import type { Reference } from '../../../language/ir/types.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';
import { readFormatInfo } from '../format/read.js';
import { type ResolvedModel, resolveModel } from '../model-places.js';
import { openResolved } from '../models.js';
import type { RunStage, StageContext } from '../stage.js';
import { residencyFields } from '../train-plan/fields.js';
import type { TrainPlan } from '../train-plan/plan.js';
import { checkedAdapter } from './adapters/checked-adapter.js';
import { freshAdapter, savedAdapter, withFactors } from './adapters/kinds.js';
import { startOf } from './adapters/start.js';
import { baseWeights } from './base-weights.js';
import { coverageLines, coverageOf, trainableLine } from './coverage.js';
import { loopSettings } from './loop-settings.js';
import { writeModel } from './model-folder.js';
import { recover } from './recovery.js';
import { metricsOf, writeCurves, writeReport, writeSummary } from './result-files.js';
import { rowLabels } from './row-labels.js';
import { stageEvent } from './stage-event.js';
import { withNotFinite } from './train-diagnostics.js';
import { type RowsOptions, shortRows, type TrainRows, trainRows } from './train-rows.js';

/** What stays the same while a training is tried with less and less memory. */
interface Job {
  readonly context: StageContext;
  readonly settings: TrainSettings;
  readonly base: ResolvedModel;
  readonly model: ModelFolder;
  readonly adapter: AdapterConfig;
  readonly runtime: Runtime;
  readonly rows: TrainRows;
  readonly validation?: TrainRows;
  readonly checkpoints: Checkpoints;
  weights(chosen: TrainPlan): WeightStore;
}

/**
 * Trains and writes the best and the last state: PEFT adapters, or whole models under `full`. Goes on from the newest
 * checkpoint of the same settings. Throws a `UserError`, a `ModelError`, the signal's reason, or `OutOfMemoryError` when
 * nothing is left to try.
 */
export const run: RunStage = async (context) => {
  if (context.chosen === undefined) throw new Error('a train stage runs with what the planner chose');
  const job = await prepare(context, context.chosen);
  for (let chosen = context.chosen; ; ) {
    try {
      return await attempt(job, chosen);
    } catch (error) {
      const starved = translateHostError(error) instanceof OutOfMemoryError;
      const next = starved
        ? recover(chosen, context.stage, {
            config: job.model.config,
            adapter: job.adapter,
            runtime: context.runtime,
          })
        : undefined;
      if (next === undefined) throw error;
      const cause = error instanceof Error ? error.message : String(error);
      context.emit({ type: 'recovery', stage: context.stage.name, cause, change: next.change });
      chosen = next.plan;
    }
  }
};

async function prepare(context: StageContext, chosen: TrainPlan): Promise<Job> {
  const { stage, host } = context;
  const settings = settingsOf(stage, 'train');
  const base = resolveModel(settings.base, context);
  const model = openResolved(host, base);
  const named = { config: model.config, label: base.label };
  const adapter = checkedAdapter(stage, named, context, rowLabels(context));
  const room = model.config.maxPositions - virtualTokensOf(adapter);
  const maxLength = Math.min(chosen.maxLength, room);
  const splitOf = ({ stage: from, port }: Reference): RowsOptions => {
    const artefact = context.inputs[from];
    if (artefact === undefined) throw new Error(`stage ${from} produced no rows`);
    const split = port === '' ? 'all' : port;
    const { vocabSize } = model.config;
    return { host, stage, folder: artefact.path, split, maxLength, vocabSize };
  };
  const first = { adapter, seed: settings.seed };
  let loaded: { readonly residency: string; readonly weights: WeightStore } | undefined;
  return {
    context,
    settings,
    base,
    model,
    adapter,
    runtime: await openRuntime(context.host, context.runtime, context),
    rows: trainRows(splitOf(settings.dataset)),
    validation: settings.validate == null ? undefined : shortRows(splitOf(settings.validate)),
    checkpoints: checkpoints({
      host,
      work: context.work,
      digest: context.key,
      keep: settings.checkpoint.keep,
      note: (text) => context.emit({ type: 'note', stage: stage.name, text }),
    }),
    weights(plan) {
      // Full training takes the weights over, so a second try reads them again.
      if (plan.method === 'full') return baseWeights(model, { method: 'full' }, first);
      const residency = JSON.stringify(residencyFields(plan));
      if (loaded?.residency !== residency) {
        loaded = undefined;
        loaded = { residency, weights: baseWeights(model, plan, first) };
      }
      return loaded.weights;
    },
  };
}

async function attempt(job: Job, chosen: TrainPlan): Promise<StageResult> {
  const { context, model, runtime, rows, validation } = job;
  const { host, stage, signal } = context;
  const adapter = chosen.method === 'full' ? undefined : withFactors(job.adapter, chosen);
  const config = adaptedConfig(model.config, job.adapter);
  const weights = job.weights(chosen);
  const decoder = await createDecoder({
    runtime,
    config,
    weights,
    adapter: adapter && firstAdapter(job, adapter, weights),
    trainable: adapter === undefined ? 'full' : 'adapter',
    checkpointedBlocks: chosen.checkpointedBlocks,
    recomputedMlps: chosen.recomputedMlps,
    recomputedAttention: chosen.recomputedAttention,
    logitsChunk: chosen.logitsChunk,
    vocabularyShard: chosen.vocabularyShard,
    precision: job.settings.precision,
  });
  const { offloadedState: fraction = 0 } = chosen;
  const offload = fraction > 0 ? { pages: context.work.pages('optimizer'), fraction } : undefined;
  try {
    describe(job, config, adapter);
    const result = await train({
      decoder,
      rows,
      validation,
      padId: rows.padId,
      settings: loopSettings(stage, chosen, rows.count),
      checkpoints: job.checkpoints,
      offload,
      clock: () => host.clock(),
      signal,
      emit: (event) => context.emit(stageEvent(stage.name, event)),
    });
    return await write(job, decoder, chosen, adapter, result);
  } catch (error) {
    if (adapter === undefined || !isNotFinite(error)) throw error;
    const tensor = tensorNotFinite(weights);
    throw tensor === undefined ? error : withNotFinite(error, job.base.label, tensor);
  } finally {
    offload?.pages.close();
    await decoder.release();
  }
}

/** The adapter that training starts with: the one to continue from, or a fresh one. */
function firstAdapter(
  { context, settings, model }: Job,
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
  { context, rows, validation }: Job,
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

async function write(
  job: Job,
  decoder: Decoder,
  chosen: TrainPlan,
  adapter: AdapterConfig | undefined,
  { state, ending }: TrainingResult,
): Promise<StageResult> {
  const { context, rows } = job;
  const kind = adapter === undefined ? 'model' : 'adapter';
  const style = styleOf(job.settings.dataset, context);
  const save = async (name: string, parameters: AdapterTensors): Promise<string> => {
    const folder = `${kind}/${name}`;
    if (adapter === undefined)
      writeModel(context.output, folder, job.model, decoder.options.config, parameters);
    else {
      const first = decoder.options.adapter?.tensors ?? new Map();
      const trained = { config: adapter, tensors: parameters };
      const saved = await savedAdapter(trained, { model: job.model.config, runtime: job.runtime, first });
      writeAdapter(context.output, folder, saved, {
        base: {
          name: job.base.label,
          revision: job.base.commit ?? null,
          transposed: projectionsOfModel(job.model.config).some(({ transposed }) => transposed),
          shape: job.model.config,
        },
        licence: job.model.licence(),
      });
    }
    if (style !== undefined) context.output.write(`${folder}/${CHAT_TEMPLATE}`, style);
    return folder;
  };
  const best = await save('best', bestParameters(job, decoder, state));
  const last = await save('last', decoder.parameters);
  writeCurves(context.output, state);
  writeReport(context.output, rows);
  writeSummary(context.output, { chosen, base: job.base.label, ending, state });
  return {
    outputs: { best, last, [kind]: best, report: 'report.json' },
    metrics: metricsOf(state),
  };
}

/** The chat template of the rows, where it is not the base's own. */
function styleOf({ stage }: Reference, { host, inputs }: StageContext): string | undefined {
  const rows = inputs[stage];
  return rows === undefined ? undefined : readFormatInfo(host, rows.path).template.source;
}

/** Without validation the last state is the best that is known. */
function bestParameters(job: Job, decoder: Decoder, { best, step }: TrainingState): AdapterTensors {
  return best === null || best.step === step ? decoder.parameters : job.checkpoints.parametersOf(best.step);
}
