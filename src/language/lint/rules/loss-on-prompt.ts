import { referenceIn } from '../../check/stage-settings.js';
import type { CheckedStage } from '../../check/stages.js';
import { replace } from '../../diagnostics/make.js';
import { isFromScratch } from '../lineage.js';
import type { Pipeline, Rule } from '../types.js';
import { callAt, valueAt } from '../values.js';

/** Templates that have a question and an answer. */
const ASKING = new Set(['chat', 'alpaca', 'sharegpt']);

export const lossOnPrompt: Rule = {
  id: 'loss-on-prompt',
  code: 'FTP1021',
  level: 'info',
  doc: '`loss_on = all` with rows that have a question and an answer.',
  reason:
    'The question is given; the model does not have to write it. If the loss includes it, the model mostly learns how people ask, and short answers to long questions hardly count.',
  check: (pipeline) =>
    pipeline.of('format').flatMap((checked) => {
      if (valueAt(checked, 'loss_on') !== 'all') return [];
      if (!ASKING.has(callAt(checked, 'template')?.call ?? '') || teachesFromScratch(checked, pipeline))
        return [];
      const { span, because, byLibrary } = pipeline.place(checked, 'loss_on');
      if (byLibrary) return [];
      return [
        {
          at: span,
          message: 'the loss includes the questions',
          label: because ?? 'learns to ask as well as to answer',
          help: 'write `loss_on = assistant`',
          fixes:
            because === undefined && pipeline.text(span) === 'all'
              ? [replace('write `assistant`', span, 'assistant', 'maybe_incorrect')]
              : [],
        },
      ];
    }),
};

/** A model that starts from random weights has the language of the questions to learn. */
const teachesFromScratch = (format: CheckedStage, pipeline: Pipeline): boolean =>
  pipeline
    .of('train')
    .filter((checked) => referenceIn(checked, 'dataset')?.stage === format.stage.name)
    .some((checked) => isFromScratch(checked, pipeline));
