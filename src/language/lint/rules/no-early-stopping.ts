import { headingOf } from '../../check/stage-settings.js';
import { replace } from '../../diagnostics/make.js';
import { expressionOf } from '../places.js';
import type { Rule } from '../types.js';
import { numberAt } from '../values.js';

export const noEarlyStopping: Rule = {
  id: 'no-early-stopping',
  code: 'FTP1006',
  level: 'warning',
  doc: 'A train stage that validates and has no `patience`.',
  reason:
    'Once the validation loss no longer falls, every further step costs time and makes the model forget. `patience` ends the training there; the best checkpoint is kept either way.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      // Without validation there is nothing to be patient with: `no-validation` says so.
      if (checked.stage.settings['validate'] === undefined) return [];
      if (numberAt(checked, 'stop.patience') !== undefined) return [];
      const stop = expressionOf(checked, 'stop');
      const last = stop?.kind === 'record' ? stop.entries.at(-1) : undefined;
      return [
        {
          at: stop?.span ?? headingOf(checked),
          message: `\`${checked.block.name.text}\` keeps training when validation no longer improves`,
          label: 'no `patience`',
          help: 'write `patience: 3` in `stop`: that many validations without an improvement end the training',
          fixes:
            last === undefined
              ? []
              : [
                  replace(
                    'write `patience: 3`',
                    { ...last.value.span, start: last.value.span.end },
                    ', patience: 3',
                    'maybe_incorrect',
                  ),
                ],
        },
      ];
    }),
};
