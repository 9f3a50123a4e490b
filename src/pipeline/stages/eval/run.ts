import { classifyRows } from '../../../compute/evaluation/classify.js';
import {
  foreignTokens,
  labelWithoutRow,
  noNumbers,
  noRows,
  otherLabels,
  rowsTooLong,
} from '../../../compute/evaluation/evaluation-diagnostics.js';
import { NoNumberError } from '../../../compute/evaluation/generation/answer.js';
import {
  chooseRows,
  chosenMetrics,
  measuredRows,
  rowFacts,
  withBaseline,
} from '../../../compute/evaluation/measured-rows.js';
import { metrics } from '../../../compute/evaluation/metrics/table.js';
import {
  type AnswerSettings,
  type HeldOut,
  type Observation,
  observe,
} from '../../../compute/evaluation/observe.js';
import {
  type EvaluationReport,
  evaluationReport,
  type ReportedModel,
} from '../../../compute/evaluation/report.js';
import { scoreRows } from '../../../compute/evaluation/scores.js';
import { choose, seededRandom } from '../../../compute/evaluation/seeded-random.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import { namesIn } from '../../../language/ir/expression.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import type { Call, Reference, Stage } from '../../../language/ir/program.js';
import { isComparisonName } from '../../../language/schemas/comparisons.js';
import { judgesOf } from '../../../language/schemas/functions/metric.js';
import type { EvalSettings } from '../../../language/schemas/stages/eval.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { openAnyResolved } from '../open-models.js';
import { type Measurements, requirementResults } from '../requirement-results.js';
import type { RunStage, StageContext } from '../stage.js';
import { needsPairs } from '../train/preferences/preference-rows.js';
import { embeddedModels } from './embedded-models.js';
import { type EvaluatedModel, resolveEvaluated, sameWeights } from './evaluated-model.js';
import { answerLines, openHeldOut } from './held-out.js';
import { jsonAnswers } from './json-answers.js';
import { judgedObservations } from './judge/judge.js';
import type { ModelOpener } from './opened-models.js';
import { progress } from './progress.js';
import { answerRewards, isSameModel, rewardRule, rewardText } from './rewards.js';
import { groupsOf } from './row-groups.js';
import { MEAN_REWARD, scoredAnswers, scorerOf } from './scored-answers.js';
import { workerModels } from './worker-models.js';

const PAIRS_HELD_OUT = 'evaluate on rows with `chosen` and `rejected`';

/** Measures a model and its baseline on the same rows. A requirement that fails is a result, not an error. */
export const run: RunStage = async (context) => {
  const { stage, output, host } = context;
  const settings = settingsOf(stage, 'eval');
  const subject = resolveEvaluated(settings.model, context);
  const baseline = settings.baseline && resolveBaseline(settings.baseline, subject, context);
  const heldOut = openHeldOut(settings.dataset, context);
  if (heldOut.tokens.count === 0)
    throw noRows(`${settings.dataset.stage}.${settings.dataset.port}`, stage.span);

  if (heldOut.preferences === 'judged') throw needsPairs(stage, PAIRS_HELD_OUT);

  const { labels } = heldOut;
  const groups = groupsOf(heldOut);
  const kind = labels === undefined ? (groups?.kind ?? 'texts') : 'labels';
  const chosen = chosenMetrics(settings.metrics, metricsRequired(stage), stage.span, kind);
  const tokenizer = await openAnyResolved(host, subject.base).tokenizer();
  const facts = rowFacts(heldOut, tokenizer, chosen);
  const { generation: answering, samples, seed } = settings;
  const rows = groups
    ? chooseGroups(groups.texts.length, settings)
    : chooseRows(heldOut, facts, chosen, { limit: answering.rows, samples, seed });
  const generation = answerSettings(settings);
  const losses = groups !== undefined || chosen.some(({ name }) => metrics[name].needs === 'loss');
  const rowsOfModel = labels === undefined ? (losses ? facts.length : 0) + rows.answer.length : facts.length;
  const asked = modelsAsked([subject, ...(baseline ? [baseline] : [])], heldOut, context);
  const work: EvaluationTask = {
    context,
    heldOut,
    highestId: highestId(heldOut),
    losses,
    sharesPrefixes: kind === 'choices',
    answer: rows.answer,
    generation,
    needsEveryLabel: chosen.some(({ name }) => name === 'f1'),
    report: progress(context, rowsOfModel, asked.length),
  };
  const isValidJson = await jsonAnswers(settings.metrics);
  const observed = await observeBoth(work, tokenizer, subject, baseline);
  const [own, other] = await scored(
    work,
    { subject, scorer: scorerOf(settings.metrics, context) },
    await judged(work, settings.metrics, tokenizer, observed),
  );
  const measured = (seen: Observation) => groups?.measured(seen) ?? measuredRows(facts, seen, isValidJson);
  const before = other && measured(other);
  const report = evaluationReport({
    stage: stage.name,
    span: stage.span,
    requires: (own, compared) => requirementResults(stage, measurements(context, own, compared)),
    chosen,
    seed,
    ...(groups === undefined ? { generation } : {}),
    model: reported(subject),
    rows: withBaseline(measured(own), before),
    ...(baseline && before ? { baseline: { model: reported(baseline), rows: before } } : {}),
    texts: groups?.texts ?? facts.map((_, row) => heldOut.text(row)),
    samples: rows.samples,
    ...(own.labels === undefined ? {} : { labels: own.labels }),
    ...(own.reward === undefined ? {} : { reward: own.reward, baselineReward: other?.reward }),
  });
  output.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  const answered = labels === undefined ? rows.answer : [...own.answers.keys()];
  writeAnswers(output, groups?.lines(own, other) ?? answerLines(answered, heldOut, own, other));
  return resultOf(report, judgesOf(settings.metrics).length > 0, baseline !== undefined);
};

const resultOf = (
  { metrics: own, baseline, gains }: EvaluationReport,
  isJudged: boolean,
  isCompared: boolean,
): StageResult => ({
  outputs: {
    report: 'report.json',
    answers: 'answers.jsonl',
    ...(isJudged ? { judgements: 'judgements.jsonl' } : {}),
  },
  metrics: own,
  ...(isCompared ? { baseline, ...gains } : {}),
});

/** With what a reward model gives to the answers, where a metric asks one. */
async function scored(
  { context, heldOut, answer }: EvaluationTask,
  { subject, scorer }: { readonly subject: EvaluatedModel; readonly scorer: EvaluatedModel | undefined },
  [own, other]: ObservedBoth,
): Promise<ObservedBoth> {
  if (scorer === undefined) return [own, other];
  const { stage, emit } = context;
  const seen = other === undefined ? [own] : [own, other];
  const total = seen.length * answer.length;
  const label = `rewards of ${scorer.label}`;
  const onProgress = (done: number): void =>
    emit({ type: 'stage.progress', stage: stage.name, done, total, unit: 'rows', label });
  const models = await openModels(context);
  try {
    const task = { scorer, models, subject, heldOut, onProgress };
    const [first, second] = await scoredAnswers(seen, task, context);
    return [withRewards(own, first), other && withRewards(other, second)];
  } catch (error) {
    if (error instanceof NoNumberError) throw noNumbers(scorer.label, stage.span);
    throw error;
  } finally {
    await models.release();
  }
}

const withRewards = (seen: SeenByModel, rewards: ReadonlyMap<number, number> = new Map()): SeenByModel => ({
  ...seen,
  judged: new Map(
    [...rewards].map(([row, reward]) => [row, { ...seen.judged?.get(row), [MEAN_REWARD]: reward }]),
  ),
});

const openModels = (context: StageContext): Promise<ModelOpener> =>
  (context.engine === undefined ? embeddedModels : workerModels)(context);

/** With what judges say, where a metric asks one. */
function judged(
  { context, heldOut, answer }: EvaluationTask,
  metrics: readonly Call[],
  tokenizer: Tokenizer,
  [own, other]: ObservedBoth,
): Promise<ObservedBoth> {
  const rows = answer.map((row) => {
    const { file, line, answer: reference, harm } = heldOut.text(row);
    const asked = heldOut.tokens.read(row).ids.subarray(0, heldOut.promptTokens(row));
    const question = harm?.request ?? tokenizer.decode(asked, { skipSpecial: true });
    return { row, file, line, question, reference, asksHarm: harm?.asked !== false };
  });
  return judgedObservations(context, { metrics, rows, own, other });
}

/** Questions or pairs that the report shows; they are scored, and none is answered. */
const chooseGroups = (count: number, { samples, seed }: EvalSettings): ReturnType<typeof chooseRows> => ({
  answer: [],
  samples: [...choose(count, samples, seededRandom(seed))].sort((a, b) => a - b),
});

function writeAnswers(output: StageContext['output'], lines: Iterable<string>): void {
  const answers = output.open('answers.jsonl');
  for (const line of lines) answers.write(line);
  answers.close();
}

type Metrics = EvaluationReport['metrics'];

/** What this stage and those before it measured. */
const measurements = (
  { stage, inputs }: StageContext,
  metrics: Metrics,
  compared: Omit<Measurements[string], 'metrics'>,
): Measurements => ({
  ...Object.fromEntries(Object.entries(inputs).map(([name, { result }]) => [name, result])),
  [stage.name]: { metrics, ...compared },
});

/** Metrics of this stage that its requirements name; what another stage measured is not measured here. */
const metricsRequired = ({ name, requires }: Stage): readonly string[] =>
  requires
    .flatMap(({ condition }) => namesIn(condition))
    .filter(
      ({ path: [first, second] }) => second === undefined || isComparisonName(first ?? '') || first === name,
    )
    .map(({ path }) => path.at(-1) ?? '');

interface EvaluationTask {
  readonly context: StageContext;
  readonly heldOut: HeldOut;
  /** Largest token id of any row. */
  readonly highestId: number;
  readonly losses: boolean;
  readonly sharesPrefixes: boolean;
  readonly answer: readonly number[];
  readonly generation: AnswerSettings;
  /** Whether a metric is a mean over the labels. */
  readonly needsEveryLabel: boolean;
  readonly report: (label: string) => (done: number, what: 'losses' | 'answers') => void;
}

function answerSettings({ generation, seed }: EvalSettings): AnswerSettings {
  const { sampling, max_tokens: maxTokens, repetition_penalty: repetitionPenalty, stop } = generation;
  return {
    maxTokens,
    repetitionPenalty,
    stop,
    ...(sampling && {
      sampling: {
        temperature: sampling.temperature,
        topK: sampling.top_k,
        topP: sampling.top_p,
        minP: sampling.min_p,
        seed,
      },
    }),
  };
}

/** The base of the model is measured over the same copy of its weights, held in the same way; another adapter over its own. */
function resolveBaseline(
  value: Call | Reference,
  subject: EvaluatedModel,
  context: StageContext,
): EvaluatedModel {
  const baseline = resolveEvaluated(value, context);
  const isBase = baseline.adapter === undefined && sameWeights(baseline, subject);
  return isBase ? { ...baseline, storage: subject.storage } : baseline;
}

/** With the labels of a classifier, or what the rewards are. */
interface SeenByModel extends Observation {
  readonly labels?: readonly string[];
  /** Losses are scores of a reward model. */
  readonly isScored?: boolean;
  readonly reward?: string;
}
type ObservedBoth = readonly [SeenByModel, SeenByModel | undefined];

/** Those of an evaluation, and those that their rewards are next to; each once. */
const modelsAsked = (
  models: readonly EvaluatedModel[],
  { preferences }: HeldOut,
  context: StageContext,
): readonly EvaluatedModel[] =>
  models
    .flatMap((model) => {
      const reference = preferences && rewardRule(model, context).reference;
      return reference === undefined ? [model] : [model, reference];
    })
    .filter((model, at, all) => all.findIndex((other) => isSameModel(other, model)) === at);

async function observeBoth(
  work: EvaluationTask,
  tokenizer: Tokenizer,
  subject: EvaluatedModel,
  baseline: EvaluatedModel | undefined,
): Promise<ObservedBoth> {
  const models = await openModels(work.context);
  const seen: { readonly model: EvaluatedModel; readonly observed: SeenByModel }[] = [];
  const observed = async (model: EvaluatedModel): Promise<SeenByModel> => {
    const before = seen.find((one) => isSameModel(one.model, model));
    if (before !== undefined) return before.observed;
    const known = sameWeights(model, subject) ? tokenizer : undefined;
    const found = await observeOne(work, models, model, known);
    seen.push({ model, observed: found });
    return found;
  };
  const rewarded = async (model: EvaluatedModel): Promise<SeenByModel> => {
    const own = await observed(model);
    if (work.heldOut.preferences === undefined) return own;
    const rule = rewardRule(model, work.context);
    const reference = rule.reference && (await observed(rule.reference));
    const rewards = answerRewards(rule, own, reference?.losses);
    if (!rewards.every(Number.isFinite)) throw noNumbers(model.label, work.context.stage.span);
    return { ...own, rewards, reward: rewardText(rule, own.isScored === true) };
  };
  try {
    const own = await rewarded(subject);
    return [own, baseline && (await rewarded(baseline))];
  } finally {
    await models.release();
  }
}

async function observeOne(
  work: EvaluationTask,
  models: ModelOpener,
  subject: EvaluatedModel,
  known: Tokenizer | undefined,
): Promise<SeenByModel> {
  const { stage, signal } = work.context;
  const { heldOut, report } = work;
  const { facts, labels, virtualTokens, ...described } = models.describe(subject);
  if (work.highestId >= facts.vocabSize)
    throw foreignTokens(subject.label, work.highestId, facts.vocabSize, stage.span);
  checkLabels(work, subject, labels);
  checkLengths(heldOut, subject, facts.maxPositions - virtualTokens, stage.span);
  const model = await described.open();
  try {
    const shown = report(subject.label);
    if (heldOut.preferences !== undefined && labels !== undefined) {
      const onProgress = (done: number): void => shown(done, 'losses');
      const { tokens, padId, pairs } = heldOut;
      const scores = await scoreRows(model, tokens, { padId, pairs, onProgress, signal });
      const losses = Array.from(scores, (sum) => ({ sum, tokens: 1 }));
      return { losses, answers: new Map(), isScored: true };
    }
    if (heldOut.labels !== undefined && labels !== undefined) {
      const onProgress = (done: number): void => shown(done, 'answers');
      const found = await classifyRows(model, { heldOut, rowLabels: heldOut.labels, onProgress, signal });
      return { ...found, labels };
    }
    const tokenizer = known ?? (await described.tokenizer());
    return await observe(model, tokenizer, { ...work, onProgress: shown, signal });
  } catch (error) {
    if (error instanceof NoNumberError) throw noNumbers(subject.label, stage.span);
    throw error;
  } finally {
    await model.release();
  }
}

/** Throws a `UserError` if rows have labels that the model does not give; a reward model gives preferences its one score. */
function checkLabels(
  { heldOut, needsEveryLabel, context: { stage } }: EvaluationTask,
  { label }: EvaluatedModel,
  labels: readonly string[] | undefined,
): void {
  const { stage: from, port } = settingsOf(stage, 'eval').dataset;
  if (heldOut.labels === undefined && labels === undefined) return;
  if (heldOut.preferences !== undefined && labels?.length === 1) return;
  if (labels === undefined || heldOut.labels?.every((name) => labels.includes(name)) !== true)
    throw otherLabels({ label, labels }, { name: from, labels: heldOut.labels }, stage.span);
  const held = new Set(Array.from({ length: heldOut.tokens.count }, (_, row) => heldOut.text(row).answer));
  const missing = labels.find((name) => !held.has(name));
  if (needsEveryLabel && missing !== undefined)
    throw labelWithoutRow(`${from}.${port}`, missing, labels.length, stage.span);
}

/** A model reads nothing beyond its last position: rotary heads would rotate on silently. */
function checkLengths(
  { tokens, text }: HeldOut,
  { label }: EvaluatedModel,
  most: number,
  at: StageContext['stage']['span'],
): void {
  const rows = Array.from({ length: tokens.count }, (_, row) => row);
  const longer = rows.filter((row) => tokens.lengthOf(row) > most);
  const [first] = longer;
  if (first === undefined) return;
  const { file, line } = text(first);
  throw rowsTooLong({ label, most, rows: longer.length, first: `${file}:${line}`, at });
}

function highestId({ tokens }: HeldOut): number {
  let highest = 0;
  for (let row = 0; row < tokens.count; row++)
    highest = tokens.read(row).ids.reduce((most, id) => Math.max(most, id), highest);
  return highest;
}

function reported({ label, storage, adapter, base }: EvaluatedModel): ReportedModel {
  return { label, storage, ...(adapter === undefined ? {} : { adapter: label, base: base.label }) };
}
