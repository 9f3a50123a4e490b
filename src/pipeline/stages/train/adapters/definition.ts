import type { AdapterConfig, AdapterKind } from '../../../../compute/models/adapters/config.js';
import type { AdapterInits } from '../../../../compute/models/adapters/definition.js';
import type { Adapter, AdapterTensors, ModelConfig } from '../../../../compute/models/types.js';
import type { OpenedAdapter } from '../../../../compute/packaging/adapter-folder.js';
import { openAdapter } from '../../../../compute/packaging/adapters.js';
import type { Runtime } from '../../../../compute/tensor/types.js';
import type { Diagnostic } from '../../../../language/diagnostics/types.js';
import type { Stage, Value } from '../../../../language/ir/program.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../../language/schemas/stages/train.js';
import type { Span } from '../../../../language/source/span.js';
import { type NamedAdapter, resolveAdapter } from '../../resolve-models.js';
import type { StageContext } from '../../stage.js';

/** The adapter of a train stage, and what it is checked against. */
export interface AdapterCase {
  readonly stage: Stage;
  readonly model: ModelConfig;
  /** Name of the base. */
  readonly base: string;
  readonly adapter: AdapterConfig;
  readonly start: Start | undefined;
  /** The place of a setting in the file: `lora.targets.0`. */
  at(path: string): Span;
}

/** Values of settings by their names. */
export type SettingValues = Readonly<Record<string, Value | undefined>>;

/** A kind of adapter as a train stage sets and writes it. */
export interface StageAdapter<K extends AdapterKind> {
  /** The record of settings that asks for it. */
  readonly setting: 'lora' | 'prompt' | 'prefix' | 'adapter' | undefined;
  /** As it is set; with `labels` a head over them is trained with it. */
  config(settings: TrainSettings, model: ModelConfig, labels?: readonly string[]): AdapterConfig<K>;
  init?(settings: TrainSettings): AdapterInits[K] | undefined;
  /** What does not go with this kind, whatever its settings. */
  contradictions(given: AdapterCase): readonly Diagnostic[];
  /** What does not go with the base. */
  problems(given: AdapterCase, adapter: AdapterConfig<K>): readonly Diagnostic[];
  /** What an adapter is, by the settings of the record that it stands for. */
  fields(adapter: AdapterConfig<K>, model: ModelConfig): SettingValues;
  /** Whether a setting says what an adapter has, where more than equal values do. */
  readonly agrees?: Readonly<
    Record<string, (settings: TrainSettings, taken: AdapterConfig<K>, model: ModelConfig) => boolean>
  >;
  /** Why it cannot be merged into weights; `adapter` is its name. */
  readonly unmergeable: ((at: Span, adapter: string) => Diagnostic) | undefined;
  /** As it is saved; `first` are the tensors that training began with. */
  saved?(
    trained: Adapter<K>,
    context: {
      readonly model: ModelConfig;
      readonly runtime: () => Promise<Runtime>;
      readonly first: AdapterTensors;
    },
  ): Adapter<K> | Promise<Adapter<K>>;
}

/** Whether somebody set a value: what an adapter was trained with counts where the file does not say. */
export const isSet = (origins: Stage['origins'], path: string): boolean =>
  (origins[path] ?? 'default') !== 'default';

/** The settings of low-rank factors that somebody set. */
export const factorSettings = (stage: Stage): readonly string[] =>
  Object.keys(settingsOf(stage, 'train').lora)
    .map((field) => `lora.${field}`)
    .filter((path) => isSet(stage.origins, path));

export const NO_FACTORS = 'there are no low-rank factors';

export type Place = Pick<StageContext, 'folder' | 'host'>;

export type Start = NamedAdapter & { readonly opened: OpenedAdapter };

/** Nothing if a stage has no `start`. Throws a `ModelError` if the adapter cannot be read. */
export function startOf({ start }: Pick<TrainSettings, 'start'>, place: Place): Start | undefined {
  const named = start && resolveAdapter(start, place);
  return named && { ...named, opened: openAdapter(place.host, named.folder) };
}
