import type { References } from './batch-loss.js';
import type { PreferenceRows } from './rows.js';
import type { PreferenceObjective } from './types.js';

/** What a training learns from where its rows are preferences. */
export interface PreferenceLearning {
  readonly objective: PreferenceObjective;
  readonly rows: PreferenceRows;
  readonly validation?: PreferenceRows;
  /** Where the objective has a reference: of the rows, and of those of the validation. */
  readonly references?: References;
  readonly validationReferences?: References;
}
