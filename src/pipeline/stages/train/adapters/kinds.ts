/** The adapter of a train stage: as it is set, or as it is taken from the adapter that the stage continues from. */
import type { AdapterConfig, AdapterKind } from '../../../../compute/models/adapters/config.js';
import { dropoutOf, initAdapter } from '../../../../compute/models/adapters/kinds.js';
import type { Adapter, AdapterTensors, ModelConfig, WeightStore } from '../../../../compute/models/types.js';
import type { Runtime } from '../../../../compute/tensor/types.js';
import type { Diagnostic } from '../../../../language/diagnostics/types.js';
import type { Stage } from '../../../../language/ir/program.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../../language/schemas/stages/train.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import { bottleneck } from './bottleneck.js';
import { type AdapterCase, isSet, type SettingValues, type StageAdapter, type Start } from './definition.js';
import { head } from './head.js';
import { lora } from './lora.js';
import { prefix } from './prefix.js';
import { prompt } from './prompt.js';

/** Where settings ask for several kinds, the first one counts; those of `lora` are always there. */
const KINDS: { readonly [K in AdapterKind]: StageAdapter<K> } = { prompt, prefix, bottleneck, lora, head };
const NAMES = Object.keys(KINDS) as readonly AdapterKind[];

export const stageAdapter = <K extends AdapterKind>(kind: K): StageAdapter<K> => KINDS[kind];

/** The kind that a stage trains: the one that it asks for, or that of the adapter that it continues from. */
export function trainedKind(settings: TrainSettings, start: AdapterConfig | undefined): AdapterKind {
  const asked = NAMES.find((kind) => {
    const { setting } = KINDS[kind];
    return setting !== undefined && settings[setting] !== undefined;
  });
  return asked === undefined || asked === 'lora' ? (start?.kind ?? 'lora') : asked;
}

/** The adapter over this base; with `labels` a head over them is trained with it, or alone. */
export function adapterOf(
  stage: Pick<Stage, 'kind' | 'settings' | 'origins' | 'preset'>,
  model: ModelConfig,
  start: Start | undefined,
  labels?: readonly string[],
): AdapterConfig {
  const settings = settingsOf(stage, 'train');
  if (labels !== undefined && stage.preset === 'head') return head.config(settings, model, labels);
  if (start === undefined) return KINDS[trainedKind(settings, undefined)].config(settings, model, labels);
  const taken = start.opened.config;
  const { setting, config } = stageAdapter(taken.kind);
  if (!('dropout' in taken) || !isSet(stage.origins, `${setting}.dropout`)) return taken;
  return { ...taken, dropout: dropoutOf(config(settings, model)) };
}

/** A fresh adapter. */
export const freshAdapter = (
  model: ModelConfig,
  adapter: AdapterConfig,
  settings: TrainSettings,
  weights: WeightStore,
): Adapter => {
  const init = stageAdapter(adapter.kind).init?.(settings);
  return initAdapter(model, adapter, { seed: settings.seed, init, weights });
};

/** A trained adapter as it is saved: over the weights as they are. */
export const savedAdapter = async (
  trained: Adapter,
  context: {
    readonly model: ModelConfig;
    readonly runtime: () => Promise<Runtime>;
    readonly first: AdapterTensors;
  },
): Promise<Adapter> => (await stageAdapter(trained.config.kind).saved?.(trained, context)) ?? trained;

/** What does not go with an adapter: other settings, or the base. */
export function adapterProblems(given: AdapterCase): readonly Diagnostic[] {
  const kind = trainedKind(settingsOf(given.stage, 'train'), given.adapter);
  const contradictions = stageAdapter(kind).contradictions(given);
  return contradictions.length > 0
    ? contradictions
    : stageAdapter(given.adapter.kind).problems(given, given.adapter);
}

/** What an adapter says, by the settings that it stands for: `lora.rank`, `adapter.reduction`. */
export function takenSettings(adapter: AdapterConfig, model: ModelConfig): SettingValues {
  const { setting, fields } = stageAdapter(adapter.kind);
  const values = Object.entries(fields(adapter, model));
  return Object.fromEntries(values.map(([name, value]) => [`${setting}.${name}`, value]));
}

/** Rank and alpha, where there are low-rank factors; else 0. */
export const factorsOf = (adapter: AdapterConfig): Pick<TrainPlan, 'rank' | 'alpha'> =>
  adapter.kind === 'lora' ? { rank: adapter.rank, alpha: adapter.alpha } : { rank: 0, alpha: 0 };

/** An adapter with other factors, where it has any. */
export const withFactors = (
  adapter: AdapterConfig,
  { rank, alpha }: Pick<TrainPlan, 'rank' | 'alpha'>,
): AdapterConfig => (adapter.kind === 'lora' ? { ...adapter, rank, alpha } : adapter);
