import { headingOf, referenceIn } from '../../check/stage-settings.js';
import { ancestors, blockName } from '../lineage.js';
import { expressionOf } from '../places.js';
import type { Rule } from '../types.js';

export const evaluatesOnValid: Rule = {
  id: 'evaluates-on-valid',
  code: 'FTP1014',
  level: 'info',
  doc: 'An evaluation on the rows that chose the checkpoint.',
  reason:
    'The best checkpoint and the end of training were chosen by these rows, so the model does a little better on them than on others. A release should be judged on rows that decided nothing.',
  check: (pipeline) =>
    pipeline.of('eval').flatMap((checked) => {
      const own = referenceIn(checked, 'dataset');
      const chose = [...ancestors(referenceIn(checked, 'model')?.stage, pipeline)]
        .flatMap((name) => pipeline.stage(name) ?? [])
        .find((trained) => {
          const rows = referenceIn(trained, 'validate');
          return rows !== undefined && rows.stage === own?.stage && rows.port === own.port;
        });
      if (own === undefined || chose === undefined) return [];
      return [
        {
          at: expressionOf(checked, 'dataset')?.span ?? headingOf(checked),
          message: `\`${blockName(own.stage, pipeline)}.${own.port}\` chose the checkpoint that is evaluated on it`,
          label: 'slightly overestimates the model',
          related: [
            {
              at: expressionOf(chose, 'validate')?.span ?? headingOf(chose),
              message: 'used for validation here',
            },
          ],
          help: `evaluate on \`${blockName(own.stage, pipeline)}.test\``,
        },
      ];
    }),
};
