import { initBottleneck } from '../../../compute/models/adapters/bottleneck.js';
import { adaptedConfig } from '../../../compute/models/adapters/classifier.js';
import { initLora } from '../../../compute/models/adapters/initialise.js';
import { plainAdapter } from '../../../compute/models/adapters/pissa.js';
import { initPrefix } from '../../../compute/models/adapters/prefix.js';
import { initPrompt, virtualTokensOf } from '../../../compute/models/adapters/prompt.js';
import { blueprintOf, projectionsOfModel } from '../../../compute/models/architectures/index.js';
import { CHAT_TEMPLATE } from '../../../compute/models/chat-template/index.js';
import { createDecoder, type Decoder } from '../../../compute/models/decoder/index.js';
import { plainPrefix } from '../../../compute/models/decoder/prefix.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import type {
  Adapter,
  AdapterTensors,
  LoraConfig,
  ModelConfig,
  WeightStore,
} from '../../../compute/models/types.js';
import { tensorNotFinite } from '../../../compute/models/weights/not-finite.js';
import { writeAdapter } from '../../../compute/packaging/peft/write.js';
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
import type { TrainPlan } from '../../../language/schemas/types.js';
import { readFormatInfo } from '../format/read.js';
import { type ResolvedModel, resolveModel } from '../model-places.js';
import { openResolved } from '../models.js';
import type { RunStage, StageContext } from '../stage.js';
import { baseWeights } from './base.js';
import { bottleneckInit } from './bottleneck.js';
import { coverageLines, coverageOf, trainableLine } from './coverage.js';
import { stageEvent } from './events.js';
import { metricsOf, writeCurves, writeReport, writeSummary } from './files.js';
import { rowLabels } from './labels.js';
import { chosenLora, startOf } from './lora.js';
import { checkedLora } from './lora-check.js';
import { writeModel } from './model-folder.js';
import { withNotFinite } from './problems.js';
import { recover } from './recovery.js';
import { type RowsOptions, shortRows, type TrainRows, trainRows } from './rows.js';
import { loopSettings } from './settings.js';

/** What stays the same while a training is tried with less and less memory. */
interface Job {
  readonly context: StageContext;
  readonly settings: TrainSettings;
  readonly base: ResolvedModel;
  readonly model: ModelFolder;
  readonly lora: LoraConfig;
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
  const { settings, model } = job;
  for (let chosen = context.chosen; ; ) {
    try {
      return await attempt(job, chosen);
    } catch (error) {
      const starved = translateHostError(error) instanceof OutOfMemoryError;
      const next = starved ? recover(chosen, settings, model.config) : undefined;
      if (next === undefined) throw error;
      const cause = error instanceof Error ? error.message : String(error);
      context.emit({ type: 'recovery', stage: context.stage.name, cause, change: next.change });
      chosen = next.chosen;
    }
  }
};

async function prepare(context: StageContext, chosen: TrainPlan): Promise<Job> {
  const { stage, host } = context;
  const settings = settingsOf(stage, 'train');
  const base = resolveModel(settings.base, context);
  const model = openResolved(host, base);
  const named = { config: model.config, label: base.label };
  const lora = checkedLora(stage, named, context, rowLabels(context));
  const room = model.config.maxPositions - virtualTokensOf(lora);
  const maxLength = Math.min(chosen.maxLength, room);
  const splitOf = ({ stage: from, port }: Reference): RowsOptions => {
    const artefact = context.inputs[from];
    if (artefact === undefined) throw new Error(`stage ${from} produced no rows`);
    const split = port === '' ? 'all' : port;
    const { vocabSize } = model.config;
    return { host, stage, folder: artefact.path, split, maxLength, vocabSize };
  };
  const first = { lora, seed: settings.seed };
  let held:
    | (Pick<TrainPlan, 'pagedWeights' | 'materialised'> & { readonly weights: WeightStore })
    | undefined;
  return {
    context,
    settings,
    base,
    model,
    lora,
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
    weights({ method, pagedWeights, materialised }) {
      // Full training takes the weights over, so a second try reads them again.
      if (method === 'full') return baseWeights(model, { method }, first);
      if (held === undefined || held.pagedWeights !== pagedWeights || held.materialised !== materialised) {
        held = undefined;
        const weights = baseWeights(model, { method, pagedWeights, materialised }, first);
        held = { weights, pagedWeights, materialised };
      }
      return held.weights;
    },
  };
}

async function attempt(job: Job, chosen: TrainPlan): Promise<StageResult> {
  const { context, model, runtime, rows, validation } = job;
  const { host, stage, signal } = context;
  const lora = chosen.method === 'full' ? undefined : chosenLora(job.lora, chosen);
  const config = adaptedConfig(model.config, job.lora);
  const weights = job.weights(chosen);
  const decoder = await createDecoder({
    runtime,
    config,
    weights,
    adapter: lora && firstAdapter(job, lora, weights),
    trainable: lora === undefined ? 'full' : 'adapter',
    checkpointedBlocks: chosen.checkpointedBlocks,
    recomputedMlps: chosen.recomputedMlps,
    recomputedAttention: chosen.recomputedAttention,
    logitsChunk: chosen.logitsChunk,
    vocabularyShard: chosen.vocabularyShard,
    precision: job.settings.precision,
  });
  const { offloadedState: share = 0 } = chosen;
  const spill = share > 0 ? { pages: context.work.pages('optimizer'), share } : undefined;
  try {
    describe(job, config, lora);
    const result = await train({
      decoder,
      rows,
      validation,
      padId: rows.padId,
      settings: loopSettings(stage, chosen, rows.count),
      checkpoints: job.checkpoints,
      spill,
      clock: () => host.clock(),
      signal,
      emit: (event) => context.emit(stageEvent(stage.name, event)),
    });
    return await write(job, decoder, chosen, lora, result);
  } catch (error) {
    if (lora === undefined || !isNotFinite(error)) throw error;
    const tensor = tensorNotFinite(weights);
    throw tensor === undefined ? error : withNotFinite(error, job.base.label, tensor);
  } finally {
    spill?.pages.close();
    await decoder.release();
  }
}

/** The adapter that training starts with: the one to continue from, or a fresh one. */
function firstAdapter({ context, settings, model }: Job, lora: LoraConfig, weights: WeightStore): Adapter {
  if (settings.prompt !== undefined) {
    const embedding = weights.get(blueprintOf(model.config).embedding.name);
    return initPrompt(model.config, lora, settings.seed, { init: settings.prompt.init, embedding });
  }
  const start = startOf(settings, context);
  if (start === undefined && settings.adapter !== undefined)
    return initBottleneck(model.config, lora, settings.seed, bottleneckInit(settings.adapter));
  if (start === undefined) {
    if (settings.prefix !== undefined)
      return initPrefix(model.config, lora, settings.seed, settings.prefix.init);
    const init = settings.lora.init === 'gaussian' ? 'gaussian' : 'kaiming';
    return initLora(model.config, lora, settings.seed, { init, weights });
  }
  return { config: lora, tensors: start.opened.load().tensors };
}

/** Says what is trained, and on what. */
function describe(
  { context, rows, validation }: Job,
  config: ModelConfig,
  lora: LoraConfig | undefined,
): void {
  const note = (text: string): void => context.emit({ type: 'note', stage: context.stage.name, text });
  const coverage = coverageOf(config, lora);
  note(trainableLine(coverage));
  if (lora !== undefined) for (const line of coverageLines(coverage.modules)) note(line);
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
  lora: LoraConfig | undefined,
  { state, ending }: TrainingResult,
): Promise<StageResult> {
  const { context, rows } = job;
  const kind = lora === undefined ? 'model' : 'adapter';
  const style = styleOf(job.settings.dataset, context);
  const save = async (name: string, parameters: AdapterTensors): Promise<string> => {
    const folder = `${kind}/${name}`;
    if (lora === undefined) writeModel(context.output, folder, job.model, decoder.options.config, parameters);
    else {
      const first = decoder.options.adapter?.tensors ?? new Map();
      const plain = plainAdapter({ config: lora, tensors: parameters }, first);
      writeAdapter(context.output, folder, await plainPrefix(job.runtime, job.model.config, plain), {
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
