/** The settings of a checked stage with the static types that its schema gives them. */
import type { Stage, StageKind } from '../../ir/program.js';
import type { DataSettings } from './data.js';
import type { DeploySettings } from './deploy.js';
import type { EvalSettings } from './eval.js';
import type { FormatSettings } from './format.js';
import type { MergeSettings } from './merge.js';
import type { TrainSettings } from './train.js';

export interface SettingsOf {
  readonly data: DataSettings;
  readonly format: FormatSettings;
  readonly train: TrainSettings;
  readonly eval: EvalSettings;
  readonly merge: MergeSettings;
  readonly deploy: DeploySettings;
}

/** What the checker has held against the schema of its kind. */
type CheckedSettings = Pick<Stage, 'kind' | 'settings'>;

const isOf = <K extends StageKind>(
  stage: CheckedSettings,
  kind: K,
): stage is CheckedSettings & { readonly settings: SettingsOf[K] } => stage.kind === kind;

/** A stage of another kind is a bug of the caller. */
export function settingsOf<K extends StageKind>(stage: CheckedSettings, kind: K): SettingsOf[K] {
  if (isOf(stage, kind)) return stage.settings;
  throw new Error(`the settings of a ${stage.kind} stage are not those of a ${kind} stage`);
}
