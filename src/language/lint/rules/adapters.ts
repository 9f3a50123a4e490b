/** Rank, alpha, targets and dropout of low-rank adapters. */
import type { CheckedStage } from '../../check/stages.js';
import { percentText, replace } from '../../diagnostics/make.js';
import { namesOuter } from '../../schemas/stages/train.js';
import { hasNoFactors, isAdapter, objectiveOf, trainRows } from '../lineage.js';
import { numberAt, numberText, valueAt } from '../places.js';
import { aboutValue, each, type Rule } from '../rule.js';

/** Rank, alpha and targets say nothing of other trainings. */
const hasFactors = (checked: CheckedStage): boolean => isAdapter(checked) && !hasNoFactors(checked);

/** The update is scaled by alpha ÷ rank, with rsLoRA by alpha ÷ √rank: as strong as it is, or twice. */
const SCALES = { low: 1, high: 2 } as const;

const MLP =
  /(?:^|\.)(?:gate_proj|up_proj|down_proj|gate_up_proj|c_fc|mlp\.c_proj|dense_h_to_4h|dense_4h_to_h)$/;

const EXPERTS = /(?:^|\.)experts\./;

/** What `targets` names, or its one set. */
function targetsOf(checked: CheckedStage): readonly string[] {
  const targets = valueAt(checked, 'lora.targets');
  if (typeof targets === 'string') return [targets];
  return Array.isArray(targets) ? targets.map(String) : [];
}

const LEAST_RANK = 8;

/** Upper end of what the guide calls the least number of rows. */
const SMALL_DATA = 1000;
const LEAST_DROPOUT = 0.05;

export const adapterRules: readonly Rule[] = [
  {
    id: 'alpha-out-of-proportion',
    code: 'FTP1002',
    level: 'warning',
    doc: 'An `alpha` that is not between `rank` and twice `rank` (with rsLoRA: between √rank and twice that).',
    reason:
      'The update of an adapter is scaled by alpha ÷ rank, which acts like a factor on the learning rate. The usual choice is alpha = 2 × rank; a rank that is raised without its alpha trains at a lower rate than the file says.',
    check: each('train', (checked, pipeline) => {
      const [rank, alpha] = [numberAt(checked, 'lora.rank'), numberAt(checked, 'lora.alpha')];
      if (rank === undefined || alpha === undefined || !hasFactors(checked)) return undefined;
      const divisor = valueAt(checked, 'lora.rslora') === true ? Math.sqrt(rank) : rank;
      const scale = alpha / divisor;
      if (scale >= SCALES.low && scale <= SCALES.high) return undefined;
      const isSet = checked.stage.origins['lora.alpha'] !== 'default';
      const place = pipeline.place(checked, isSet ? 'lora.alpha' : 'lora.rank');
      const usual = numberText(Math.round(SCALES.high * divisor));
      const after = { ...place.span, start: place.span.end };
      const add = replace(`write \`alpha: ${usual}\` too`, after, `, alpha: ${usual}`, 'maybe_incorrect');
      return aboutValue(place, {
        message: `alpha ${numberText(alpha)} scales the update of rank ${rank} by ${numberText(Number(scale.toPrecision(2)))}`,
        label: isSet ? 'out of proportion to the rank' : `\`alpha\` defaults to ${numberText(alpha)}`,
        help: `a scale of 1 to 2 is usual: write \`alpha: ${usual}\``,
        ...(isSet ? { write: usual } : { fixes: place.literal ? [add] : [] }),
      });
    }),
  },
  {
    id: 'targets-without-mlp',
    code: 'FTP1003',
    level: 'warning',
    doc: 'An adapter on attention layers only.',
    reason:
      'LoRA must be applied to the MLP layers as well as to attention to reach what full fine-tuning reaches (arXiv:2410.21228); they have most of the parameters of a block. Attention alone saves memory at the cost of quality.',
    check: each('train', (checked, pipeline) => {
      const names = targetsOf(checked);
      if (!hasFactors(checked) || names.length === 0) return undefined;
      if (names.includes('all_linear') || names.some((name) => MLP.test(name))) return undefined;
      const place = pipeline.place(checked, 'lora.targets');
      return aboutValue(place, {
        message: 'the adapter skips the MLP layers',
        label: 'attention only',
        help: 'write `targets: all_linear`; a lower rank saves memory at less cost in quality',
        write: 'all_linear',
        // A choice such as `attention` reads as a name.
        isWritten: place.literal || pipeline.text(place.span) === valueAt(checked, 'lora.targets'),
      });
    }),
  },
  {
    id: 'dropout-on-small-data',
    code: 'FTP1022',
    level: 'info',
    doc: 'An adapter with less than 5 % dropout on fewer than 1,000 rows.',
    reason:
      'A model soon memorises a few rows. A dropout of 5 to 10 % in the adapter counteracts that and costs nothing once the adapter is merged.',
    check: each('train', (checked, pipeline) => {
      const dropout = numberAt(checked, 'lora.dropout');
      if (dropout === undefined || dropout >= LEAST_DROPOUT || !hasFactors(checked)) return undefined;
      // preferences are learned without: what both answers draw hides how they differ
      if (objectiveOf(checked) !== undefined) return undefined;
      // there is no dropout over experts
      if (targetsOf(checked).some((name) => EXPERTS.test(name))) return undefined;
      const rows = trainRows(checked, pipeline);
      if (rows === undefined || rows.train >= SMALL_DATA) return undefined;
      const isSet = checked.stage.origins['lora.dropout'] !== 'default';
      return aboutValue(pipeline.place(checked, isSet ? 'lora.dropout' : 'lora'), {
        message: `${isSet ? `a dropout of ${percentText(dropout)}` : 'no dropout'} on ${rows.train} rows at most`,
        label: 'few rows are soon memorised',
        help: 'write `dropout: 5%` in `lora`; 5% to 10% is usual for small data',
        write: isSet ? '5%' : undefined,
      });
    }),
  },
  {
    id: 'embedding-on-small-data',
    code: 'FTP2333',
    level: 'info',
    doc: 'An adapter over the embedding or the head on fewer than 1,000 rows.',
    reason:
      'Factors over the embedding learn of the tokens that occur in the rows, and those over the head change how likely every token is. A few rows have a small part of the vocabulary and say little of the rest; what they teach, the layers of the blocks can learn. The factors, their gradients and moments are as long as the vocabulary.',
    check: each('train', (checked, pipeline) => {
      const outer = targetsOf(checked).find(namesOuter);
      if (outer === undefined || !hasFactors(checked)) return undefined;
      const rows = trainRows(checked, pipeline);
      if (rows === undefined || rows.train >= SMALL_DATA) return undefined;
      return aboutValue(pipeline.place(checked, 'lora.targets'), {
        message: `\`${outer}\` has an adapter, and ${rows.train} rows at most are trained on`,
        label: 'few of its tokens occur',
        help: `remove \`${outer}\` from \`targets\`, unless the rows have tokens or a script that the base hardly knows`,
      });
    }),
  },
  {
    id: 'rank-too-low',
    code: 'FTP1024',
    level: 'info',
    doc: 'An adapter with a rank below 8.',
    reason:
      'A rank of 8 is enough for a style or a simple domain, 16 for instructions, 32 to 64 for code and mathematics, 128 and more to match full fine-tuning. Below 8, an adapter can learn little.',
    check: each('train', (checked, pipeline) => {
      const rank = numberAt(checked, 'lora.rank');
      if (rank === undefined || rank >= LEAST_RANK || !hasFactors(checked)) return undefined;
      return aboutValue(pipeline.place(checked, 'lora.rank'), {
        message: `a rank of ${rank} is below ${LEAST_RANK}`,
        label: 'limits what can be learned',
        help: 'use a rank of 8 for style and simple domains, 16 for instructions; change `alpha` with it',
      });
    }),
  },
];
