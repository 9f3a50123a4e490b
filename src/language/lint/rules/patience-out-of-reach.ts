import { stepsOf } from '../steps.js';
import type { Rule } from '../types.js';
import { numberAt } from '../values.js';

export const patienceOutOfReach: Rule = {
  id: 'patience-out-of-reach',
  code: 'FTP1025',
  level: 'info',
  doc: 'A `patience` that cannot run out, because training validates too rarely.',
  reason:
    'Training is validated every `checkpoint.every` steps. If it ends before `patience` further validations, early stopping never happens.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const [patience, every] = [numberAt(checked, 'stop.patience'), numberAt(checked, 'checkpoint.every')];
      const steps = stepsOf(checked, pipeline);
      if (patience === undefined || every === undefined || steps === undefined) return [];
      // The first validation sets the mark that the later ones are held against.
      const validations = Math.floor(steps / every);
      if (validations > patience) return [];
      const { span, because, byLibrary } = pipeline.place(checked, 'stop.patience');
      if (byLibrary) return [];
      const often = Math.max(1, Math.floor(steps / (3 * (patience + 1))));
      return [
        {
          at: span,
          message: `early stopping cannot happen: there ${validations === 1 ? 'is' : 'are'} ${counted(validations, 'validation')} in ${counted(steps, 'step')}`,
          label: because ?? `waits for ${patience} after the best one`,
          help: `validate more often: \`checkpoint = { every: ${often}steps }\``,
        },
      ];
    }),
};

const counted = (count: number, noun: string): string =>
  `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
