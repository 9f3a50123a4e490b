import { ancestors, blockName, referenceOf } from '../lineage.js';
import { headingOf, written } from '../places.js';
import type { Rule } from '../types.js';

export const gateOfOtherModel: Rule = {
  id: 'gate-of-other-model',
  code: 'FTP1015',
  level: 'warning',
  doc: 'A deploy stage whose gate evaluated another model than the one that is released.',
  reason:
    'A gate proves something of the model that was evaluated. Where that is not the one released, and not what it was made from, a bad model goes out behind a good one’s figures.',
  check: (pipeline) =>
    pipeline.of('deploy').flatMap((checked) => {
      // What an erroneous stage is made from is not known.
      if (!pipeline.isWhole) return [];
      const [gate, released] = [referenceOf(checked, 'when'), referenceOf(checked, 'model')];
      const evaluation = pipeline.stage(gate?.stage);
      const judged = evaluation === undefined ? undefined : referenceOf(evaluation, 'model');
      if (evaluation === undefined || judged === undefined || released === undefined) return [];
      if (ancestors(released.stage, pipeline).has(judged.stage)) return [];
      return [
        {
          at: written(checked, 'when')?.span ?? headingOf(checked),
          message: `\`${evaluation.block.name.text}\` says nothing of what \`${checked.block.name.text}\` releases`,
          label: `evaluates \`${blockName(judged.stage, pipeline)}\``,
          related: [
            {
              at: written(checked, 'model')?.span ?? headingOf(checked),
              message: `releases \`${blockName(released.stage, pipeline)}\`, which is not made from it`,
            },
          ],
          help: 'evaluate the model that is released, or what it is merged from',
        },
      ];
    }),
};
