import { headingOf } from '../../check/stage-settings.js';
import { replace } from '../../diagnostics/make.js';
import { dataUnder, hasSyntheticRows, isFromScratch, readsLabels } from '../lineage.js';
import type { Rule } from '../types.js';
import { numberAt, percent } from '../values.js';

const SHARES = { low: 0.05, high: 0.1 } as const;

export const noGeneralMix: Rule = {
  id: 'no-general-mix',
  code: 'FTP1009',
  level: 'warning',
  doc: 'Training rows without 5 to 10 % of general rows.',
  reason:
    'A model that sees only one subject forgets what it knew about others (catastrophic forgetting); adapters forget less than full fine-tuning, but they do forget. 5 to 10 % of general rows prevent that; more dilute the subject.',
  check: (pipeline) => {
    // A classifier does nothing but what it is trained for.
    const trained = pipeline
      .of('train')
      .filter((checked) => !isFromScratch(checked, pipeline) && !readsLabels(checked, pipeline));
    const data = trained.flatMap((checked) => dataUnder(checked, 'dataset', pipeline) ?? []);
    return [...new Set(data)]
      .filter((checked) => !hasSyntheticRows(checked))
      .flatMap((checked) => {
        const share = numberAt(checked, 'mix.share');
        if (share === undefined)
          return [
            {
              at: headingOf(checked),
              message: `\`${checked.block.name.text}\` has no general rows`,
              label: 'no `mix`',
              help: 'write `mix = { general: jsonl("…"), share: 5% }`, so that the model retains what it knows',
            },
          ];
        if (share >= SHARES.low && share <= SHARES.high) return [];
        const { span, literal, because } = pipeline.place(checked, 'mix.share');
        const usual = share < SHARES.low ? '5%' : '10%';
        return [
          {
            at: span,
            message: `${percent(share)} of general rows is ${share < SHARES.low ? 'less than 5%' : 'more than 10%'}`,
            label: because ?? '5% to 10% is usual',
            help:
              share < SHARES.low
                ? 'too few of them do not prevent forgetting'
                : 'too many of them dilute the subject',
            fixes: literal ? [replace(`write \`${usual}\``, span, usual, 'maybe_incorrect')] : [],
          },
        ];
      });
  },
};
