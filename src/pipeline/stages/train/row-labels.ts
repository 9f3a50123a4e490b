/** The labels of the rows that a stage trains on. */

import { sameLabels, someLabels } from '../../../compute/models/labels.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Stage } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { readFormatInfo } from '../format/split-files.js';
import type { StageContext } from '../stage.js';
import { objectiveOf, rewardLabels } from './preferences/objective.js';

/**
 * Nothing if they have none; of a reward model, that of the base where it is one already. Throws a `UserError` if the rows to
 * watch training on are numbered otherwise.
 */
export function rowLabels(
  { stage, inputs, host }: Pick<StageContext, 'stage' | 'inputs' | 'host'>,
  base: Pick<ModelConfig, 'labels'>,
): readonly string[] | undefined {
  const settings = settingsOf(stage, 'train');
  if (objectiveOf(settings)?.kind === 'reward') return rewardLabels(base);
  const { dataset, validate } = settings;
  const labelsOf = (name: string | undefined): readonly string[] | undefined => {
    const rows = name === undefined ? undefined : inputs[name];
    return rows === undefined ? undefined : readFormatInfo(host, rows.path).labels;
  };
  const labels = labelsOf(dataset.stage);
  const watched = labelsOf(validate?.stage);
  if (labels !== undefined && watched !== undefined && !sameLabels(labels, watched))
    throw new UserError({
      code: 'FTP0782',
      severity: 'error',
      message: `\`${validate?.stage}\` and \`${dataset.stage}\` number their labels differently`,
      at: stage.span,
      notes: [
        `\`${dataset.stage}\` has ${someLabels(labels)}`,
        `\`${validate?.stage}\` has ${someLabels(watched)}`,
      ],
      help: 'declare the labels of both in the same order: `labelled(labels: […])`',
    });
  return labels;
}

/** Throws a `UserError` if a classifier is to learn to write. */
export function checkTask(
  stage: Pick<Stage, 'span'>,
  { config, label }: { readonly config: ModelConfig; readonly label: string },
  labels: readonly string[] | undefined,
): void {
  if (config.labels === undefined || labels !== undefined) return;
  throw new UserError({
    code: 'FTP0783',
    severity: 'error',
    message: `\`${label}\` is a classifier, but is trained here on rows without labels`,
    at: stage.span,
    notes: [`it predicts ${someLabels(config.labels)} and has no language-model head`],
    help: 'use `template = labelled()` in the format stage, or train the model that the classifier was made from',
  });
}
