import { headingOf } from '../../check/stage-settings.js';
import { hasSyntheticRows } from '../lineage.js';
import type { Rule } from '../types.js';
import { valueAt } from '../values.js';

export const noDeduplication: Rule = {
  id: 'no-deduplication',
  code: 'FTP1018',
  level: 'warning',
  doc: 'Rows whose duplicates are kept.',
  reason:
    'A row that appears ten times in the data gets ten times the weight, and one copy in the test split is enough to make the evaluation measure memorisation. Models that repeat themselves were often trained on repetitions.',
  check: (pipeline) =>
    pipeline.of('data').flatMap((checked) => {
      const ways = valueAt(checked, 'dedupe');
      if ((Array.isArray(ways) && ways.length > 0) || hasSyntheticRows(checked)) return [];
      return [
        {
          at: headingOf(checked),
          message: `\`${checked.block.name.text}\` keeps duplicate rows`,
          label: 'no `dedupe`',
          help: 'write `dedupe = [exact, near(0.9)]`',
        },
      ];
    }),
};
