/** Rows with labels go to trainers, evaluations and metrics of classifiers, and to no others. */
import { writesNothing } from '../diagnostics/catalogue/references.js';
import * as errors from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { namesIn } from '../ir/expression.js';
import { isCall, isList, isRecord, isReference } from '../ir/values.js';
import { COMPARING_METRICS, judgesOf, metricsOf } from '../schemas/functions/metric.js';
import { LABELLED, type RowKind, rowKind } from '../schemas/functions/template.js';
import type { Span } from '../source/span.js';
import { objectiveOfRows } from './preferences.js';
import { propertyOf, referenceIn, type Stages, settingSpan, textAt, trainedBy } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

interface Rows {
  readonly name: string;
  readonly template: Span;
  readonly kind: RowKind;
}

/** Checks of each kind of stage; merges and deploys take whatever was trained. */
const CHECKS: Readonly<Record<string, (checked: CheckedStage, stages: Stages) => readonly Diagnostic[]>> = {
  format: checkFormat,
  train: checkTrain,
  eval: checkEval,
};

export const classification = (checked: CheckedStage, stages: Stages): readonly Diagnostic[] =>
  CHECKS[checked.stage.kind]?.(checked, stages) ?? [];

/** What a setting that takes rows refers to; nothing if its format is invalid. */
function rowsIn(checked: CheckedStage, key: string, stages: Stages): Rows | undefined {
  const reference = referenceIn(checked, key);
  const format = reference && stages.get(reference.stage);
  const template = format?.stage.settings['template'];
  if (format === undefined || !format.isSound || !isCall(template)) return undefined;
  return {
    name: format.stage.name,
    template: settingSpan(format, 'template'),
    kind: rowKind(template.call),
  };
}

/** Who wrote a setting: presets and defaults say nothing of these rows. */
const isWritten = ({ stage }: CheckedStage, path: string): boolean => stage.origins[path] === 'author';

function checkFormat(checked: CheckedStage): readonly Diagnostic[] {
  const { template, overflow } = checked.stage.settings;
  if (!isCall(template) || template.call !== LABELLED) return [];
  return [
    ...(overflow === 'split'
      ? [
          errors.settingWithLabels(
            settingSpan(checked, 'overflow'),
            'overflow = split',
            'the label is for the whole text, not for a piece of it',
            undefined,
          ),
        ]
      : []),
    ...(isWritten(checked, 'loss_on')
      ? [
          errors.settingWithLabels(
            settingSpan(checked, 'loss_on'),
            'loss_on',
            'the loss is on the label, not on tokens',
            undefined,
          ),
        ]
      : []),
  ];
}

/** Settings of a training that go with no classifier. */
const WITHOUT_LABELS: readonly (readonly [setting: string, why: string])[] = [
  ['prompt', 'a prompt steers generated text, but a classifier trains a head'],
  ['prefix', 'a prefix steers generated text, but a classifier trains a head'],
  ['adapter', 'a head is trained alone or with low-rank factors'],
];

/** A reward model goes on from another one; labels are numbered by the rows. */
const WITHOUT_CLASSES: typeof WITHOUT_LABELS = [...WITHOUT_LABELS, ['start', 'the head starts untrained']];

/** Settings of `lora` that may name the head over the vocabulary. */
const OF_HEAD = ['targets', 'modules_to_save'] as const;

/** Settings that refer to what `head` leaves as it is. */
const WITHOUT_BLOCKS: readonly (readonly [setting: string, why: string])[] = [
  ['lora', 'there is no adapter'],
  ['start', 'there is no adapter to continue'],
  ['neftune_noise_alpha', 'the base is frozen, so noise on its input is useless'],
];

function checkTrain(checked: CheckedStage, stages: Stages): readonly Diagnostic[] {
  const rows = rowsIn(checked, 'dataset', stages);
  if (rows === undefined) return [];
  const { stage, block } = checked;
  for (const key of ['dataset', 'validate']) {
    const read = rowsIn(checked, key, stages);
    if (read?.kind === 'choices') return [errors.choicesTrained(settingSpan(checked, key), read)];
  }
  const unlearned = [...objectiveOfRows(checked, rows), ...comparedWith(checked, stages)];
  if (unlearned.length > 0) return unlearned;
  const method = block.using.find(({ text }) => text === stage.preset)?.span ?? block.name.span;
  const works = reads(checked, rows.kind);
  const isText = works === 'texts';
  if (isText && stage.preset === 'head') return [errors.headWithoutLabels(method, rows)];
  const watched = rowsIn(checked, 'validate', stages);
  const learner = rows.kind === 'choices' ? 'texts' : rows.kind;
  const trained = { at: settingSpan(checked, 'dataset'), message: 'trained on these' };
  const mismatch =
    watched === undefined || watched.kind === rows.kind
      ? foreignMetrics(checked, rows, ['validation', 'metrics'])
      : [errors.rowsMismatch(settingSpan(checked, 'validate'), watched, watched.kind, learner, trained)];
  if (isText) return mismatch;
  const written = (path: string): boolean => block.properties.some(({ key }) => key.text === path);
  const lora = stage.settings['lora'] as Readonly<Record<string, unknown>> | undefined;
  const ofHead = OF_HEAD.filter((setting) => [lora?.[setting]].flat().includes('lm_head'));
  return [
    ...mismatch,
    ...(works === 'scores' ? WITHOUT_LABELS : WITHOUT_CLASSES)
      .filter(([setting]) => stage.settings[setting] !== undefined)
      .map(([setting, why]) => errors.settingWithLabels(settingSpan(checked, setting), setting, why, rows)),
    ...ofHead.map((setting) =>
      errors.settingWithLabels(
        settingSpan(checked, 'lora'),
        `${setting}: [lm_head]`,
        'a classifier replaces it with a head over labels, which is always trained',
        rows,
      ),
    ),
    ...(isWritten(checked, 'watch.repetition')
      ? [
          errors.settingWithLabels(
            settingSpan(checked, 'watch'),
            'repetition',
            'a classifier answers with labels, which cannot repeat themselves',
            rows,
          ),
        ]
      : []),
    ...(stage.preset === 'head'
      ? WITHOUT_BLOCKS.filter(
          ([setting]) => written(setting) && (setting !== 'start' || works === 'scores'),
        ).map(([setting, why]) => errors.settingWithHead(settingSpan(checked, setting), setting, why))
      : []),
  ];
}

/** A stage that an objective takes for its reference, and whose model does not write. */
function comparedWith(checked: CheckedStage, stages: Stages): readonly Diagnostic[] {
  const { objective } = checked.stage.settings;
  const reference = isCall(objective) ? objective.args['reference'] : undefined;
  const trainer = isReference(reference) ? trainedBy(reference.stage, stages) : undefined;
  const learnt = trainer && rowsIn(trainer, 'dataset', stages);
  if (trainer === undefined || learnt === undefined || reads(trainer, learnt.kind) === 'texts') return [];
  const at = textAt(checked.block.properties, 'objective.reference')?.expression.span;
  return [writesNothing(at ?? settingSpan(checked, 'objective'), trainer.stage.name)];
}

/** What a model works on that is trained on rows of a kind: it goes on with texts, gives labels to them, or scores. */
type Works = 'texts' | 'labels' | 'scores';

function reads({ stage: { settings } }: CheckedStage, kind: RowKind): Works {
  const { objective } = settings;
  if (kind !== 'preferences') return kind === 'labels' ? 'labels' : 'texts';
  return isCall(objective) && objective.call === 'reward' ? 'scores' : 'texts';
}

/** Rows that a model is evaluated on, and what is trained where it comes from. */
const EVALUATED: Readonly<Record<Works, { readonly on: readonly RowKind[]; readonly trained: string }>> = {
  texts: { on: ['texts', 'choices', 'preferences'], trained: 'text generation is trained here' },
  labels: { on: ['labels'], trained: 'a classifier is trained here' },
  scores: { on: ['preferences'], trained: 'a reward model is trained here' },
};

function checkEval(checked: CheckedStage, stages: Stages): readonly Diagnostic[] {
  const addresses = badAddresses(checked);
  const rows = rowsIn(checked, 'dataset', stages);
  if (rows === undefined || addresses.length > 0) return addresses;
  const model = referenceIn(checked, 'model');
  const trainer = model && trainedBy(model.stage, stages);
  const learnt = trainer && rowsIn(trainer, 'dataset', stages);
  const works = trainer && learnt && reads(trainer, learnt.kind);
  if (trainer !== undefined && works !== undefined && !EVALUATED[works].on.includes(rows.kind))
    return [
      errors.rowsMismatch(settingSpan(checked, 'dataset'), rows, rows.kind, works, {
        at: settingSpan(trainer, 'dataset'),
        message: EVALUATED[works].trained,
      }),
    ];
  return [...foreignMetrics(checked, rows), ...comparing(checked), ...scoring(checked, stages)];
}

/** Stages that a metric takes for reward models. */
function scoring(checked: CheckedStage, stages: Stages): readonly Diagnostic[] {
  const { metrics } = checked.stage.settings;
  return (isList(metrics) ? metrics.filter(isCall) : []).flatMap(({ call, args: { model } }) => {
    const trainer = isReference(model) ? trainedBy(model.stage, stages) : undefined;
    const learnt = trainer && rowsIn(trainer, 'dataset', stages);
    if (trainer === undefined || learnt === undefined || reads(trainer, learnt.kind) === 'scores') return [];
    return [errors.noRewardModel(metricSpan(checked, call), trainer.stage.name)];
  });
}

/** Servers that no request could be sent to. */
const badAddresses = (checked: CheckedStage): readonly Diagnostic[] => {
  const { metrics } = checked.stage.settings;
  return judgesOf(isList(metrics) ? metrics.filter(isCall) : []).flatMap(({ metric, endpoint }) => {
    const why = wrongWith(String(endpoint.args['url']));
    return why === undefined ? [] : [errors.badAddress(metricSpan(checked, metric.call), why)];
  });
};

function wrongWith(address: string): string | undefined {
  if (!URL.canParse(address)) return 'is not valid';
  const { protocol, username, password, search, hash } = new URL(address);
  if (protocol !== 'https:' && protocol !== 'http:') return 'begins with neither https:// nor http://';
  if (username !== '' || password !== '') return 'has a password in it';
  return search === '' && hash === '' ? undefined : 'has more after its path';
}

/** Metrics that compare with a baseline, in a stage without one. */
function comparing(checked: CheckedStage): readonly Diagnostic[] {
  const { metrics, baseline } = checked.stage.settings;
  if (baseline !== undefined) return [];
  const listed = isList(metrics) ? metrics.filter(isCall) : [];
  const found = listed.find(({ call }) => COMPARING_METRICS.includes(call));
  if (found !== undefined) return [errors.metricWithoutBaseline(metricSpan(checked, found.call), found.call)];
  const required = checked.stage.requires.find(({ condition }) =>
    namesIn(condition).some(({ path }) => path.length === 1 && COMPARING_METRICS.includes(path[0] ?? '')),
  );
  const [name] =
    required === undefined ? [] : namesIn(required.condition).map(({ path }) => path.at(-1) ?? '');
  return required === undefined || name === undefined
    ? []
    : [errors.metricWithoutBaseline(required.span, name)];
}

/** Where the block lists a metric. */
function metricSpan(checked: CheckedStage, call: string): Span {
  const { metrics } = checked.stage.settings;
  const list = propertyOf(checked, 'metrics')?.value;
  const at = isList(metrics) ? metrics.findIndex((metric) => isCall(metric) && metric.call === call) : -1;
  const item = list?.kind === 'list' ? list.items[at] : undefined;
  return item?.span ?? settingSpan(checked, 'metrics');
}

/** `path`: where the list is in the stage. */
function foreignMetrics(
  checked: CheckedStage,
  rows: Rows,
  [key, field]: readonly [string, string?] = ['metrics'],
): readonly Diagnostic[] {
  const fitting = metricsOf(rows.kind);
  const whole = propertyOf(checked, key)?.value;
  const entries = whole?.kind === 'record' ? whole.entries : [];
  const list = field === undefined ? whole : entries.find((entry) => entry.key.text === field)?.value;
  const value = checked.stage.settings[key];
  const metrics = field === undefined ? value : isRecord(value) ? value[field] : undefined;
  const calls = isList(metrics) ? metrics.filter(isCall) : [];
  return calls.flatMap(({ call }, index) => {
    if (fitting.includes(call)) return [];
    const item = list?.kind === 'list' ? list.items[index] : undefined;
    return [
      errors.metricOfOtherRows(item?.span ?? settingSpan(checked, key), call, rows, rows.kind, fitting),
    ];
  });
}
