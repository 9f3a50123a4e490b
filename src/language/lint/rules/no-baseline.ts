import { headingOf, referenceIn } from '../../check/stage-settings.js';
import { ancestors, isFromScratch, readsLabels } from '../lineage.js';
import type { Rule } from '../types.js';

export const noBaseline: Rule = {
  id: 'no-baseline',
  code: 'FTP1017',
  level: 'info',
  doc: 'An evaluation without a `baseline`.',
  reason:
    'A figure alone does not show whether the training was worth it: the untouched base may do as well. Measuring it on the same rows shows what was gained and what was forgotten.',
  check: (pipeline) =>
    pipeline
      .of('eval')
      .filter(({ stage }) => stage.settings['baseline'] === undefined)
      .filter((checked) => {
        // What was not trained, or started from nothing, has nothing to be held against.
        const sources = [...ancestors(referenceIn(checked, 'model')?.stage, pipeline)];
        const isTrained = sources.some((name) => pipeline.stage(name)?.stage.kind === 'train');
        // A base gives no labels.
        return isTrained && !isFromScratch(checked, pipeline) && !readsLabels(checked, pipeline);
      })
      .map((checked) => ({
        at: headingOf(checked),
        message: `\`${checked.block.name.text}\` has nothing to compare with`,
        label: 'no `baseline`',
        help: 'set `baseline = …` to the base of the training',
      })),
};
