import { headingOf } from '../../check/stage-settings.js';
import { counted } from '../../diagnostics/make.js';
import { dataUnder } from '../lineage.js';
import { expressionOf } from '../places.js';
import type { Rule } from '../types.js';

const FEWEST = 500;

export const tooFewRows: Rule = {
  id: 'too-few-rows',
  code: 'FTP1008',
  level: 'warning',
  doc: 'Fewer than 500 rows to train on.',
  reason:
    'A model needs at least 500 to 1,000 good rows to learn the task instead of the rows. Quality matters more: 500 rows checked by people teach more than 50,000 scraped ones.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const data = dataUnder(checked, 'dataset', pipeline);
      const rows = data === undefined ? undefined : pipeline.rows(data);
      if (data === undefined || rows === undefined) return [];
      const train = Math.round(rows.most * rows.trainShare);
      if (train >= FEWEST) return [];
      return [
        {
          at: expressionOf(checked, 'dataset')?.span ?? headingOf(checked),
          message: `\`${checked.block.name.text}\` trains on ${counted(train, 'row')} at most`,
          label: `fewer than ${FEWEST}`,
          related: [
            {
              at: expressionOf(data, 'source')?.span ?? headingOf(data),
              message: `${counted(rows.most, 'row')}, before any is dropped`,
            },
          ],
          help: `collect at least ${FEWEST} rows, or give training a larger share of them`,
        },
      ];
    }),
};
