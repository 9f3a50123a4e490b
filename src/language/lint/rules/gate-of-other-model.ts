import { headingOf, referenceIn } from '../../check/stage-settings.js';
import { ancestors, blockName } from '../lineage.js';
import { expressionOf } from '../places.js';
import type { Rule } from '../types.js';

export const gateOfOtherModel: Rule = {
  id: 'gate-of-other-model',
  code: 'FTP1015',
  level: 'warning',
  doc: 'A deploy stage whose gate evaluated a different model than the one that is released.',
  reason:
    'A gate only says something about the model that was evaluated. If that is neither the released model nor what it was made from, a bad model may be released on the figures of a good one.',
  check: (pipeline) =>
    pipeline.of('deploy').flatMap((checked) => {
      // What an erroneous stage is made from is not known.
      if (!pipeline.isWhole) return [];
      const [gate, released] = [referenceIn(checked, 'when'), referenceIn(checked, 'model')];
      const evaluation = pipeline.stage(gate?.stage);
      const judged = evaluation === undefined ? undefined : referenceIn(evaluation, 'model');
      if (evaluation === undefined || judged === undefined || released === undefined) return [];
      if (ancestors(released.stage, pipeline).has(judged.stage)) return [];
      return [
        {
          at: expressionOf(checked, 'when')?.span ?? headingOf(checked),
          message: `\`${evaluation.block.name.text}\` does not evaluate what \`${checked.block.name.text}\` releases`,
          label: `evaluates \`${blockName(judged.stage, pipeline)}\``,
          related: [
            {
              at: expressionOf(checked, 'model')?.span ?? headingOf(checked),
              message: `releases \`${blockName(released.stage, pipeline)}\`, which is not made from it`,
            },
          ],
          help: 'evaluate the released model, or the adapter that is merged into it',
        },
      ];
    }),
};
