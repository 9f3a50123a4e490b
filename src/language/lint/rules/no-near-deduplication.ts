import { insert } from '../../diagnostics/make.js';
import type { Call } from '../../ir/program.js';
import { expressionOf } from '../places.js';
import type { Rule } from '../types.js';
import { valueAt } from '../values.js';

export const noNearDeduplication: Rule = {
  id: 'no-near-deduplication',
  code: 'FTP1019',
  level: 'info',
  doc: 'Rows of which only exact duplicates are dropped.',
  reason:
    'Copies usually differ by a date, a name or a comma. Nearly equal rows on both sides of a split leak just as equal rows do.',
  check: (pipeline) =>
    pipeline.of('data').flatMap((checked) => {
      const ways = valueAt(checked, 'dedupe') as readonly Call[] | undefined;
      const list = expressionOf(checked, 'dedupe');
      if (ways === undefined || ways.length === 0 || ways.some(({ call }) => call === 'near')) return [];
      // A preset's choice is the preset's.
      if (list?.kind !== 'list') return [];
      return [
        {
          at: list.span,
          message: 'near-duplicate rows are kept',
          label: 'no `near`',
          help: 'write `dedupe = [exact, near(0.9)]`',
          fixes: [
            {
              ...insert(
                'add `near(0.9)`',
                list.span.file,
                list.items.at(-1)?.span.end ?? list.span.end,
                ', near(0.9)',
              ),
              applicability: 'maybe_incorrect',
            },
          ],
        },
      ];
    }),
};
