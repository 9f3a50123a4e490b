import { replace } from '../../diagnostics/make.js';
import { hasBottlenecks, isAdapter, isFromScratch, isHead, isVirtual } from '../lineage.js';
import type { Rule } from '../types.js';
import { callAt, numberAt, numberText } from '../values.js';

/** The guide's ranges, and the rate that its examples use. */
const RANGES = {
  adapter: { low: 1e-4, high: 3e-4, usual: 2e-4, name: 'LoRA and QLoRA' },
  full: { low: 1e-5, high: 5e-5, usual: 2e-5, name: 'full fine-tuning' },
} as const;

export const rateOutOfRange: Rule = {
  id: 'rate-out-of-range',
  code: 'FTP1001',
  level: 'warning',
  doc: 'A learning rate outside 1e-4 to 3e-4 for LoRA and QLoRA, or outside 1e-5 to 5e-5 for full fine-tuning.',
  reason:
    'LoRA learns best at about ten times the rate of full fine-tuning. A rate above the range makes the loss oscillate or diverge; one below it learns little in a few epochs. Models of a few million parameters take more: say so with `// allow(rate-out-of-range): …`.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const rate = numberAt(checked, 'optimizer.rate');
      // Other optimisers have scales of their own; random weights want more than trained ones.
      const isAdam = callAt(checked, 'optimizer')?.call.startsWith('adamw') === true;
      if (rate === undefined || !isAdam || isFromScratch(checked, pipeline)) return [];
      if (isVirtual(checked) || hasBottlenecks(checked) || isHead(checked)) return [];
      const { low, high, usual, name } = RANGES[isAdapter(checked) ? 'adapter' : 'full'];
      if (rate >= low && rate <= high) return [];
      const { span, literal, because, byLibrary } = pipeline.place(checked, 'optimizer.rate');
      if (byLibrary) return [];
      const range = `${numberText(low)} to ${numberText(high)}`;
      return [
        {
          at: span,
          message: `the rate ${numberText(rate)} is ${rate > high ? 'above' : 'below'} the range for ${name}`,
          label: because ?? `${range} is usual`,
          help: `start with ${numberText(usual)}; ${rate > high ? 'too high a rate makes the loss oscillate or diverge' : 'too low a rate learns little'}`,
          fixes: literal
            ? [replace(`write \`${numberText(usual)}\``, span, numberText(usual), 'maybe_incorrect')]
            : [],
        },
      ];
    }),
};
