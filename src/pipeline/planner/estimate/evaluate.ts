import { isMetricName, metrics } from '../../../compute/evaluation/metrics/table.js';
import { sharesPrompts } from '../../../compute/training/index.js';
import type { AccelerateRun } from '../../../language/ir/engines.js';
import { namesIn } from '../../../language/ir/expression.js';
import type { Stage, Value } from '../../../language/ir/program.js';
import type { WeightResidency } from '../../../language/ir/runtimes.js';
import { CHOICES } from '../../../language/schemas/functions/template.js';
import type { EvalSettings } from '../../../language/schemas/stages/eval.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { modelIdentity } from '../../stages/open-models.js';
import { referenceSetting } from '../../stages/train/preferences/reference-model.js';
import {
  joinedPairs,
  type Lengths,
  leastLengths,
  longestPrompt,
  promptedRows,
  promptsOf,
} from '../expected-rows.js';
import { evaluatedModel, flopsPerToken, forwardMemory } from '../forward-memory.js';
import type { Answers } from '../memory/answers.js';
import { evaluationPeak, type ForwardMemory } from '../memory/evaluate.js';
import { largestOf, reachingDown, reachingUp } from '../memory/peaks.js';
import type { PlanContext } from '../plan-context.js';
import type { Peak } from '../plan-json.js';
import { computeSeconds, generationSeconds, plus } from '../speed.js';
import { type PlannedModel, stageNamed } from '../stage-models.js';
import { type AnsweredRows, workerSeconds } from '../time/other-times.js';
import { memoryBudgetOf, paddedTokens } from '../train-stage.js';
import { isBf16, onEngine } from './on-engine.js';
import { firstThatFits } from './place.js';
import { type Estimator, NOTHING } from './types.js';

export const evalEstimate: Estimator = async ({ context, stage, limit, look }) => {
  const settings = settingsOf(stage, 'eval');
  const model = evaluatedModel(context, settings);
  const lengths = await context.lengths(settings.dataset.stage, settings.dataset.port, look);
  if (model === undefined || lengths === undefined) return NOTHING;
  const { longest } = lengths;
  // the report, and an answer of each row
  const diskBytes = 50_000 + 1200 * lengths.rows;
  const { engine } = context;
  if (engine.name === 'accelerate') {
    return {
      peak: evaluatedOnEngine(context, engine, settings, { model, lengths }),
      seconds: workerSeconds(
        model.config,
        workerRows(context, stage, { model, lengths }),
        context.declared,
        settings.baseline === undefined ? 1 : 2,
      ),
      diskBytes,
    };
  }
  const memory = readPairs(forwardMemory(context, model, longest, 'stored'), lengths);
  const answered = answeredRows(context, settings, lengths);
  const speed = look ? await context.speed() : undefined;
  const times = settings.baseline === undefined ? 1 : 2;
  const perToken = flopsPerToken(memory);
  const read = memory.forked === true ? joinedPairs(lengths) : lengths;
  const forward = times * paddedTokens(read) * perToken;
  const prompts = times * answered * (lengths.tokens / Math.max(1, lengths.rows)) * perToken;
  const tokens = times * answered * settings.generation.max_tokens;
  const scorer = context.models.of(scorerIn(settings));
  const peakOf = embeddedPeak(context, stage, { model, scorer, lengths });
  const scored = scorer === undefined ? 0 : prompts + tokens * perToken;
  return {
    ...firstThatFits(memoryBudgetOf(context, limit), ['float32', 'stored', 'paged'], peakOf),
    seconds:
      speed === undefined
        ? null
        : plus(
            computeSeconds(forward + prompts + scored, speed),
            generationSeconds(tokens * perToken, speed),
          ),
    diskBytes,
  };
};

/** Rows that a worker of the accelerate engine computes at a time. */
const WORKER_ROWS = 8;

/** The reward model that a metric asks. */
const scorerIn = ({ metrics: asked }: EvalSettings): Value | undefined =>
  asked.find(({ call }) => call === 'mean_reward')?.args['model'];

/** Needs of metrics of which nothing is answered: of rows with labels, of choices and of pairs. */
const UNANSWERED: ReadonlySet<string> = new Set(['classes', 'rewards']);

/** Whether the rows of an evaluation are choices of questions. */
function asksChoices({ program }: PlanContext, { dataset }: EvalSettings): boolean {
  const format = stageNamed(program, dataset.stage);
  return format?.kind === 'format' && settingsOf(format, 'format').template.call === CHOICES;
}

/** Rows that are answered: of texts those that have a prompt, none of those with labels, and none of choices and pairs, which are scored. */
function answeredRows(context: PlanContext, settings: EvalSettings, lengths: Lengths): number {
  const { metrics: asked, generation, samples } = settings;
  const needs = asked.flatMap(({ call }) => (isMetricName(call) ? [metrics[call].needs] : []));
  if (lengths.labels !== undefined || lengths.isPaired === true || asksChoices(context, settings)) return 0;
  if (needs.every((need) => UNANSWERED.has(need))) return 0;
  const rows = Math.min(promptedRows(lengths), generation.rows ?? lengths.rows);
  return needs.includes('answer') ? rows : Math.min(rows, samples);
}

/** What of the rows of an evaluation is passed through and answered. */
function workerRows(
  context: PlanContext,
  stage: Stage,
  { model, lengths }: { readonly model: PlannedModel; readonly lengths: Lengths },
): AnsweredRows {
  const settings = settingsOf(stage, 'eval');
  const { generation } = settings;
  return {
    atOnce: WORKER_ROWS,
    rows: lengths.rows,
    length: lengths.tokens / Math.max(1, lengths.rows),
    answers: answeredRows(context, settings, lengths),
    precision: isBf16(context, model) ? 'bf16' : 'f32',
    // an answer is about as long as what is supervised, and ends then
    answerLength: Math.min(generation.max_tokens, 1.5 * (lengths.supervised / Math.max(1, lengths.rows))),
  };
}

/** Of the embedded engine: the largest of the models that an evaluation asks, one after another, by how it holds their weights. */
function embeddedPeak(
  context: PlanContext,
  stage: Stage,
  { model, scorer, lengths }: EmbeddedEvaluation,
): (residency: WeightResidency) => Peak {
  const settings = settingsOf(stage, 'eval');
  const isChoices = asksChoices(context, settings);
  const isCompared = settings.metrics.some(({ call }) => call === 'preference_accuracy');
  const models = [
    ...evaluated(context, model, settings.baseline),
    ...(isCompared ? comparedWith(context, model) : []),
  ];
  const peakOf = (residency: WeightResidency, rows: Lengths): Peak => {
    const answers = answersTo(context, settings, rows);
    const asked = models.map((one) => {
      const memory = readPairs(forwardMemory(context, one, rows.longest, residency), rows);
      const read = memory.forked === true ? joinedPairs(rows) : rows;
      const scored = scoresRows(stage) ? { ...read, isChoices } : undefined;
      const peak = evaluationPeak(memory, answers, scored);
      // a model need not end its answers where the rows do
      return answers.rows === 0 || answers.ends === undefined
        ? peak
        : reachingUp(peak, evaluationPeak(memory, { ...answers, ends: 'never' }, scored));
    });
    if (scorer === undefined) return largestOf(asked);
    const length = rows.longest + settings.generation.max_tokens;
    return largestOf([
      ...asked,
      evaluationPeak(forwardMemory(context, scorer, length, residency), undefined, rows),
    ]);
  };
  const least = leastLengths(lengths);
  return (residency) => reachingDown(peakOf(residency, lengths), least && peakOf(residency, least));
}

/** What is answered of rows of these lengths. */
function answersTo(context: PlanContext, settings: EvalSettings, lengths: Lengths): Answers {
  const rows = answeredRows(context, settings, lengths);
  const { prompts, answers } = promptsOf(lengths, rows);
  return {
    rows,
    prompt: longestPrompt(lengths),
    prompts,
    maxTokens: settings.generation.max_tokens,
    ends: answers,
  };
}

interface EmbeddedEvaluation {
  readonly model: PlannedModel;
  /** Of a metric that asks one. */
  readonly scorer: PlannedModel | undefined;
  readonly lengths: Lengths;
}

/** Whether rows have losses, or classes or rewards, which take the same passes: for a metric that is listed or required. */
function scoresRows(stage: Stage): boolean {
  const listed = settingsOf(stage, 'eval').metrics.map(({ call }) => call);
  const required = stage.requires
    .flatMap(({ condition }) => namesIn(condition))
    .map(({ path }) => path.at(-1));
  return [...listed, ...required].some((name = '') => {
    const needs = isMetricName(name) ? metrics[name].needs : 'answer';
    return needs === 'loss' || UNANSWERED.has(needs);
  });
}

/** The largest of the models that an evaluation opens one after another: a reward model reads whole answers, and gives none. */
function evaluatedOnEngine(
  context: PlanContext,
  engine: AccelerateRun,
  settings: EvalSettings,
  { model, lengths }: { readonly model: PlannedModel; readonly lengths: Lengths },
): Peak {
  const { longest } = lengths;
  const tokens = longest + settings.generation.max_tokens;
  const answers = { rows: answeredRows(context, settings, lengths), tokens };
  const asked = evaluated(context, model, settings.baseline).map((one) =>
    onEngine(context, engine, one, { longest, answers }),
  );
  const scorer = context.models.of(scorerIn(settings));
  const scored =
    scorer && onEngine(context, engine, scorer, { longest: tokens, answers: { rows: 0, tokens: 0 } });
  return largestOf([...asked, ...(scored === undefined ? [] : [scored])].map(({ peak }) => peak));
}

/** The models that an eval stage opens one after the other: a baseline with the weights of the model's base shares them. */
function evaluated(
  context: PlanContext,
  model: PlannedModel,
  baseline: Value | undefined,
): readonly [PlannedModel, ...PlannedModel[]] {
  const other = context.models.of(baseline);
  return other === undefined || weightsOf(other) === weightsOf(model) ? [model] : [model, other];
}

/** What rewards of a model are next to, where its training names that. */
function comparedWith(
  { program, models }: PlanContext,
  { root, over }: PlannedModel,
): readonly PlannedModel[] {
  const trainer = over === undefined ? (root.adapterOf ?? root.trainedBy) : undefined;
  const stage = trainer === undefined ? undefined : stageNamed(program, trainer);
  const reference =
    stage?.kind === 'train' ? models.of(referenceSetting(settingsOf(stage, 'train'))) : undefined;
  return reference === undefined ? [] : [reference];
}

const weightsOf = ({ root: { model, weights, trainedBy = '', merged = '' } }: PlannedModel): string =>
  [modelIdentity(model), weights, trainedBy, merged].join('\n');

/** Of pairs of answers whose prompt is computed once, the row is longer. */
const readPairs = (memory: ForwardMemory, lengths: Lengths): ForwardMemory =>
  lengths.isPaired === true && sharesPrompts(memory.config, memory.adapter, lengths)
    ? { ...memory, longest: joinedPairs(lengths).longest, forked: true }
    : memory;
