import { headingOf, referenceIn } from '../../check/stage-settings.js';
import { ancestors } from '../lineage.js';
import type { Pipeline, Rule } from '../types.js';

export const neverEvaluated: Rule = {
  id: 'never-evaluated',
  code: 'FTP1016',
  level: 'warning',
  doc: 'A trained model that no eval stage evaluates.',
  reason:
    'The validation loss tells when to stop, not whether the model does its task. Measure a trained model on rows of its own subject before anyone uses it.',
  check(pipeline) {
    // What an eval in an erroneous block looks at is not known.
    if (!pipeline.isWhole) return [];
    const evaluated = reachedFrom('eval', pipeline);
    // A release without a gate has been reported as that.
    const released = reachedFrom('deploy', pipeline);
    return pipeline
      .of('train')
      .filter(({ stage }) => !evaluated.has(stage.name) && !released.has(stage.name))
      .map((checked) => ({
        at: headingOf(checked),
        message: `nothing evaluates \`${checked.block.name.text}\``,
        label: 'never evaluated',
        help: `add an \`eval\` stage with \`model = ${checked.block.name.text}.best\``,
      }));
  },
};

function reachedFrom(kind: 'eval' | 'deploy', pipeline: Pipeline): ReadonlySet<string> {
  return new Set(
    pipeline.of(kind).flatMap((checked) => [...ancestors(referenceIn(checked, 'model')?.stage, pipeline)]),
  );
}
