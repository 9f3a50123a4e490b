/** The labels of the rows that a stage trains on. */
import { UserError } from '../../diagnostics/types.js';
import type { Stage } from '../../ir/types.js';
import { sameLabels, someLabels } from '../../models/labels.js';
import type { ModelConfig } from '../../models/types.js';
import { readFormatInfo } from '../format/read.js';
import type { StageContext } from '../types.js';
import { trainSettings } from './schema.js';

/** Nothing where they have none. Throws a `UserError` where the rows to watch training on are numbered otherwise. */
export function rowLabels({ stage, inputs, host }: StageContext): readonly string[] | undefined {
  const { dataset, validate } = trainSettings(stage);
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
      message: `\`${validate?.stage}\` and \`${dataset.stage}\` do not number the same labels`,
      at: stage.span,
      notes: [
        `\`${dataset.stage}\` has ${someLabels(labels)}`,
        `\`${validate?.stage}\` has ${someLabels(watched)}`,
      ],
      help: 'declare the labels of both in one order: `labelled(labels: […])`',
    });
  return labels;
}

/** Throws a `UserError` where a classifier is to learn to write. */
export function checkTask(
  stage: Pick<Stage, 'span'>,
  { config, label }: { readonly config: ModelConfig; readonly label: string },
  labels: readonly string[] | undefined,
): void {
  if (config.labels === undefined || labels !== undefined) return;
  throw new UserError({
    code: 'FTP0783',
    severity: 'error',
    message: `\`${label}\` is a classifier, and is trained here on rows without labels`,
    at: stage.span,
    notes: [`it gives ${someLabels(config.labels)}, and has no head that writes`],
    help: 'write the rows out with `template = labelled()`, or train the model that the classifier was made of',
  });
}
