import type { CheckedStage } from '../../check/stages.js';
import { replace } from '../../diagnostics/make.js';
import { isQuantity } from '../../ir/values.js';
import { isFromScratch } from '../lineage.js';
import { stepsOf } from '../steps.js';
import type { Pipeline, Rule } from '../types.js';
import { callAt, percent, valueAt } from '../values.js';

const SHARES = { low: 0.03, high: 0.1 } as const;

export const warmupOutOfRange: Rule = {
  id: 'warmup-out-of-range',
  code: 'FTP1010',
  level: 'warning',
  doc: 'A warm-up outside 3 to 10 % of the steps, or none.',
  reason:
    'In the first steps the optimiser has no gradient statistics yet, and the full rate disturbs the weights. A rising rate over 3 to 10 % of the steps avoids that; a longer warm-up wastes steps.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const optimizer = callAt(checked, 'optimizer');
      if (optimizer === undefined || isFromScratch(checked, pipeline)) return [];
      if (!Object.hasOwn(optimizer.args, 'schedule')) {
        const { span } = pipeline.place(checked, 'optimizer');
        return [
          {
            at: span,
            message: `\`${checked.block.name.text}\` starts at the full rate`,
            label: 'no schedule, no warm-up',
            help: 'write `schedule: cosine(warmup: 3%)`',
          },
        ];
      }
      const share = warmupShare(checked, pipeline);
      if (share === undefined || (share >= SHARES.low && share <= SHARES.high)) return [];
      const { span, literal, because, byLibrary } = pipeline.place(checked, 'optimizer.schedule.warmup');
      if (byLibrary) return [];
      const usual = share < SHARES.low ? '3%' : '10%';
      return [
        {
          at: span,
          message: `a warm-up of ${percent(share)} of the steps is ${share < SHARES.low ? 'less than 3%' : 'more than 10%'}`,
          label: because ?? '3% to 10% is usual',
          help:
            share < SHARES.low
              ? 'the full rate in the first steps disturbs the weights'
              : 'steps at a low rate teach little',
          fixes: literal ? [replace(`write \`${usual}\``, span, usual, 'maybe_incorrect')] : [],
        },
      ];
    }),
};

/** Where it is given in steps, of all steps; `undefined` if their number is not known. */
function warmupShare(checked: CheckedStage, pipeline: Pipeline): number | undefined {
  const warmup = valueAt(checked, 'optimizer.schedule.warmup');
  if (!isQuantity(warmup)) return undefined;
  if (warmup.unit === 'ratio') return warmup.value;
  const steps = stepsOf(checked, pipeline);
  return steps === undefined ? undefined : warmup.value / steps;
}
