import { headingOf, referenceIn } from '../../check/stage-settings.js';
import { expressionOf } from '../places.js';
import type { Rule } from '../types.js';

export const noEvalGate: Rule = {
  id: 'no-eval-gate',
  code: 'FTP1007',
  level: 'warning',
  doc: 'A deploy stage without `when`, or with the gate of an evaluation that requires nothing.',
  reason:
    'Without a gate, a release is published whatever was learned. Only the evaluation before it can stop a bad model, and only if it has a `require` for it.',
  check: (pipeline) =>
    pipeline.of('deploy').flatMap((checked) => {
      const gate = referenceIn(checked, 'when');
      if (gate === undefined)
        return [
          {
            at: headingOf(checked),
            message: `\`${checked.block.name.text}\` is released regardless of its evaluation`,
            label: 'no `when`',
            help: 'write `when = EVAL.passed`, with an eval stage that has a `require`',
          },
        ];
      const evaluation = pipeline.stage(gate.stage);
      if (evaluation === undefined || evaluation.stage.requires.length > 0) return [];
      return [
        {
          at: expressionOf(checked, 'when')?.span ?? headingOf(checked),
          message: `the gate of \`${evaluation.block.name.text}\` is always open`,
          label: 'requires nothing',
          related: [{ at: headingOf(evaluation), message: 'has no `require`' }],
          help: `add a requirement to \`${evaluation.block.name.text}\`, for example \`require perplexity < baseline.perplexity\``,
        },
      ];
    }),
};
