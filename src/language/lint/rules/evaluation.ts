/** What evaluations measure, and what releases wait for. */
import { headingOf, referenceIn } from '../../check/stage-settings.js';
import type { CheckedStage } from '../../check/stages.js';
import { ancestors, blockName, dataUnder, isFromScratch, readsLabels } from '../lineage.js';
import { spanOf } from '../places.js';
import { each, type Finding, type Pipeline, type Rule } from '../rule.js';

/** The stages that the model of a stage comes from. */
const modelSources = (checked: CheckedStage, pipeline: Pipeline): readonly CheckedStage[] =>
  [...ancestors(referenceIn(checked, 'model')?.stage, pipeline)].flatMap(
    (name) => pipeline.stage(name) ?? [],
  );

/** Whether an adapter of a folder is evaluated, or merged. */
const hasAdapter = ({ stage: { kind, settings } }: CheckedStage): boolean =>
  (kind === 'eval' || kind === 'merge') && settings['adapter'] !== undefined;

const modelsOf = (kind: 'eval' | 'deploy', pipeline: Pipeline): ReadonlySet<CheckedStage> =>
  new Set(pipeline.of(kind).flatMap((checked) => modelSources(checked, pipeline)));

/** The rows of the setting `key` of a stage are among those that `trained` trains on. */
function overlap(
  checked: CheckedStage,
  key: 'dataset' | 'validate',
  trained: CheckedStage,
  pipeline: Pipeline,
): readonly Finding[] {
  const [own, seen] = [referenceIn(checked, key), referenceIn(trained, 'dataset')];
  const [data, other] = [dataUnder(checked, key, pipeline), dataUnder(trained, 'dataset', pipeline)];
  if (own === undefined || seen === undefined || data === undefined || other === undefined) return [];
  const isShared =
    data === other
      ? own.port === seen.port || own.port === 'all' || seen.port === 'all'
      : // Two data stages over the same files split them each in its own way.
        JSON.stringify(data.stage.settings['source']) === JSON.stringify(other.stage.settings['source']);
  if (!isShared) return [];
  const [what, split] = key === 'validate' ? ['validated', 'valid'] : ['evaluated', 'test'];
  return [
    {
      at: spanOf(checked, key),
      message: `\`${blockName(own.stage, pipeline)}.${own.port}\` has rows that are both trained on and ${what} on`,
      label: 'seen in training',
      related: [{ at: spanOf(trained, 'dataset'), message: 'trained on here' }],
      help: `use a split that is not trained on, such as \`.${split}\`, of the same data stage`,
    },
  ];
}

export const evaluationRules: readonly Rule[] = [
  {
    id: 'no-eval-gate',
    code: 'FTP1007',
    level: 'warning',
    doc: 'A deploy stage without `when`, or with the gate of an evaluation that requires nothing.',
    reason:
      'Without a gate, a release is published whatever was learned. Only the evaluation before it can stop a bad model, and only if it has a `require` for it.',
    check: each('deploy', (checked, pipeline) => {
      const gate = referenceIn(checked, 'when');
      if (gate === undefined)
        return {
          at: headingOf(checked),
          message: `\`${checked.block.name.text}\` is released regardless of its evaluation`,
          label: 'no `when`',
          help: 'write `when = EVAL.passed`, with an eval stage that has a `require`',
        };
      const evaluation = pipeline.stage(gate.stage);
      if (evaluation === undefined || evaluation.stage.requires.length > 0) return undefined;
      return {
        at: spanOf(checked, 'when'),
        message: `the gate of \`${evaluation.block.name.text}\` is always open`,
        label: 'requires nothing',
        related: [{ at: headingOf(evaluation), message: 'has no `require`' }],
        help: `add a requirement to \`${evaluation.block.name.text}\`, for example \`require perplexity < baseline.perplexity\``,
      };
    }),
  },
  {
    id: 'train-test-overlap',
    code: 'FTP1013',
    level: 'warning',
    doc: 'Rows that a model is both trained on and evaluated or validated on.',
    reason:
      'A model can answer what it has seen. An evaluation on those rows measures memorisation, passes every gate, and says nothing about new questions.',
    check: (pipeline) => [
      ...pipeline.of('eval').flatMap((checked) =>
        modelSources(checked, pipeline)
          .filter(({ stage }) => stage.kind === 'train')
          .flatMap((trained) => overlap(checked, 'dataset', trained, pipeline)),
      ),
      ...pipeline.of('train').flatMap((checked) => overlap(checked, 'validate', checked, pipeline)),
    ],
  },
  {
    id: 'evaluates-on-valid',
    code: 'FTP1014',
    level: 'info',
    doc: 'An evaluation on the rows that chose the checkpoint.',
    reason:
      'The best checkpoint and the end of training were chosen by these rows, so the model does a little better on them than on others. A release should be judged on rows that decided nothing.',
    check: each('eval', (checked, pipeline) => {
      const own = referenceIn(checked, 'dataset');
      const chose = modelSources(checked, pipeline).find((trained) => {
        const rows = referenceIn(trained, 'validate');
        return rows !== undefined && rows.stage === own?.stage && rows.port === own.port;
      });
      if (own === undefined || chose === undefined) return undefined;
      return {
        at: spanOf(checked, 'dataset'),
        message: `\`${blockName(own.stage, pipeline)}.${own.port}\` chose the checkpoint that is evaluated on it`,
        label: 'slightly overestimates the model',
        related: [{ at: spanOf(chose, 'validate'), message: 'used for validation here' }],
        help: `evaluate on \`${blockName(own.stage, pipeline)}.test\``,
      };
    }),
  },
  {
    id: 'gate-of-other-model',
    code: 'FTP1015',
    level: 'warning',
    doc: 'A deploy stage whose gate evaluated a different model than the one that is released.',
    reason:
      'A gate only says something about the model that was evaluated. If that is neither the released model nor what it was made from, a bad model may be released on the figures of a good one.',
    check: each('deploy', (checked, pipeline) => {
      // What an erroneous stage is made from is not known.
      if (!pipeline.isWhole) return undefined;
      const released = referenceIn(checked, 'model');
      const evaluation = pipeline.stage(referenceIn(checked, 'when')?.stage);
      const judged = evaluation && referenceIn(evaluation, 'model');
      if (evaluation === undefined || judged === undefined || released === undefined) return undefined;
      if (ancestors(released.stage, pipeline).has(judged.stage)) return undefined;
      return {
        at: spanOf(checked, 'when'),
        message: `\`${evaluation.block.name.text}\` does not evaluate what \`${checked.block.name.text}\` releases`,
        label: `evaluates \`${blockName(judged.stage, pipeline)}\``,
        related: [
          {
            at: spanOf(checked, 'model'),
            message: `releases \`${blockName(released.stage, pipeline)}\`, which is not made from it`,
          },
        ],
        help: 'evaluate the released model, or the adapter that is merged into it',
      };
    }),
  },
  {
    id: 'never-evaluated',
    code: 'FTP1016',
    level: 'warning',
    doc: 'A trained model that no eval stage evaluates.',
    reason:
      'The validation loss tells when to stop, not whether the model does its task. Measure a trained model on rows of its own subject before anyone uses it.',
    check(pipeline) {
      // What an eval in an erroneous block looks at is not known.
      if (!pipeline.isWhole) return [];
      // A release without a gate has been reported as that. Of the trials of a search, the best one is evaluated: a
      // block counts as a whole
      const used = new Set(
        [...modelsOf('eval', pipeline), ...modelsOf('deploy', pipeline)].map(({ block }) => block),
      );
      return pipeline
        .of('train')
        .filter(({ block }) => !used.has(block))
        .map((checked) => ({
          at: headingOf(checked),
          message: `nothing evaluates \`${checked.block.name.text}\``,
          label: 'never evaluated',
          help: `add an \`eval\` stage with \`model = ${checked.block.name.text}.best\``,
        }));
    },
  },
  {
    id: 'no-baseline',
    code: 'FTP1017',
    level: 'info',
    doc: 'An evaluation without a `baseline`.',
    reason:
      'A figure alone does not show whether the training was worth it: the untouched base may do as well. Measuring it on the same rows shows what was gained and what was forgotten.',
    check: each('eval', (checked, pipeline) => {
      if (checked.stage.settings['baseline'] !== undefined) return undefined;
      // What was not trained, or started from nothing, has nothing to be held against.
      const isTrained =
        hasAdapter(checked) ||
        modelSources(checked, pipeline).some((source) => source.stage.kind === 'train' || hasAdapter(source));
      // A base gives no labels.
      if (!isTrained || isFromScratch(checked, pipeline) || readsLabels(checked, pipeline)) return undefined;
      return {
        at: headingOf(checked),
        message: `\`${checked.block.name.text}\` has nothing to compare with`,
        label: 'no `baseline`',
        help: 'set `baseline = …` to the base of the training',
      };
    }),
  },
];
