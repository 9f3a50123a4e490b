import { join } from 'node:path';
import type { AccelerateEngine } from '../../../../compute/accelerate/engine.js';
import { placeOf } from '../../../../compute/accelerate/model-spec.js';
import type {
  AnswersSpec,
  ModelSpec,
  OptimizerSpec,
  OtherModelSpec,
  TrainSpec,
} from '../../../../compute/accelerate/spec.js';
import { EVALUATION_SHAPES } from '../../../../compute/evaluation/evaluation-decoder.js';
import { batchRows, generationBatches } from '../../../../compute/evaluation/generation/generate.js';
import type { AdapterConfig } from '../../../../compute/models/adapters/config.js';
import { dropoutOf, virtualTokensOf } from '../../../../compute/models/adapters/kinds.js';
import { adaptedConfig } from '../../../../compute/models/adapters/whole.js';
import { projectionsOfModel } from '../../../../compute/models/architectures/index.js';
import type { ModelFolder } from '../../../../compute/models/load.js';
import { paddingOf } from '../../../../compute/training/batch.js';
import type { TrainingSettings } from '../../../../compute/training/index.js';
import type { OutputFolder } from '../../../../language/ir/outputs.js';
import { isMade } from '../../open-models.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import { isPaged } from '../loop-settings.js';
import { decodedTensors, writeModel } from '../model-files.js';
import { precisionOf } from '../precision.js';
import type { TrainTask } from '../train-task.js';
import type { ValidationAnswers } from '../validation-answers.js';

/** The files that a specification names. */
export interface SpecFiles
  extends Pick<TrainSpec, 'folder' | 'rows' | 'validation' | 'steps' | 'preferences'> {
  /** Folder of the initial adapter, or file of the initial head. */
  readonly adapter?: string;
  readonly head?: string;
  /** Folder of the base, where it is not that of the task: of weights that were made. */
  readonly base?: string;
}

/** What the ranks are told. */
export function specificationOf(
  task: TrainTask,
  {
    plan,
    adapter,
    settings,
    answers,
  }: {
    plan: TrainPlan;
    adapter: AdapterConfig | undefined;
    settings: TrainingSettings;
    answers?: ValidationAnswers | undefined;
  },
  engine: AccelerateEngine,
  files: SpecFiles,
): TrainSpec {
  const { context } = task;
  const world = engine.devices * (engine.nodes?.count ?? 1);
  return {
    version: 1,
    folder: files.folder,
    versions: engine.versions,
    digest: context.key,
    world,
    device: engine.device,
    sharding: {
      kind: world > 1 && engine.sharding === 'none' ? 'ddp' : engine.sharding,
      offload: engine.offload,
    },
    model: modelSpec(task, plan, engine, files.base),
    precision: precisionOf(task.settings),
    trained: adapter === undefined ? 'full' : 'adapter',
    adapter: files.adapter === undefined ? null : { folder: files.adapter },
    head: files.head === undefined ? null : { file: files.head },
    pissa: adapter?.kind === 'lora' && adapter.pissa === true,
    rows: files.rows,
    validation: files.validation,
    pad_id: task.rows.padId,
    padding: paddingSpec(
      task,
      { settings, draws: dropoutOf(adapter) > 0 || settings.noise !== undefined },
      engine,
    ),
    steps: files.steps,
    total_steps: settings.totalSteps,
    every: settings.every,
    validate_every: settings.validateEvery ?? settings.every,
    best: settings.best
      ? { metric: settings.best.metric, higher_is_better: settings.best.higherIsBetter }
      : null,
    ends_repeating: settings.endsRepeating === true,
    answers: answersSpec(task, answers),
    preferences: files.preferences,
    keep: task.settings.checkpoint.keep,
    patience: settings.patience ?? null,
    plateau: plateauSpec(settings),
    wall: settings.wall ?? null,
    optimizer: optimizerSpec(task, settings),
    clip: settings.clip ?? null,
    neftune: settings.noise ?? null,
    label_smoothing: task.settings.label_smoothing ?? 0,
    seed: settings.seed,
    checkpointed_blocks: plan.checkpointedBlocks,
    logits_chunk: plan.logitsChunk,
    dropout: dropoutOf(adapter) > 0 ? placesOf(task) : null,
  };
}

/** Rows of like length are answered together, as the embedded engine answers them. */
function answersSpec(
  { model, adapter, validation }: TrainTask,
  answers: ValidationAnswers | undefined,
): AnswersSpec | null {
  if (answers === undefined || validation === undefined) return null;
  const { rows, promptTokens: prompts, maxTokens, metrics, watchesRepetition } = answers;
  const maxPositions = model.config.maxPositions - virtualTokensOf(adapter);
  const atMost = (capacity: number): number => batchRows(model.config, capacity, EVALUATION_SHAPES.together);
  const ofLabels = validation.labels !== undefined;
  const lengths = ofLabels ? rows.map((row) => validation.lengthOf(row)) : prompts;
  return {
    rows,
    prompts: lengths,
    limits: lengths.map((length) => (ofLabels ? 0 : Math.max(0, Math.min(maxTokens, maxPositions - length)))),
    batches: generationBatches(lengths, { maxTokens, maxPositions }, atMost).map((batch) => batch.rows),
    stop_ids: validation.stopIds,
    metrics,
    watches_repetition: watchesRepetition,
  };
}

function modelSpec(
  task: TrainTask,
  { method }: TrainPlan,
  engine: AccelerateEngine,
  base: string | undefined,
): ModelSpec {
  const labels = adaptedConfig(task.model.config, task.adapter).labels ?? null;
  return {
    ...placed(task.model, base),
    task: labels === null ? 'causal' : 'classifier',
    labels,
    // what is trained stays float32
    dtype: method === 'full' ? 'float32' : frozenType(task),
    quantisation: method === 'qlora' ? NF4 : null,
    attention: engine.attention,
  };
}

const NF4 = { type: 'nf4', double: true } as const;

const frozenType = ({ settings }: TrainTask): ModelSpec['dtype'] =>
  precisionOf(settings) === 'bf16' ? 'bfloat16' : 'float32';

/** `written`: where its weights are, if they were made. */
const placed = (model: ModelFolder, written: string | undefined): Pick<ModelSpec, 'folder' | 'gguf'> =>
  written === undefined ? placeOf(model) : { folder: written, gguf: null };

/** What answers are compared with, where that is not the base; what has to be made of it is written. */
export function otherModelSpec(
  output: OutputFolder,
  task: TrainTask,
  { attention }: AccelerateEngine,
): OtherModelSpec | null {
  const { reference } = task;
  if (reference === undefined) return null;
  const { model, named, maxPositions } = reference;
  const written = isMade(named.base) ? join(output.path, 'reference') : undefined;
  if (written !== undefined)
    writeModel(output, 'reference', model, model.config, decodedTensors(model.loadWeights('paged')));
  return {
    model: {
      ...placed(model, written),
      ...{ task: 'causal', labels: null, dtype: frozenType(task), attention },
      quantisation: named.storage === 'nf4' ? NF4 : null,
    },
    adapter: named.adapter === undefined ? null : { folder: named.adapter },
    positions: maxPositions,
  };
}

/**
 * As the embedded engine pads, where it draws: what is drawn follows from the shape of a batch. Otherwise a CPU need not
 * compute what is padding; packed sequences come in fewer lengths on a GPU.
 */
function paddingSpec(
  { model }: TrainTask,
  { settings: { packing }, draws }: { readonly settings: TrainingSettings; readonly draws: boolean },
  { device }: AccelerateEngine,
): TrainSpec['padding'] {
  const { maxPositions } = model.config;
  const padding =
    packing === undefined ? paddingOf(maxPositions, false) : paddingOf(Math.min(packing, maxPositions), true);
  return device === 'cpu' && !draws ? { ...padding, bucket: 1 } : padding;
}

function placesOf({ model }: TrainTask): TrainSpec['dropout'] {
  const seen = new Map<number, number>();
  return Object.fromEntries(
    projectionsOfModel(model.config).map(({ path, layer }) => {
      const module = seen.get(layer) ?? 0;
      seen.set(layer, module + 1);
      return [path, [layer, module]];
    }),
  );
}

const plateauSpec = ({ schedule: { plateau, min } }: TrainingSettings): TrainSpec['plateau'] =>
  plateau === undefined ? null : { ...plateau, low: min ?? 0 };

const optimizerSpec = (task: TrainTask, settings: TrainingSettings): OptimizerSpec => ({
  name: settings.optimizer,
  beta1: settings.beta1,
  beta2: settings.beta2,
  epsilon: settings.epsilon,
  decay: settings.decay,
  momentum: settings.momentum,
  lora_plus: settings.loraplusRatio,
  paged: isPaged(task.settings),
});
