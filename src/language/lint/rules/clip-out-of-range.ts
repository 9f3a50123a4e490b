import { replace } from '../../diagnostics/make.js';
import { isFromScratch } from '../lineage.js';
import type { Rule } from '../types.js';
import { numberAt, numberText } from '../values.js';

const NORMS = { low: 0.3, high: 1 } as const;

export const clipOutOfRange: Rule = {
  id: 'clip-out-of-range',
  code: 'FTP1023',
  level: 'info',
  doc: 'Gradients clipped at a norm outside 0.3 to 1.',
  reason:
    'Clipping keeps an unusual batch from disturbing the weights. At a norm of 0.3 to 1 it affects only such batches; a higher norm rarely clips, and a lower one clips every step.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const clip = numberAt(checked, 'optimizer.clip');
      if (clip === undefined || isFromScratch(checked, pipeline)) return [];
      if (clip >= NORMS.low && clip <= NORMS.high) return [];
      const { span, literal, because, byLibrary } = pipeline.place(checked, 'optimizer.clip');
      if (byLibrary) return [];
      const usual = numberText(clip < NORMS.low ? NORMS.low : NORMS.high);
      return [
        {
          at: span,
          message: `gradients are clipped at a norm of ${numberText(clip)}`,
          label: because ?? '0.3 to 1 is usual',
          help: clip < NORMS.low ? 'so low a norm clips every step' : 'so high a norm rarely clips',
          fixes: literal ? [replace(`write \`${usual}\``, span, usual, 'maybe_incorrect')] : [],
        },
      ];
    }),
};
