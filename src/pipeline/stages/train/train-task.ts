import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import type { WeightStore } from '../../../compute/models/types.js';
import { openRuntime } from '../../../compute/tensor/runtimes/index.js';
import type { Runtime } from '../../../compute/tensor/types.js';
import { isPaired, type PreferenceObjective } from '../../../compute/training/index.js';
import type { Reference } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';
import { openResolved } from '../open-models.js';
import { type ResolvedModel, resolveModel } from '../resolve-models.js';
import type { StageContext } from '../stage.js';
import { residencyFields } from '../train-plan/fields.js';
import type { TrainPlan } from '../train-plan/plan.js';
import { checkedAdapter } from './adapters/checked-adapter.js';
import { type BaseOptions, baseWeights } from './base-weights.js';
import { objectiveOf } from './preferences/objective.js';
import { type PreferenceSplit, preferenceSplit, trainedPreferences } from './preferences/preference-rows.js';
import { type ReferenceModel, referenceModel } from './preferences/reference-model.js';
import { ALONE, baseThreads, type Dequantising } from './quantised-base.js';
import { rowLabels } from './row-labels.js';
import { type RowsOptions, shortRows, type TrainRows, trainRows, type ValidationRows } from './train-rows.js';

/** What is learned where rows are preferences. */
export interface LearnedPreferences {
  readonly objective: PreferenceObjective;
  readonly rows: PreferenceSplit;
  readonly validation?: PreferenceSplit;
}

/** What stays the same while a training is tried with less and less memory. */
export interface TrainTask {
  readonly context: StageContext;
  readonly settings: TrainSettings;
  readonly base: ResolvedModel;
  readonly model: ModelFolder;
  readonly adapter: AdapterConfig;
  readonly rows: TrainRows;
  readonly validation?: ValidationRows;
  /** Where the rows are preferences: what is learned from them. `rows` are then their answers, one after another. */
  readonly preferences?: LearnedPreferences;
  /** What answers are compared with, where that is not the base. */
  readonly reference?: ReferenceModel;
  /** What computes in this process; opened when it is asked for. */
  runtime(): Promise<Runtime>;
  /** Quantises a large base in threads, where {@link weights} is to hold it in 4 bits. */
  quantise(plan: TrainPlan): Promise<void>;
  dequantising(plan: TrainPlan): Promise<Dequantising>;
  weights(plan: TrainPlan): WeightStore;
}

/** Throws what keeps a stage from being trained: a `UserError`, or a `ModelError`. */
export function trainTask(context: StageContext, plan: TrainPlan): TrainTask {
  const { stage, host } = context;
  const settings = settingsOf(stage, 'train');
  const base = resolveModel(settings.base, context);
  const model = openResolved(host, base);
  const named = { config: model.config, label: base.label };
  const adapter = checkedAdapter(stage, named, context, rowLabels(context, model.config));
  const reference = referenceModel(settings, base, context);
  const room = model.config.maxPositions - virtualTokensOf(adapter);
  const maxLength = Math.min(plan.maxLength, room, reference?.maxPositions ?? room);
  const splitOf = ({ stage: from, port }: Reference): RowsOptions => {
    const artefact = context.inputs[from];
    if (artefact === undefined) throw new Error(`stage ${from} produced no rows`);
    const split = port === '' ? 'all' : port;
    const vocabularies = [
      { vocabSize: model.config.vocabSize, of: 'base' },
      ...(reference === undefined
        ? []
        : [{ vocabSize: reference.model.config.vocabSize, of: 'reference' } as const]),
    ] as const;
    return { host, stage, folder: artefact.path, split, maxLength, vocabularies };
  };
  let first: BaseOptions = { adapter, seed: settings.seed };
  const objective = objectiveOf(settings);
  const learner = objective && isPaired(objective) ? { config: model.config, adapter } : undefined;
  let runtime: Promise<Runtime> | undefined;
  let loaded: { readonly residency: string; readonly weights: WeightStore } | undefined;
  const threads = baseThreads(context, model, base);
  return {
    context,
    settings,
    base,
    model,
    adapter,
    ...(reference && { reference }),
    rows: trainRows(splitOf(settings.dataset)),
    validation: settings.validate == null ? undefined : shortRows(splitOf(settings.validate)),
    ...(objective === undefined
      ? {}
      : {
          preferences: {
            objective,
            rows: trainedPreferences(splitOf(settings.dataset), learner),
            ...(settings.validate == null
              ? {}
              : { validation: preferenceSplit(splitOf(settings.validate), learner) }),
          },
        }),
    runtime() {
      runtime ??= openRuntime(context.host, context.runtime, context);
      return runtime;
    },
    async quantise(plan) {
      if (!isQuantised(plan) || first.quantised !== undefined) return;
      if (loaded?.residency === residencyOf(plan)) return;
      first = { ...first, quantised: await threads.quantise() };
    },
    dequantising: async (plan) => (isQuantised(plan) ? threads.dequantising() : ALONE),
    weights(plan) {
      // Full training takes the weights over, so a second try reads them again.
      if (plan.method === 'full') return baseWeights(model, { method: 'full' }, first);
      const residency = residencyOf(plan);
      if (loaded?.residency !== residency) {
        loaded = undefined;
        loaded = { residency, weights: baseWeights(model, plan, first) };
        first = { ...first, quantised: undefined };
      }
      return loaded.weights;
    },
  };
}

/** Rows that a pass goes over: of preferences, each with its answers. */
export const learnedRows = ({ rows, preferences }: Pick<TrainTask, 'rows' | 'preferences'>): number =>
  (preferences?.rows ?? rows).count;

/** The base is held in 4 bits. */
const isQuantised = ({ method, materialised }: TrainPlan): boolean =>
  method === 'qlora' && materialised !== true;

const residencyOf = (plan: TrainPlan): string => JSON.stringify(residencyFields(plan));
