/** Rows of data stages, and how format stages cut and weigh them. */
import { headingOf, referenceIn } from '../../check/stage-settings.js';
import type { CheckedStage } from '../../check/stages.js';
import { counted, insert, percentText, rewrite } from '../../diagnostics/make.js';
import { isCall, isList } from '../../ir/values.js';
import { isShipped } from '../../schemas/functions/source.js';
import { settingsOf } from '../../schemas/stages/settings.js';
import {
  dataUnder,
  hasSyntheticRows,
  isFromScratch,
  objectiveOf,
  readsLabels,
  trainRows,
} from '../lineage.js';
import { callAt, expressionOf, numberAt, spanOf, valueAt } from '../places.js';
import { aboutValue, each, type Pipeline, type Rule } from '../rule.js';

const FEWEST_ROWS = 500;
const GENERAL_SHARES = { low: 0.05, high: 0.1 } as const;

/** Templates that have a question and an answer. */
const ASKING = new Set(['chat', 'alpaca', 'sharegpt']);

/** A model that starts from random weights has the language of the questions to learn. */
const teachesFromScratch = (format: CheckedStage, pipeline: Pipeline): boolean =>
  pipeline
    .of('train')
    .filter((checked) => referenceIn(checked, 'dataset')?.stage === format.stage.name)
    .some((checked) => isFromScratch(checked, pipeline));

/** The data stages under trainings of texts that do not start from nothing: neither labels nor preferences are general rows. */
const dataToMix = (pipeline: Pipeline): readonly CheckedStage[] => {
  const trained = pipeline
    .of('train')
    .filter((checked) => !isFromScratch(checked, pipeline) && !readsLabels(checked, pipeline))
    .filter((checked) => objectiveOf(checked) === undefined);
  const data = trained.flatMap((checked) => dataUnder(checked, 'dataset', pipeline) ?? []);
  return [...new Set(data)].filter((checked) => !hasSyntheticRows(checked));
};

/** Rows that come with ftpc have no duplicates. */
const isAllShipped = ({ stage }: CheckedStage): boolean =>
  [settingsOf(stage, 'data').source].flat().every(isShipped);

export const dataRules: readonly Rule[] = [
  {
    id: 'too-few-rows',
    code: 'FTP1008',
    level: 'warning',
    doc: 'Fewer than 500 rows to train on.',
    reason:
      'A model needs at least 500 to 1,000 good rows to learn the task instead of the rows. Quality matters more: 500 rows checked by people teach more than 50,000 scraped ones.',
    check: each('train', (checked, pipeline) => {
      const rows = trainRows(checked, pipeline);
      if (rows === undefined || rows.train >= FEWEST_ROWS) return undefined;
      return {
        at: spanOf(checked, 'dataset'),
        message: `\`${checked.block.name.text}\` trains on ${counted(rows.train, 'row')} at most`,
        label: `fewer than ${FEWEST_ROWS}`,
        related: [
          { at: spanOf(rows.data, 'source'), message: `${counted(rows.most, 'row')}, before any is dropped` },
        ],
        help: `collect at least ${FEWEST_ROWS} rows, or give training a larger share of them`,
      };
    }),
  },
  {
    id: 'no-general-mix',
    code: 'FTP1009',
    level: 'warning',
    doc: 'Training rows without 5 to 10 % of general rows.',
    reason:
      'A model that sees only one subject forgets what it knew about others (catastrophic forgetting); adapters forget less than full fine-tuning, but they do forget. 5 to 10 % of general rows prevent that; more dilute the subject.',
    check: (pipeline) =>
      dataToMix(pipeline).flatMap((checked) => {
        const share = numberAt(checked, 'mix.share');
        // of several sources, those may be general that are not the first
        if (isList(valueAt(checked, 'mix'))) return [];
        if (share === undefined)
          return {
            at: headingOf(checked),
            message: `\`${checked.block.name.text}\` has no general rows`,
            label: 'no `mix`',
            help: 'write `mix = { general: jsonl("…"), share: 5% }`, so that the model retains what it knows',
          };
        const isLow = share < GENERAL_SHARES.low;
        if (!isLow && share <= GENERAL_SHARES.high) return [];
        const { span, literal, because } = pipeline.place(checked, 'mix.share');
        return {
          at: span,
          message: `${percentText(share)} of general rows is ${isLow ? 'less than 5%' : 'more than 10%'}`,
          label: because ?? '5% to 10% is usual',
          help: isLow ? 'too few of them do not prevent forgetting' : 'too many of them dilute the subject',
          fixes: literal ? [rewrite(span, isLow ? '5%' : '10%')] : [],
        };
      }),
  },
  {
    id: 'no-deduplication',
    code: 'FTP1018',
    level: 'warning',
    doc: 'Rows whose duplicates are kept.',
    reason:
      'A row that appears ten times in the data gets ten times the weight, and one copy in the test split is enough to make the evaluation measure memorisation. Models that repeat themselves were often trained on repetitions.',
    check: each('data', (checked) => {
      const ways = valueAt(checked, 'dedupe');
      if ((isList(ways) && ways.length > 0) || hasSyntheticRows(checked) || isAllShipped(checked))
        return undefined;
      return {
        at: headingOf(checked),
        message: `\`${checked.block.name.text}\` keeps duplicate rows`,
        label: 'no `dedupe`',
        help: 'write `dedupe = [exact, near(0.9)]`',
      };
    }),
  },
  {
    id: 'no-near-deduplication',
    code: 'FTP1019',
    level: 'info',
    doc: 'Rows of which only exact duplicates are dropped.',
    reason:
      'Copies usually differ by a date, a name or a comma. Nearly equal rows on both sides of a split leak just as equal rows do.',
    check: each('data', (checked) => {
      const ways = valueAt(checked, 'dedupe');
      const list = expressionOf(checked, 'dedupe');
      if (!isList(ways) || ways.length === 0) return undefined;
      // A preset's choice is the preset's.
      if (list?.kind !== 'list' || ways.some((way) => isCall(way) && way.call === 'near')) return undefined;
      const end = list.items.at(-1)?.span.end ?? list.span.end;
      const add = insert('add `near(0.9)`', list.span.file, end, ', near(0.9)');
      return {
        at: list.span,
        message: 'near-duplicate rows are kept',
        label: 'no `near`',
        help: 'write `dedupe = [exact, near(0.9)]`',
        fixes: [{ ...add, applicability: 'maybe_incorrect' }],
      };
    }),
  },
  {
    id: 'overflow-truncates',
    code: 'FTP1020',
    level: 'info',
    doc: '`overflow = truncate`: long rows lose their end.',
    reason:
      'What is cut off is the end of the answer and the token that ends it. A model that is trained on answers without an end learns not to stop.',
    check: each('format', (checked, pipeline) => {
      if (valueAt(checked, 'overflow') !== 'truncate') return undefined;
      const place = pipeline.place(checked, 'overflow');
      return aboutValue(place, {
        message: 'rows that are too long lose the end of their answer',
        label: 'cuts the answer and its end token',
        help: 'write `overflow = drop`, which counts and lists the rows, or raise `max_length`',
        write: 'drop',
        isWritten: place.because === undefined && pipeline.text(place.span) === 'truncate',
      });
    }),
  },
  {
    id: 'loss-on-prompt',
    code: 'FTP1021',
    level: 'info',
    doc: '`loss_on = all` with rows that have a question and an answer.',
    reason:
      'The question is given; the model does not have to write it. If the loss includes it, the model mostly learns how people ask, and short answers to long questions hardly count.',
    check: each('format', (checked, pipeline) => {
      if (valueAt(checked, 'loss_on') !== 'all') return undefined;
      const asks = ASKING.has(callAt(checked, 'template')?.call ?? '');
      if (!asks || teachesFromScratch(checked, pipeline)) return undefined;
      const place = pipeline.place(checked, 'loss_on');
      return aboutValue(place, {
        message: 'the loss includes the questions',
        label: 'learns to ask as well as to answer',
        help: 'write `loss_on = assistant`',
        write: 'assistant',
        isWritten: place.because === undefined && pipeline.text(place.span) === 'all',
      });
    }),
  },
];
