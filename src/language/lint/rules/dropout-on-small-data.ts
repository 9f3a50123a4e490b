import { replace } from '../../diagnostics/make.js';
import { dataUnder, hasNoFactors, isAdapter } from '../lineage.js';
import type { Rule } from '../types.js';
import { numberAt, percent } from '../values.js';

/** Upper end of what the guide calls the least number of rows. */
const SMALL = 1000;
const LEAST = 0.05;

export const dropoutOnSmallData: Rule = {
  id: 'dropout-on-small-data',
  code: 'FTP1022',
  level: 'info',
  doc: 'An adapter with less than 5 % dropout on fewer than 1,000 rows.',
  reason:
    'A model soon memorises a few rows. A dropout of 5 to 10 % in the adapter counteracts that and costs nothing once the adapter is merged.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const dropout = numberAt(checked, 'lora.dropout');
      const data = dataUnder(checked, 'dataset', pipeline);
      const rows = data === undefined ? undefined : pipeline.rows(data);
      if (
        dropout === undefined ||
        rows === undefined ||
        !isAdapter(checked) ||
        hasNoFactors(checked) ||
        dropout >= LEAST
      )
        return [];
      const train = Math.round(rows.most * rows.trainShare);
      if (train >= SMALL) return [];
      const isSet = checked.stage.origins['lora.dropout'] !== 'default';
      const { span, literal, because, byLibrary } = pipeline.place(checked, isSet ? 'lora.dropout' : 'lora');
      if (byLibrary) return [];
      return [
        {
          at: span,
          message: `${isSet ? `a dropout of ${percent(dropout)}` : 'no dropout'} on ${train} rows at most`,
          label: because ?? 'is soon memorised',
          help: 'write `dropout: 5%` in `lora`; 5% to 10% is usual for small data',
          fixes: isSet && literal ? [replace('write `5%`', span, '5%', 'maybe_incorrect')] : [],
        },
      ];
    }),
};
