import { startWithout } from '../../../../language/diagnostics/catalogue/adapters.js';
import { factorSettings, type StageAdapter } from './definition.js';

/** A head over the labels of the rows alone. */
export const head: StageAdapter<'head'> = {
  setting: undefined,
  config: (_settings, _model, labels = []) => ({ kind: 'head', labels }),
  contradictions: ({ stage, start, at }) =>
    start === undefined
      ? []
      : factorSettings(stage).map((path) =>
          startWithout(at(path), path, 'the adapter to continue from has no low-rank factors'),
        ),
  problems: () => [],
  fields: () => ({}),
  unmergeable: undefined,
};
