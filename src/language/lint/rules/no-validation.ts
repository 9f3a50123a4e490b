import { headingOf, propertyOf, referenceIn } from '../../check/stage-settings.js';
import { insert } from '../../diagnostics/make.js';
import { dataUnder, readFrom } from '../lineage.js';
import type { Rule } from '../types.js';
import { numberAt } from '../values.js';

export const noValidation: Rule = {
  id: 'no-validation',
  code: 'FTP1005',
  level: 'warning',
  doc: 'A train stage without `validate`.',
  reason:
    'The training loss falls whether a model learns or memorises; only rows that it does not train on show which. Without them there is no best checkpoint, no early stopping, and overfitting shows after the release.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      if (checked.stage.settings['validate'] !== undefined) return [];
      const dataset = propertyOf(checked, 'dataset');
      const rows = referenceIn(checked, 'dataset');
      const data = dataUnder(checked, 'dataset', pipeline);
      const hasValid = data !== undefined && (numberAt(data, 'split.valid') ?? 0) > 0;
      const line =
        rows === undefined
          ? undefined
          : `validate = ${readFrom(checked, 'dataset', pipeline)?.block.name.text ?? rows.stage}.valid`;
      return [
        {
          at: headingOf(checked),
          message: `nothing validates the training of \`${checked.block.name.text}\``,
          label: 'no `validate`',
          help: hasValid
            ? `write \`${line}\``
            : `give \`valid\` a share in the \`split\`${data === undefined ? '' : ` of \`${data.block.name.text}\``}, and write \`${line ?? 'validate = …'}\``,
          fixes:
            hasValid && dataset !== undefined && rows?.port === 'train'
              ? [
                  {
                    ...insert(
                      `write \`${line}\``,
                      dataset.key.span.file,
                      dataset.key.span.start,
                      `${line}\n  `,
                    ),
                    applicability: 'maybe_incorrect',
                  },
                ]
              : [],
        },
      ];
    }),
};
