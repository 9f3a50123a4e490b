import { replace } from '../../diagnostics/make.js';
import { isFromScratch } from '../lineage.js';
import type { Rule } from '../types.js';
import { numberAt, numberText } from '../values.js';

const MOST = 3;

export const tooManyEpochs: Rule = {
  id: 'too-many-epochs',
  code: 'FTP1004',
  level: 'warning',
  doc: 'More than 3 epochs.',
  reason:
    'With every epoch the model memorises more of these rows and forgets more of what it knew; 1 to 3 epochs limit both. A model that repeats itself endlessly has often seen its rows too often.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const epochs = numberAt(checked, 'stop.epochs');
      if (epochs === undefined || epochs <= MOST || isFromScratch(checked, pipeline)) return [];
      const { span, literal, because, byLibrary } = pipeline.place(checked, 'stop.epochs');
      if (byLibrary) return [];
      return [
        {
          at: span,
          message: `${numberText(epochs)} epochs is more than ${MOST}`,
          label: because ?? 'memorises the rows',
          help: '1 to 3 epochs are usual; with too few rows, more rows help more than more epochs',
          fixes: literal ? [replace(`write \`${MOST}\``, span, `${MOST}`, 'maybe_incorrect')] : [],
        },
      ];
    }),
};
