/** Rates, warm-up, clipping, epochs and early stopping of train stages. */

import { headingOf, propertyOf, referenceIn } from '../../check/stage-settings.js';
import type { CheckedStage } from '../../check/stages.js';
import { counted, insert, percentText, replace } from '../../diagnostics/make.js';
import { isQuantity } from '../../ir/values.js';
import {
  dataUnder,
  hasBottlenecks,
  hasSmallBase,
  isAdapter,
  isFromScratch,
  isHead,
  isVirtual,
  learnsOnce,
  objectiveOf,
  readFrom,
  stepsOf,
} from '../lineage.js';
import { callAt, expressionOf, numberAt, numberText, spanOf, valueAt } from '../places.js';
import { aboutValue, each, type Pipeline, type Rule } from '../rule.js';

/** The guide's ranges, and the rate that its examples use. A base of a few million parameters takes more than it says. */
const RATES = {
  adapter: { low: 1e-4, high: 3e-4, usual: 2e-4, small: { high: 1e-2, usual: 2e-3 }, name: 'LoRA and QLoRA' },
  full: { low: 1e-5, high: 5e-5, usual: 2e-5, small: { high: 1e-3, usual: 2e-4 }, name: 'full fine-tuning' },
} as const;

const MOST_EPOCHS = 3;
const WARMUP_SHARES = { low: 0.03, high: 0.1 } as const;
const CLIP_NORMS = { low: 0.3, high: 1 } as const;

/** Where it is given in steps, of all steps; `undefined` if their number is not known. */
function warmupShare(checked: CheckedStage, pipeline: Pipeline): number | undefined {
  const warmup = valueAt(checked, 'optimizer.schedule.warmup');
  if (!isQuantity(warmup)) return undefined;
  if (warmup.unit === 'ratio') return warmup.value;
  const steps = stepsOf(checked, pipeline);
  return steps === undefined ? undefined : warmup.value / steps;
}

export const trainingRules: readonly Rule[] = [
  {
    id: 'rate-out-of-range',
    code: 'FTP1001',
    level: 'warning',
    doc: 'A learning rate outside 1e-4 to 3e-4 for LoRA and QLoRA, or outside 1e-5 to 5e-5 for full fine-tuning; up to 1e-2 and 1e-3 if the base is on this machine and has at most 20 million parameters.',
    reason:
      'LoRA learns best at about ten times the rate of full fine-tuning. A rate above the range makes the loss oscillate or diverge; one below it learns little in a few epochs. Models of a few million parameters, such as the starter, take more.',
    check: each('train', (checked, pipeline) => {
      const rate = numberAt(checked, 'optimizer.rate');
      // Other optimisers have scales of their own; random weights want more than trained ones.
      const isAdam = callAt(checked, 'optimizer')?.call.startsWith('adamw') === true;
      if (rate === undefined || !isAdam || isFromScratch(checked, pipeline)) return undefined;
      if (isVirtual(checked) || hasBottlenecks(checked) || isHead(checked)) return undefined;
      // `preference-rate-too-high` says what is right there
      if (objectiveOf(checked) !== undefined) return undefined;
      const { small, ...large } = RATES[isAdapter(checked) ? 'adapter' : 'full'];
      const isSmall = hasSmallBase(checked, pipeline);
      const { low, high, usual, name } = isSmall ? { ...large, ...small } : large;
      if (rate >= low && rate <= high) return undefined;
      return aboutValue(pipeline.place(checked, 'optimizer.rate'), {
        message: `the rate ${numberText(rate)} is ${rate > high ? 'above' : 'below'} the range for ${name}${isSmall ? ' on a base of a few million parameters' : ''}`,
        label: `${numberText(low)} to ${numberText(high)} is usual`,
        help: `start with ${numberText(usual)}; ${rate > high ? 'too high a rate makes the loss oscillate or diverge' : 'too low a rate learns little'}`,
        write: numberText(usual),
      });
    }),
  },
  {
    id: 'too-many-epochs',
    code: 'FTP1004',
    level: 'warning',
    doc: 'More than 3 epochs.',
    reason:
      'With every epoch the model memorises more of these rows and forgets more of what it knew; 1 to 3 epochs limit both. A model that repeats itself endlessly has often seen its rows too often.',
    check: each('train', (checked, pipeline) => {
      const epochs = numberAt(checked, 'stop.epochs');
      if (epochs === undefined || epochs <= MOST_EPOCHS || isFromScratch(checked, pipeline)) return undefined;
      if (learnsOnce(checked)) return undefined;
      return aboutValue(pipeline.place(checked, 'stop.epochs'), {
        message: `${numberText(epochs)} epochs is more than ${MOST_EPOCHS}`,
        label: 'memorises the rows',
        help: '1 to 3 epochs are usual; with too few rows, more rows help more than more epochs',
        write: `${MOST_EPOCHS}`,
      });
    }),
  },
  {
    id: 'no-validation',
    code: 'FTP1005',
    level: 'warning',
    doc: 'A train stage without `validate`.',
    reason:
      'The training loss falls whether a model learns or memorises; only rows that it does not train on show which. Without them there is no best checkpoint, no early stopping, and overfitting shows after the release.',
    check: each('train', (checked, pipeline) => {
      if (checked.stage.settings['validate'] !== undefined) return undefined;
      const dataset = propertyOf(checked, 'dataset')?.key.span;
      const rows = referenceIn(checked, 'dataset');
      const data = dataUnder(checked, 'dataset', pipeline);
      const hasValid = data !== undefined && (numberAt(data, 'split.valid') ?? 0) > 0;
      const format = readFrom(checked, 'dataset', pipeline)?.block.name.text ?? rows?.stage;
      const line = format && `validate = ${format}.valid`;
      const write = dataset && insert(`write \`${line}\``, dataset.file, dataset.start, `${line}\n  `);
      return {
        at: headingOf(checked),
        message: `nothing validates the training of \`${checked.block.name.text}\``,
        label: 'no `validate`',
        help: hasValid
          ? `write \`${line}\``
          : `give \`valid\` a share in the \`split\`${data === undefined ? '' : ` of \`${data.block.name.text}\``}, and write \`${line ?? 'validate = …'}\``,
        fixes:
          hasValid && write && rows?.port === 'train' ? [{ ...write, applicability: 'maybe_incorrect' }] : [],
      };
    }),
  },
  {
    id: 'no-early-stopping',
    code: 'FTP1006',
    level: 'warning',
    doc: 'A train stage that validates and has no `patience`.',
    reason:
      'Once the validation loss no longer falls, every further step costs time and makes the model forget. `patience` ends the training there; the best checkpoint is kept either way.',
    check: each('train', (checked) => {
      // Without validation there is nothing to be patient with: `no-validation` says so.
      if (checked.stage.settings['validate'] === undefined) return undefined;
      if (numberAt(checked, 'stop.patience') !== undefined) return undefined;
      const stop = expressionOf(checked, 'stop');
      const last = stop?.kind === 'record' ? stop.entries.at(-1)?.value.span : undefined;
      const after = last && { ...last, start: last.end };
      return {
        at: spanOf(checked, 'stop'),
        message: `\`${checked.block.name.text}\` keeps training when validation no longer improves`,
        label: 'no `patience`',
        help: 'write `patience: 3` in `stop`: that many validations without an improvement end the training',
        fixes: after && [replace('write `patience: 3`', after, ', patience: 3', 'maybe_incorrect')],
      };
    }),
  },
  {
    id: 'warmup-out-of-range',
    code: 'FTP1010',
    level: 'warning',
    doc: 'A warm-up outside 3 to 10 % of the steps, or none.',
    reason:
      'In the first steps the optimiser has no gradient statistics yet, and the full rate disturbs the weights. A rising rate over 3 to 10 % of the steps avoids that; a longer warm-up wastes steps.',
    check: each('train', (checked, pipeline) => {
      const optimizer = callAt(checked, 'optimizer');
      if (optimizer === undefined || isFromScratch(checked, pipeline)) return undefined;
      if (!Object.hasOwn(optimizer.args, 'schedule'))
        return {
          at: pipeline.place(checked, 'optimizer').span,
          message: `\`${checked.block.name.text}\` starts at the full rate`,
          label: 'no schedule, no warm-up',
          help: 'write `schedule: cosine(warmup: 3%)`',
        };
      const share = warmupShare(checked, pipeline);
      if (share === undefined) return undefined;
      const isLow = share < WARMUP_SHARES.low;
      if (!isLow && share <= WARMUP_SHARES.high) return undefined;
      return aboutValue(pipeline.place(checked, 'optimizer.schedule.warmup'), {
        message: `a warm-up of ${percentText(share)} of the steps is ${isLow ? 'less than 3%' : 'more than 10%'}`,
        label: '3% to 10% is usual',
        help: isLow
          ? 'the full rate in the first steps disturbs the weights'
          : 'steps at a low rate teach little',
        write: isLow ? '3%' : '10%',
      });
    }),
  },
  {
    id: 'clip-out-of-range',
    code: 'FTP1023',
    level: 'info',
    doc: 'Gradients clipped at a norm outside 0.3 to 1.',
    reason:
      'Clipping keeps an unusual batch from disturbing the weights. At a norm of 0.3 to 1 it affects only such batches; a higher norm rarely clips, and a lower one clips every step.',
    check: each('train', (checked, pipeline) => {
      const clip = numberAt(checked, 'optimizer.clip');
      if (clip === undefined || isFromScratch(checked, pipeline)) return undefined;
      const isLow = clip < CLIP_NORMS.low;
      if (!isLow && clip <= CLIP_NORMS.high) return undefined;
      return aboutValue(pipeline.place(checked, 'optimizer.clip'), {
        message: `gradients are clipped at a norm of ${numberText(clip)}`,
        label: '0.3 to 1 is usual',
        help: isLow ? 'so low a norm clips every step' : 'so high a norm rarely clips',
        write: numberText(isLow ? CLIP_NORMS.low : CLIP_NORMS.high),
      });
    }),
  },
  {
    id: 'patience-out-of-reach',
    code: 'FTP1025',
    level: 'info',
    doc: 'A `patience` that cannot run out, because training validates too rarely.',
    reason:
      'Training is validated every `validation.every` steps, or else every `checkpoint.every`. If it ends before `patience` further validations, early stopping never happens.',
    check: each('train', (checked, pipeline) => {
      const ownEvery = numberAt(checked, 'validation.every');
      const [patience, every] = [
        numberAt(checked, 'stop.patience'),
        ownEvery ?? numberAt(checked, 'checkpoint.every'),
      ];
      const steps = stepsOf(checked, pipeline);
      if (patience === undefined || every === undefined || steps === undefined) return undefined;
      // The first validation sets the mark that the later ones are held against.
      const validations = Math.floor(steps / every);
      if (validations > patience) return undefined;
      const often = Math.max(1, Math.floor(steps / (3 * (patience + 1))));
      const times = counted(validations, 'validation').replace(/^0/, 'no');
      return aboutValue(pipeline.place(checked, 'stop.patience'), {
        message: `early stopping cannot happen: there ${validations === 1 ? 'is' : 'are'} ${times} in ${counted(steps, 'step')}`,
        label: `waits for ${patience} after the best one`,
        help: `validate more often: \`${ownEvery === undefined ? 'checkpoint' : 'validation'} = { every: ${often}steps }\``,
      });
    }),
  },
];
