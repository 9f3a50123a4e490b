/** Preferences go to trainings with an objective for them, and to no others. */
import * as errors from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { isCall, isList, isRecord } from '../ir/values.js';
import type { RowKind } from '../schemas/functions/template.js';
import type { Span } from '../source/span.js';
import { settingSpan } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

interface Rows {
  readonly name: string;
  readonly template: Span;
  readonly kind: RowKind;
}

/** Settings of a training that go with no preferences. */
const WITHOUT_PREFERENCES: readonly (readonly [setting: string, why: string, help: string])[] = [
  [
    'neftune_noise_alpha',
    'noise on the input changes which answer is likelier',
    'leave `neftune_noise_alpha` out',
  ],
  [
    'label_smoothing',
    'no token is learned for itself',
    'leave `label_smoothing` out; `dpo(…)` has one of its own, for pairs',
  ],
];

/** What keeps a training from learning from its rows by its objective. */
export function objectiveOfRows(checked: CheckedStage, rows: Rows): readonly Diagnostic[] {
  const { objective, batch, validation, watch } = checked.stage.settings;
  const call = isCall(objective) ? objective : undefined;
  if (call === undefined)
    return rows.kind === 'preferences'
      ? [errors.preferencesWithoutObjective(settingSpan(checked, 'dataset'), rows)]
      : [];
  const at = settingSpan(checked, 'objective');
  if (rows.kind !== 'preferences')
    return [errors.objectiveWithoutPreferences(at, call.call, rows, rows.kind)];
  const smoothed = call.args['label_smoothing'];
  return [
    ...WITHOUT_PREFERENCES.filter(([setting]) => checked.stage.settings[setting] !== undefined).map(
      ([setting, why, help]) =>
        errors.settingWithPreferences(settingSpan(checked, setting), setting, why, help),
    ),
    ...(isRecord(validation) && isList(validation['metrics']) && validation['metrics'].length > 0
      ? [
          errors.settingWithPreferences(
            settingSpan(checked, 'validation'),
            'metrics',
            'nothing is written at their validations',
            'leave it out, and measure answers in an `eval` stage over rows of another template',
          ),
        ]
      : []),
    ...(isRecord(watch) && watch['repetition'] !== undefined
      ? [
          errors.settingWithPreferences(
            settingSpan(checked, 'watch'),
            'repetition',
            'nothing is written at their validations',
            'leave it out',
          ),
        ]
      : []),
    ...(isRecord(batch) && batch['packing'] === true
      ? [
          errors.settingWithPreferences(
            settingSpan(checked, 'batch'),
            'packing: true',
            'the answers of a pair are computed side by side',
            'leave `packing` out',
          ),
        ]
      : []),
    ...(call.call === 'dpo' && call.args['loss'] !== 'sigmoid' && (smoothed ?? 0) !== 0
      ? [errors.smoothingWithout(at, String(call.args['loss']))]
      : []),
  ];
}
