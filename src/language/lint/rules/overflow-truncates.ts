import { replace } from '../../diagnostics/make.js';
import type { Rule } from '../types.js';
import { valueAt } from '../values.js';

export const overflowTruncates: Rule = {
  id: 'overflow-truncates',
  code: 'FTP1020',
  level: 'info',
  doc: '`overflow = truncate`: long rows lose their end.',
  reason:
    'What is cut off is the end of the answer and the token that ends it. A model that is trained on answers without an end learns not to stop.',
  check: (pipeline) =>
    pipeline.of('format').flatMap((checked) => {
      if (valueAt(checked, 'overflow') !== 'truncate') return [];
      const { span, because, byLibrary } = pipeline.place(checked, 'overflow');
      if (byLibrary) return [];
      return [
        {
          at: span,
          message: 'rows that are too long lose the end of their answer',
          label: because ?? 'cuts the answer and its end token',
          help: 'write `overflow = drop`, which counts and lists the rows, or raise `max_length`',
          fixes:
            because === undefined && pipeline.text(span) === 'truncate'
              ? [replace('write `drop`', span, 'drop', 'maybe_incorrect')]
              : [],
        },
      ];
    }),
};
