import { noRows } from '../../../compute/evaluation/evaluation-diagnostics.js';
import {
  chooseRows,
  chosenMetrics,
  measuredRows,
  rowFacts,
  withBaseline,
} from '../../../compute/evaluation/measured-rows.js';
import { metrics } from '../../../compute/evaluation/metrics/table.js';
import type { AnswerSettings, HeldOut, Observation } from '../../../compute/evaluation/observe.js';
import {
  type EvaluationReport,
  evaluationReport,
  type ReportedModel,
} from '../../../compute/evaluation/report.js';
import { choose, seededRandom } from '../../../compute/evaluation/seeded-random.js';
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
import { type EvaluatedModel, resolveAdapted, resolveEvaluated, sameWeights } from './evaluated-model.js';
import type { EvaluationTask } from './evaluation-task.js';
import { answerLines, openHeldOut } from './held-out.js';
import { jsonAnswers } from './json-answers.js';
import { judged, scored } from './judged-answers.js';
import { modelsAsked, observeBoth } from './observe-models.js';
import { progress } from './progress.js';
import { groupsOf } from './row-groups.js';
import { scorerOf } from './scored-answers.js';

const PAIRS_HELD_OUT = 'evaluate on rows with `chosen` and `rejected`';

/** Measures a model and its baseline on the same rows. A requirement that fails is a result, not an error. */
export const run: RunStage = async (context) => {
  const { stage, output, host } = context;
  const settings = settingsOf(stage, 'eval');
  const subject = resolveAdapted(resolveEvaluated(settings.model, context), settings.adapter, context);
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

function highestId({ tokens }: HeldOut): number {
  let highest = 0;
  for (let row = 0; row < tokens.count; row++)
    highest = tokens.read(row).ids.reduce((most, id) => Math.max(most, id), highest);
  return highest;
}

function reported({ label, storage, adapter, base }: EvaluatedModel): ReportedModel {
  return { label, storage, ...(adapter === undefined ? {} : { adapter: label, base: base.label }) };
}
