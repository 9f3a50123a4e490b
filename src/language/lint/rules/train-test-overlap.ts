import { headingOf, referenceIn } from '../../check/stage-settings.js';
import type { CheckedStage } from '../../check/stages.js';
import type { Reference } from '../../ir/program.js';
import { ancestors, blockName, readFrom } from '../lineage.js';
import { expressionOf } from '../places.js';
import type { Finding, Pipeline, Rule } from '../types.js';

export const trainTestOverlap: Rule = {
  id: 'train-test-overlap',
  code: 'FTP1013',
  level: 'warning',
  doc: 'Rows that a model is both trained on and evaluated or validated on.',
  reason:
    'A model can answer what it has seen. An evaluation on those rows measures memorisation, passes every gate, and says nothing about new questions.',
  check: (pipeline) => [
    ...pipeline.of('eval').flatMap((checked) =>
      [...ancestors(referenceIn(checked, 'model')?.stage, pipeline)].flatMap((name) => {
        const trained = pipeline.stage(name);
        return trained?.stage.kind === 'train' ? overlap(checked, 'dataset', trained, pipeline) : [];
      }),
    ),
    ...pipeline.of('train').flatMap((checked) => overlap(checked, 'validate', checked, pipeline)),
  ],
};

function overlap(
  checked: CheckedStage,
  key: string,
  trained: CheckedStage,
  pipeline: Pipeline,
): readonly Finding[] {
  const [own, seen] = [referenceIn(checked, key), referenceIn(trained, 'dataset')];
  if (
    own === undefined ||
    seen === undefined ||
    !share({ checked, key, port: own.port }, { checked: trained, key: 'dataset', port: seen.port }, pipeline)
  )
    return [];
  const what = key === 'validate' ? 'validated' : 'evaluated';
  return [
    {
      at: expressionOf(checked, key)?.span ?? headingOf(checked),
      message: `\`${blockName(own.stage, pipeline)}.${own.port}\` has rows that are both trained on and ${what} on`,
      label: 'seen in training',
      related: [
        { at: expressionOf(trained, 'dataset')?.span ?? headingOf(trained), message: 'trained on here' },
      ],
      help: `use a split that is not trained on, such as \`.${key === 'validate' ? 'valid' : 'test'}\`, of the same data stage`,
    },
  ];
}

/** A setting of a stage that reads rows, and the split that it names. */
interface Reading {
  readonly checked: CheckedStage;
  readonly key: string;
  readonly port: Reference['port'];
}

function share(own: Reading, seen: Reading, pipeline: Pipeline): boolean {
  const [one, other] = [own, seen].map(({ checked, key }) =>
    readFrom(readFrom(checked, key, pipeline), 'from', pipeline),
  );
  if (one === undefined || other === undefined) return false;
  if (one === other) return own.port === seen.port || own.port === 'all' || seen.port === 'all';
  // Two data stages over the same files split them each in its own way.
  return JSON.stringify(one.stage.settings['source']) === JSON.stringify(other.stage.settings['source']);
}
