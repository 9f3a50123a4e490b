import { replace } from '../../diagnostics/make.js';
import { hasNoFactors, isAdapter } from '../lineage.js';
import type { Rule } from '../types.js';
import { numberAt, numberText, valueAt } from '../values.js';

/** The update is scaled by alpha ÷ rank, with rsLoRA by alpha ÷ √rank: as strong as it is, or twice. */
const SCALES = { low: 1, high: 2 } as const;

export const alphaOutOfProportion: Rule = {
  id: 'alpha-out-of-proportion',
  code: 'FTP1002',
  level: 'warning',
  doc: 'An `alpha` that is not between `rank` and twice `rank` (with rsLoRA: between √rank and twice that).',
  reason:
    'The update of an adapter is scaled by alpha ÷ rank, which acts like a factor on the learning rate. The usual choice is alpha = 2 × rank; a rank that is raised without its alpha trains at a lower rate than the file says.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const [rank, alpha] = [numberAt(checked, 'lora.rank'), numberAt(checked, 'lora.alpha')];
      if (rank === undefined || alpha === undefined || !isAdapter(checked) || hasNoFactors(checked))
        return [];
      const divisor = valueAt(checked, 'lora.rslora') === true ? Math.sqrt(rank) : rank;
      const scale = alpha / divisor;
      if (scale >= SCALES.low && scale <= SCALES.high) return [];
      const isSet = checked.stage.origins['lora.alpha'] !== 'default';
      const { span, literal, because, byLibrary } = pipeline.place(
        checked,
        isSet ? 'lora.alpha' : 'lora.rank',
      );
      if (byLibrary) return [];
      const usual = numberText(Math.round(SCALES.high * divisor));
      return [
        {
          at: span,
          message: `alpha ${numberText(alpha)} scales the update of rank ${rank} by ${numberText(Number(scale.toPrecision(2)))}`,
          label:
            because ??
            (isSet ? 'out of proportion to the rank' : `\`alpha\` defaults to ${numberText(alpha)}`),
          help: `a scale of 1 to 2 is usual: write \`alpha: ${usual}\``,
          fixes: !literal
            ? []
            : isSet
              ? [replace(`write \`${usual}\``, span, usual, 'maybe_incorrect')]
              : [
                  replace(
                    `write \`alpha: ${usual}\` too`,
                    { ...span, start: span.end },
                    `, alpha: ${usual}`,
                    'maybe_incorrect',
                  ),
                ],
        },
      ];
    }),
};
