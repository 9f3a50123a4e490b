import { hasNoFactors, isAdapter } from '../lineage.js';
import type { Rule } from '../types.js';
import { numberAt } from '../values.js';

const LEAST = 8;

export const rankTooLow: Rule = {
  id: 'rank-too-low',
  code: 'FTP1024',
  level: 'info',
  doc: 'An adapter with a rank below 8.',
  reason:
    'A rank of 8 is enough for a style or a simple domain, 16 for instructions, 32 to 64 for code and mathematics, 128 and more to match full fine-tuning. Below 8, an adapter can learn little.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const rank = numberAt(checked, 'lora.rank');
      if (rank === undefined || rank >= LEAST || !isAdapter(checked) || hasNoFactors(checked)) return [];
      const { span, because, byLibrary } = pipeline.place(checked, 'lora.rank');
      if (byLibrary) return [];
      return [
        {
          at: span,
          message: `a rank of ${rank} is below ${LEAST}`,
          label: because ?? 'limits what can be learned',
          help: 'use a rank of 8 for style and simple domains, 16 for instructions; change `alpha` with it',
        },
      ];
    }),
};
