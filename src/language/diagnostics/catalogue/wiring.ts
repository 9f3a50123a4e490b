/** FTP04xx: connections between stages; from FTP0415 on, of stages for classifiers with stages for generative models. */
import type { Span } from '../../source/span.js';
import { error, info, insert, named, replace, warning } from '../make.js';
import type { Fix } from '../types.js';

export const wrongPort = (at: Span, written: string, found: string, wanted: string, help?: string) =>
  error('FTP0401', at, `expected ${wanted}, but \`${written}\` is ${found}`, {
    label: `not ${wanted}`,
    help,
  });

/** `"dialogs.train"` */
export const stageInQuotes = (at: Span, written: string, wanted: string) =>
  error('FTP0301', at, `expected ${wanted}, found a string`, {
    label: `expected ${wanted}`,
    help: `names are written without quotes: \`${written}\``,
    fixes: [replace('remove the quotes', at, written)],
  });

export const needsFormat = (stage: string): string =>
  `turn the rows into text with \`format dialogs { from = ${stage}, template = … }\`, and read \`dialogs.train\``;

/** `rows.train`, if `rows` has only one output, without a port. */
export const noNamedPort = (
  at: Span,
  stage: string,
  found: {
    readonly fits: boolean;
    readonly output: string;
    readonly wanted: string;
    readonly needsFormat: boolean;
  },
) =>
  found.fits
    ? error('FTP0401', at, `\`${stage}\` has no ports: it outputs ${found.output} as a whole`, {
        label: 'no port',
        help: `write \`${stage}\` alone`,
        fixes: [replace(`write \`${stage}\``, at, stage)],
      })
    : error('FTP0401', at, `expected ${found.wanted}, but \`${stage}\` outputs ${found.output}`, {
        label: `not ${found.wanted}`,
        help: found.needsFormat ? needsFormat(stage) : undefined,
      });

export const portNeeded = (at: Span, stage: string, ports: readonly string[]) =>
  error('FTP0402', at, `\`${stage}\` has several ports`, {
    label: 'which port?',
    help: `write ${named(ports.map((port) => `${stage}.${port}`))}`,
    fixes: ports
      .slice(0, 4)
      .map((port) => replace(`write \`${stage}.${port}\``, at, `${stage}.${port}`, 'maybe_incorrect')),
  });

/** One reference of a cycle: what is read, and where. */
export interface CycleReference {
  readonly name: string;
  readonly at: Span;
}

const cycleText = (path: readonly CycleReference[]): string =>
  [path.at(-1)?.name ?? '', ...path.map(({ name }) => name)].map((name) => `\`${name}\``).join(' → ');

/** `path`: every name in the cycle and where it is read, the last one closing it. */
export const stageCycle = (path: readonly CycleReference[]) => {
  const at = path.at(-1)?.at ?? { file: '', start: 0, end: 0 };
  const names = path.map(({ name }) => name);
  return error('FTP0403', at, {
    message:
      names.length === 1
        ? `\`${names[0]}\` reads its own output`
        : `${named([...names].sort(), 'and')} wait for each other`,
    label: 'closes the cycle',
    related: path.slice(0, -1).map(({ name, at: read }) => ({ at: read, message: `reads \`${name}\`` })),
    notes: names.length === 1 ? undefined : [cycleText(path)],
    help: 'remove one of these references',
  });
};

export const valueCycle = (path: readonly CycleReference[]) => {
  const at = path.at(-1)?.at ?? { file: '', start: 0, end: 0 };
  return error('FTP0403', at, {
    message:
      path.length === 1
        ? `the value of \`${path[0]?.name}\` is computed from itself`
        : `${named(path.map(({ name }) => name).sort(), 'and')} are computed from each other`,
    label: 'closes the cycle',
    related: path.slice(0, -1).map(({ name, at: read }) => ({ at: read, message: `needs \`${name}\`` })),
    notes: path.length === 1 ? undefined : [cycleText(path)],
    help: 'give one of them a value that does not depend on the others',
  });
};

export const noTokenizer = (at: Span, stage: string) =>
  error('FTP0404', at, `the tokenizer of \`${stage}\` is unknown`, {
    label: 'no `model`, and no stage trains on it',
    help: 'set `model = …` in the format, or train a base on one of its ports',
  });

export const severalTokenizers = (at: Span, stage: string, users: readonly string[]) =>
  error('FTP0405', at, `\`${stage}\` is read by stages with different bases`, {
    label: 'which tokenizer?',
    notes: [`${named(users, 'and')} read it, each with its own base`],
    help: 'set `model = …` here, or give each base its own format',
  });

export const baselineMissing = (at: Span, stage: string, bodyEnd: number) =>
  error('FTP0406', at, `${stage} has no \`baseline\` to compare with`, {
    label: 'no baseline',
    help: 'set `baseline = …` to the model that it is compared with',
    fixes: [
      {
        ...insert('set `baseline`', at.file, bodyEnd, '  baseline = base\n'),
        applicability: 'has_placeholders',
      },
    ],
  });

export const metricNotListed = (
  at: Span,
  metric: string,
  listEnd: Span | undefined,
  imported?: { readonly at: number; readonly text: string },
) =>
  error('FTP0407', at, `\`${metric}\` is required but not measured`, {
    label: 'not in `metrics`',
    help: `add \`${metric}\` to \`metrics\``,
    fixes: listEnd === undefined ? undefined : [measureIt(metric, listEnd, imported)],
  });

function measureIt(
  metric: string,
  { file, start }: Span,
  imported: { readonly at: number; readonly text: string } | undefined,
): Fix {
  const measured = insert('measure it', file, start, `, ${metric}`);
  if (imported === undefined) return measured;
  const { edits } = insert('', file, imported.at, imported.text);
  return { ...measured, title: 'import and measure it', edits: [...edits, ...measured.edits] };
}

export const emptySplit = (at: Span, reference: string, data: string, share: Span | undefined) =>
  error('FTP0408', at, `\`${reference}\` has no rows`, {
    label: 'an empty split',
    related: share === undefined ? undefined : [{ at: share, message: 'gives it no share' }],
    help: `give it a share in the \`split\` of \`${data}\``,
  });

export const baseMismatch = (at: Span, adapter: string, trained: Span) =>
  error('FTP0409', at, `\`${adapter}\` was trained on another base`, {
    label: 'not the base it was trained on',
    related: [{ at: trained, message: 'trained on this one' }],
    help: 'an adapter only works with its own base: use the same one',
  });

export const presetNeeds = (
  at: Span,
  preset: string,
  why: string,
  requirement: Span,
  help: string | undefined,
) =>
  error('FTP0411', at, `a requirement of \`${preset}\` does not hold: ${why}`, {
    label: 'cannot be applied here',
    related: [{ at: requirement, message: 'required here' }],
    help,
  });

export const deployOfMatrix = (at: Span, stage: string, matrices: readonly string[], pins: string) =>
  info('FTP0412', at, {
    message: `\`${stage}\` is skipped: it can publish only one model, but ${named(matrices, 'and')} ${matrices.length === 1 ? 'has' : 'have'} several values`,
    label: 'not published',
    help: `choose one value: \`${pins}\``,
  });

export const deployOfTrials = (at: Span, stage: string, search: string) =>
  info('FTP0412', at, {
    message: `\`${stage}\` is skipped: it can publish only one model, and reads those of every trial`,
    label: 'not published',
    help: `publish the winner: write \`${search}.\` before the stages that it, or its merge, reads, such as \`${search}.adapter.best\``,
  });

export const otherTokenizer = (at: Span, format: string, model: Span) =>
  error('FTP0413', at, `\`${format}\` is tokenized for another model`, {
    label: 'not the tokenizer of the model that uses it',
    related: [{ at: model, message: 'tokenized for this one' }],
    help: 'give this model its own format stage, with its `model`; the rows may come from the same `data` stage',
  });

export const otherForm = (
  at: Span,
  format: string,
  related: readonly { readonly at: Span; readonly message: string }[],
) =>
  warning('FTP0414', at, `\`${format}\` uses a different template than the model was trained with`, {
    label: 'a different template',
    related,
    help: 'evaluate with the template used for training: the same `template`, with the same `style`',
  });

export const impossibleRequirement = (at: Span, text: string) =>
  warning('FTP0428', at, `\`${text}\` never holds`, {
    label: 'regardless of what is measured',
    help: 'a ratio is from 0% to 100%, a perplexity is 1 or more, and no size, time or count is negative: is something missing?',
  });

export const idleRequirement = (at: Span, text: string) =>
  warning('FTP0430', at, `\`${text}\` always holds`, {
    label: 'regardless of what is measured',
    help: 'it has no effect: write the intended limit, or remove it',
  });

export const contradiction = (at: Span, text: string, other: Span) =>
  warning('FTP0431', at, `\`${text}\` never holds together with another requirement`, {
    label: 'no value satisfies both',
    related: [{ at: other, message: 'the other one' }],
    help: 'correct one of the two limits',
  });

/** `why`: a whole sentence. */
export const idleSetting = (at: Span, why: string, help: string) =>
  warning('FTP0432', at, why, { label: 'has no effect', help });

export const bestNotMeasured = (at: Span, metric: string) =>
  error('FTP0784', at, `\`best\` goes by \`${metric}\`, which is not measured`, {
    label: 'not in `metrics`',
    help: `add it: \`metrics: [${metric}]\``,
  });

export const notOfValidations = (at: Span, metric: string) =>
  error('FTP0785', at, `\`${metric}\` cannot be measured while a model is trained`, {
    label: 'says nothing of a training',
    help: 'remove it; an `eval` stage measures it',
  });

export const microAboveGlobal = (at: Span, micro: number, global: number) =>
  error('FTP0433', at, `\`micro\` is ${micro}, but a step has only ${global} rows`, {
    label: '`micro` is above `global`',
    help: `write \`micro: ${global}\` or less, or remove it: the planner chooses what fits`,
  });

export const comparedWithItself = (at: Span) =>
  warning('FTP0434', at, 'the model is compared with itself', {
    label: 'the same as `model`',
    help: 'set `baseline` to the model that it should beat, such as the base before training',
  });

export const sharedTarget = (at: Span, stage: string, first: Span) =>
  error('FTP0435', at, `\`${stage}\` publishes into the folder of another stage`, {
    label: 'the same folder',
    related: [{ at: first, message: 'first published here' }],
    help: 'give each its own folder: a folder has one `current` release and one sequence of release numbers',
  });

export const canaryElsewhere = (at: Span) =>
  error('FTP2130', at, 'this target has no canary', {
    label: 'nothing gives it a share of the requests',
    help: 'leave `canary` out, or publish to `directory("…")`, whose releases `ftpc serve` answers with',
  });

export const notOllamaName = (at: Span, name: string) =>
  error('FTP2131', at, `\`${name}\` cannot be the name of a model of Ollama`, {
    label: 'not `name` or `name:tag`',
    help: 'use letters, digits, `-`, `_` and `.`, with a `/` after a namespace and a `:` before a tag',
  });

export const noHubToken = (at: Span) =>
  error('FTP2132', at, 'nobody may write to the Hub without a token', {
    label: 'has no `token`',
    help: 'declare `secret hub_token = env("HF_TOKEN")`, and write `token: hub_token`; a token in the file itself would be seen by all who read it',
  });

export const promptAndPrefix = (at: Span) =>
  error('FTP0437', at, '`prompt` and `prefix` cannot be combined', {
    label: 'both put virtual tokens before every text',
    help: 'keep `prefix` for keys and values in every layer, or `prompt` for embeddings alone',
  });

export const adapterWithVirtualTokens = (at: Span, other: string) =>
  error('FTP0440', at, `\`adapter\` and \`${other}\` cannot be combined`, {
    label: 'each is a separate method',
    help: `keep one of the two: \`adapter\` for bottlenecks in the blocks, \`${other}\` for virtual tokens before every text`,
  });

/** A file to import from is valid, but has nothing to run. */
export const nothingToPlan = (file: string) =>
  error('FTP0436', { file, start: 0, end: 0 }, 'there is no stage to plan or run', {
    label: 'a file without a stage',
    help: 'give the pipeline that imports this file, or add a stage such as `data rows { source = jsonl("rows.jsonl") }`',
  });

/** A format stage, and the span of its template. */
interface FormatStage {
  readonly name: string;
  readonly template: Span;
}

const labelledRows = (rows: FormatStage) => ({ at: rows.template, message: 'rows with labels' });
const unlabelledRows = (rows: FormatStage) => ({ at: rows.template, message: 'rows without labels' });

export const headWithoutLabels = (at: Span, rows: FormatStage) =>
  error('FTP0415', at, {
    message: `\`head\` trains a classification head, but the rows of \`${rows.name}\` have no labels`,
    label: 'nothing to classify',
    related: [unlabelledRows(rows)],
    help: 'use `template = labelled()` in the format stage, or train an adapter: `using lora`',
  });

/** By the kind of rows. */
const ROWS = {
  labels: {
    message: 'rows with labels',
    label: 'labelled rows',
    are: 'have labels',
  },
  texts: {
    message: 'rows without labels',
    label: 'rows without labels',
    are: 'have no labels',
  },
  choices: {
    message: 'questions with choices',
    label: 'questions with choices',
    are: 'are questions',
  },
  preferences: {
    message: 'preferences',
    label: 'preferences',
    are: 'are preferences',
  },
} as const;

/** What a stage does that reads rows. */
const READERS = {
  texts: 'works on text',
  labels: 'classifies',
  preferences: 'learns from preferences',
  scores: 'scores the answers of preferences',
} as const;

/** What a format makes of rows: texts that are continued, texts with labels, choices of questions. */
export type RowKind = keyof typeof ROWS;

const rowsOf = (rows: FormatStage, kind: RowKind) => ({ at: rows.template, message: ROWS[kind].message });

export const rowsMismatch = (
  at: Span,
  rows: FormatStage,
  found: RowKind,
  reader: keyof typeof READERS,
  other: { readonly at: Span; readonly message: string },
) =>
  error('FTP0417', at, {
    message: `the rows of \`${rows.name}\` ${ROWS[found].are}, but the stage that reads them ${READERS[reader]}`,
    label: ROWS[found].label,
    related: [rowsOf(rows, found), other],
    help: 'read the same kind of rows that the model was trained on: give each kind its own `format` stage',
  });

export const choicesTrained = (at: Span, rows: FormatStage) =>
  error('FTP2171', at, {
    message: `the rows of \`${rows.name}\` are choices, right ones and wrong ones, and cannot be trained on`,
    label: 'questions with choices',
    related: [rowsOf(rows, 'choices')],
    help: 'evaluate on them; to train on questions, give the right answers in rows of another template',
  });

/** What is wrong with an address is not shown with it: it may hold a password. */
export const badAddress = (at: Span, why: string) =>
  error('FTP2173', at, {
    message: `the address of the endpoint ${why}`,
    label: 'asked here',
    help: 'write the address up to `/v1`, such as `endpoint("https://api.openai.com/v1", key: judge_key)`; a key is a `secret`',
  });

export const metricWithoutBaseline = (at: Span, metric: string) =>
  error('FTP2172', at, {
    message: `\`${metric}\` compares with a baseline, and the stage has none`,
    label: 'next to what?',
    help: 'write `baseline = …`: the base that the model was trained from',
  });

export const noRewardModel = (at: Span, name: string) =>
  error('FTP2244', at, {
    message: `\`${name}\` is no reward model: it has no head of one score`,
    label: 'gives no reward',
    help: 'name a model that `objective = reward()` trained, or a folder of transformers with `num_labels` 1',
  });

const FOREIGN: Readonly<Record<RowKind, (metric: string, rows: string) => string>> = {
  labels: (metric, rows) =>
    `\`${metric}\` does not apply to classifiers, and the rows of \`${rows}\` have labels`,
  texts: (metric, rows) =>
    metric === 'preference_accuracy'
      ? `\`${metric}\` compares two answers, but the rows of \`${rows}\` are no preferences`
      : `\`${metric}\` is a metric for ${metric === 'accuracy_normalised' ? 'questions with choices' : 'classifiers'}, but the rows of \`${rows}\` have no ${metric === 'accuracy_normalised' ? 'choices' : 'labels'}`,
  choices: (metric, rows) => `\`${metric}\` does not apply to choices, and those are the rows of \`${rows}\``,
  preferences: (metric, rows) =>
    `\`${metric}\` does not apply to preferences, and those are the rows of \`${rows}\``,
};

export const metricOfOtherRows = (
  at: Span,
  metric: string,
  rows: FormatStage,
  found: RowKind,
  fitting: readonly string[],
) =>
  error('FTP0418', at, {
    message: FOREIGN[found](metric, rows.name),
    label: 'cannot be measured',
    related: [rowsOf(rows, found)],
    help: `measure ${
      fitting.length > MOST_NAMED
        ? `${fitting
            .slice(0, MOST_NAMED)
            .map((name) => `\`${name}\``)
            .join(', ')} …`
        : named(fitting)
    }`,
  });

/** Nobody reads a longer list of metrics. */
const MOST_NAMED = 6;

/** A setting without a meaning for labelled rows. `why`: half a sentence. */
export const settingWithLabels = (at: Span, setting: string, why: string, rows: FormatStage | undefined) =>
  error('FTP0419', at, `\`${setting}\` cannot be combined with labelled rows: ${why}`, {
    label: 'conflicting settings',
    related: rows === undefined ? undefined : [labelledRows(rows)],
    help: `leave \`${setting}\` out`,
  });

export const settingWithHead = (at: Span, setting: string, why: string) =>
  error('FTP0420', at, `\`${setting}\` cannot be combined with \`using head\`: ${why}`, {
    label: 'conflicting settings',
    help: `remove \`${setting}\`, or train an adapter along with the head: \`using lora\``,
  });

export const onlyGguf = (at: Span, dtype: string, folder: readonly string[]) =>
  error('FTP2073', at, `\`${dtype}\` is a type of GGUF files, which safetensors do not have`, {
    label: 'needs `file_format = gguf`',
    help: `leave \`file_format\` out, or use \`dtype = ${folder.join('`, `')}\``,
  });

export const preferencesWithoutObjective = (at: Span, rows: FormatStage) =>
  error('FTP2240', at, {
    message: `the rows of \`${rows.name}\` are preferences, but the training has no \`objective\` for them`,
    label: 'preferences',
    related: [rowsOf(rows, 'preferences')],
    help: 'say what is learned from them: `objective = dpo()`',
  });

export const objectiveWithoutPreferences = (at: Span, objective: string, rows: FormatStage, found: RowKind) =>
  error('FTP2241', at, {
    message: `\`${objective}\` learns from preferences, but the rows of \`${rows.name}\` are not`,
    label: 'needs preferences',
    related: [rowsOf(rows, found)],
    help: 'use `template = preference()` in the format stage, over the columns `prompt`, `chosen` and `rejected`',
  });

/** A setting without a meaning for preferences. `why`: half a sentence. */
export const settingWithPreferences = (at: Span, setting: string, why: string, help: string) =>
  error('FTP2242', at, `\`${setting}\` cannot be combined with preferences: ${why}`, {
    label: 'conflicting settings',
    help,
  });

export const smoothingWithout = (at: Span, loss: string) =>
  error('FTP2242', at, `\`label_smoothing\` has no effect on the loss \`${loss}\``, {
    label: 'smooths `sigmoid` alone',
    help: 'leave it out, or use `loss: sigmoid`',
  });
