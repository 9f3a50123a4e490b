import { referenceOf } from '../lineage.js';
import { headingOf, written } from '../places.js';
import type { Rule } from '../types.js';

export const noEvalGate: Rule = {
  id: 'no-eval-gate',
  code: 'FTP1007',
  level: 'warning',
  doc: 'A deploy stage without `when`, or with the gate of an evaluation that requires nothing.',
  reason:
    'A release that nothing stands in front of goes out whatever was learned. The evaluation before it is the one place where a bad model is stopped, and it stops only what it has a `require` for.',
  check: (pipeline) =>
    pipeline.of('deploy').flatMap((checked) => {
      const gate = referenceOf(checked, 'when');
      if (gate === undefined)
        return [
          {
            at: headingOf(checked),
            message: `\`${checked.block.name.text}\` is released whatever its evaluation says`,
            label: 'no `when`',
            help: 'write `when = EVAL.passed`, with an eval stage that has a `require`',
          },
        ];
      const evaluation = pipeline.stage(gate.stage);
      if (evaluation === undefined || evaluation.stage.requires.length > 0) return [];
      return [
        {
          at: written(checked, 'when')?.span ?? headingOf(checked),
          message: `the gate of \`${evaluation.block.name.text}\` is always open`,
          label: 'waits for nothing',
          related: [{ at: headingOf(evaluation), message: 'has no `require`' }],
          help: `say in \`${evaluation.block.name.text}\` what must hold, for example \`require perplexity < baseline.perplexity\``,
        },
      ];
    }),
};
