/** What each kind of stage needs in memory, time and disk, once it is known what it will do. */

import { isMetricName, metrics } from '../../compute/evaluation/metrics/table.js';
import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import { adapterShapes } from '../../compute/models/adapters/kinds.js';
import { adaptedConfig } from '../../compute/models/adapters/whole.js';
import { NO_TOKENIZER } from '../../compute/models/tokenizer/memory.js';
import type { ModelConfig } from '../../compute/models/types.js';
import { plannedBytes } from '../../compute/models/weights/load.js';
import { type PlannedCodes, plannedCodes, takesCodes } from '../../compute/models/weights/stored-codes.js';
import { storedAs } from '../../compute/packaging/merge/dtypes.js';
import { sizeOf } from '../../compute/tensor/shape.js';
import { sharesPrompts } from '../../compute/training/index.js';
import type { AccelerateRun } from '../../language/ir/engines.js';
import { namesIn } from '../../language/ir/expression.js';
import type { Stage, StageKind, Value } from '../../language/ir/program.js';
import type { WeightResidency } from '../../language/ir/runtimes.js';
import { isReference } from '../../language/ir/values.js';
import { CHOICES, chatMessages } from '../../language/schemas/functions/template.js';
import type { EvalSettings } from '../../language/schemas/stages/eval.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { bandsFor, similarityOf } from '../stages/data/dedupe/near-copies.js';
import { scratchBytes } from '../stages/data/scratch.js';
import { probeTokens } from '../stages/merge/probes.js';
import { modelIdentity } from '../stages/open-models.js';
import { precisionOf } from '../stages/train/precision.js';
import { referenceSetting } from '../stages/train/preferences/reference-model.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import {
  joinedPairs,
  type Lengths,
  leastLengths,
  longestPrompt,
  promptedRows,
  promptsOf,
} from './expected-rows.js';
import {
  adapterUnder,
  evaluatedModel,
  flopsPerToken,
  forwardMemory,
  overIt,
  residentWeights,
} from './forward-memory.js';
import { hasCores } from './machines.js';
import type { Answers } from './memory/answers.js';
import { encodersOf } from './memory/encoders.js';
import { evaluationPeak, type ForwardMemory, mergePeak } from './memory/evaluate.js';
import { dataPeak, formatPeak, reachingDown, reachingUp } from './memory/peaks.js';
import { trainedCount } from './memory/ranks.js';
import { decoderShape, optimizerBytes } from './memory/train.js';
import { trainPeak } from './memory/train-peak.js';
import { type WorkerRows, workerPeak } from './memory/worker.js';
import { fitsIn, type MemoryBudget } from './memory-budget.js';
import type { PlanContext } from './plan-context.js';
import type { BudgetLimit, Pace, Peak, Publication, Seconds } from './plan-json.js';
import { publicationOf } from './publication.js';
import { computeSeconds, copySeconds, dataSeconds, formatSeconds, generationSeconds, plus } from './speed.js';
import { formatWritten, isInFourBits, type PlannedModel, stageNamed, weightBytes } from './stage-models.js';
import { type AnsweredRows, diskSeconds, workerSeconds } from './time/other-times.js';
import { timeOf } from './time/time-of-training.js';
import { memoryBudgetOf, paddedTokens, type TrainFacts } from './train-stage.js';

interface Estimate {
  readonly peak: Peak | null;
  readonly seconds: Seconds | null;
  readonly diskBytes: number;
  /** Stages that train nothing: where they have a model's weights. */
  readonly residency?: WeightResidency;
  /** Format stages: threads that encode rows next to the stage itself. */
  readonly encoders?: number;
  /** Deploy stages. */
  readonly publishes?: Publication;
  /** Trainings on the accelerate engine: what its rate is kept under. */
  readonly pace?: Pace;
  /** Without the budget, they would be held another way. */
  readonly decides?: true;
}

export interface EstimateInput {
  readonly context: PlanContext;
  readonly stage: Stage;
  /** Train stages. */
  readonly trainPlan?: TrainPlan;
  readonly facts?: TrainFacts;
  /** What a budget allows the process. */
  readonly limit?: BudgetLimit;
  /** False for a cached stage: nothing is read or measured for it. */
  readonly look: boolean;
}

type Estimator = (input: EstimateInput) => Promise<Estimate>;

const NOTHING: Estimate = { peak: null, seconds: null, diskBytes: 0 };

const ESTIMATORS: Readonly<Record<StageKind, Estimator>> = {
  async data({ context, stage }) {
    const size = context.sources(stage.name);
    const { bytes, rows } = size;
    const settings = settingsOf(stage, 'data');
    const near = similarityOf(settings);
    const keys = near === undefined ? 0 : bandsFor(near).count;
    return {
      peak: dataPeak(size, { near: near !== undefined, splits: settings.split !== undefined }),
      seconds: here(context, dataSeconds(rows, bytes)),
      diskBytes: Math.ceil(1.3 * bytes + scratchBytes(rows, keys)),
    };
  },
  async format({ context, stage, limit, look }) {
    const { from, model, template } = settingsOf(stage, 'format');
    const { bytes, rows } = context.limited(from.stage);
    const tokenizer = context.models.formatTokenizer(model);
    const lengths = await context.lengths(stage.name, 'all', look);
    const tokens = lengths?.tokens ?? bytes / 4;
    const size = { rows, tokens, messages: lengths?.messages ?? chatMessages(template), tokenizer };
    const encoders = encodersOf(context.threads, size, (peak) =>
      fitsIn(peak, memoryBudgetOf(context, limit)),
    );
    return {
      peak: formatPeak(size, encoders),
      ...(encoders > 0 && { encoders }),
      seconds: here(context, formatSeconds(rows, tokens, encoders)),
      diskBytes: Math.ceil(8 * tokens + 48 * rows + 1.1 * bytes),
    };
  },
  async train({ context, stage, trainPlan, facts, look }) {
    if (trainPlan === undefined || facts === undefined) return NOTHING;
    const { pace, seconds } = await timeOf({ context, stage, facts, look }, trainPlan);
    const trained =
      facts.memory.ranks === undefined
        ? facts.memory.planDecoder(decoderShape(facts.memory, trainPlan)).parts.gradients
        : 4 * trainedCount(facts.memory, trainPlan);
    const state = optimizerBytes(facts.memory, trainPlan);
    const { keep } = settingsOf(stage, 'train').checkpoint;
    return {
      peak: trainedPeak(facts, trainPlan),
      seconds,
      ...(pace === undefined ? {} : { pace }),
      // best and last, and checkpoints of parameters and optimiser: those kept, the best, one being
      // written; and what of the state is in a file
      diskBytes: Math.ceil(
        2 * trained + (trained + state) * (keep + 2) + (trainPlan.offloadedState ?? 0) * state,
      ),
    };
  },
  async eval({ context, stage, limit, look }) {
    const settings = settingsOf(stage, 'eval');
    const model = evaluatedModel(context, settings);
    const lengths = await context.lengths(settings.dataset.stage, settings.dataset.port, look);
    if (model === undefined || lengths === undefined) return NOTHING;
    const { longest } = lengths;
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
        diskBytes: 50_000 + 1200 * lengths.rows,
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
      diskBytes: 50_000 + 1200 * lengths.rows,
    };
  },
  async merge({ context, stage, limit }) {
    const { adapter: merged, base: baseModel, dtype, file_format } = settingsOf(stage, 'merge');
    const base = context.models.of(baseModel);
    if (base === undefined) return NOTHING;
    const adapter = adapterUnder(context, merged);
    // probes are rows of the training, or texts
    const isTrained = isReference(merged);
    const tokenizer = isTrained ? NO_TOKENIZER : base.tokenizer;
    const stored = storedAs(dtype, file_format);
    const config = adaptedConfig(base.config, adapter);
    const written = { ...base, config, format: formatWritten(stored, config) };
    const bytes = plannedBytes(config, written.format, 'stored');
    const peakOf = (residency: WeightResidency): Peak => {
      const before = {
        ...forwardMemory(context, base, 32, residency),
        ...residentWeights({ ...base, adapter }, residency),
        adapter,
      };
      const after = forwardMemory(context, written, 32, residency);
      return mergePeak(
        { ...before, tokenizer },
        { ...after, tokenizer },
        { probed: probeTokens(isTrained), writesGguf: stored.format === 'gguf' },
      );
    };
    const { engine } = context;
    if (engine.name === 'accelerate')
      return {
        ...onEngine(context, engine, base, { longest: 32 }, adapter),
        seconds: diskSeconds(4 * bytes, context.declared),
        diskBytes: bytes + base.tokenizerBytes,
      };
    return {
      ...firstThatFits(memoryBudgetOf(context, limit), ['stored', 'paged'], peakOf),
      seconds: here(context, copySeconds(4 * bytes)),
      diskBytes: bytes + base.tokenizerBytes,
    };
  },
  async deploy({ context, stage, limit }) {
    const settings = settingsOf(stage, 'deploy');
    const model = context.models.of(settings.model);
    if (model === undefined) return NOTHING;
    const bytes = weightBytes(model).lora + model.tokenizerBytes;
    const { config, adapter } = forwardMemory(context, model, 256, 'stored');
    const publishes = publicationOf(settings, model, adapter);
    // elsewhere, nothing is written here
    const diskBytes = publishes.target === 'directory' ? publishes.bytes : 0;
    if (model.config.foreign !== undefined && context.engine.name === 'accelerate')
      return {
        ...onEngine(context, context.engine, model, { longest: 256, answers: { rows: 1, tokens: 256 } }),
        seconds: diskSeconds(3 * bytes, context.declared),
        diskBytes,
        publishes,
      };
    const classifies = adaptedConfig(config, adapter).labels !== undefined;
    // a release is asked something before it becomes current, whether or not the file says what
    const asked = classifies ? undefined : { rows: 1, prompt: 64, maxTokens: 64 };
    return {
      ...firstThatFits(memoryBudgetOf(context, limit), ['stored', 'paged'], (residency) => {
        const memory = forwardMemory(context, model, 256, residency);
        return evaluationPeak(memory, asked && { ...asked, codes: askedCodes(model, memory, residency) });
      }),
      seconds: here(context, plus(copySeconds(2 * bytes), 2)),
      diskBytes,
      publishes,
    };
  },
};

/** What a single answer reads as it is stored. */
function askedCodes(
  { config, format }: PlannedModel,
  { adapter, isQuantised, runtime }: ForwardMemory,
  residency: WeightResidency,
): PlannedCodes | undefined {
  const reads = runtime === 'onnx' && residency !== 'paged' && isQuantised !== true && takesCodes(adapter);
  return reads ? plannedCodes(config, format) : undefined;
}

export const estimate = (input: EstimateInput): Promise<Estimate> => ESTIMATORS[input.stage.kind](input);

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

/** Whether a model was trained in bfloat16, in which it is asked on a GPU too; of a folder's adapter nobody knows. */
function isBf16({ program }: PlanContext, { root, over }: Pick<PlannedModel, 'root' | 'over'>): boolean {
  const trainer = over === undefined ? (root.adapterOf ?? root.trainedBy) : undefined;
  const stage = trainer === undefined ? undefined : stageNamed(program, trainer);
  return stage?.kind === 'train' && precisionOf(settingsOf(stage, 'train')) === 'bf16';
}

/** Rows may be shorter than all that there are. */
function trainedPeak({ memory }: TrainFacts, plan: TrainPlan): Peak {
  const lengths = leastLengths(memory.lengths);
  return reachingDown(trainPeak(memory, plan), lengths && trainPeak({ ...memory, lengths }, plan));
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
    if (scorer === undefined) return largest(asked);
    const length = rows.longest + settings.generation.max_tokens;
    return largest([
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
  return largest([...asked, ...(scored === undefined ? [] : [scored])].map(({ peak }) => peak));
}

/** The memory of a stage that trains nothing, on the accelerate engine; `adapter`: left out, the one of the model. */
function onEngine(
  context: PlanContext,
  { device, devices }: AccelerateRun,
  planned: PlannedModel,
  rows: WorkerRows,
  adapter = overIt(context, planned),
): { readonly peak: Peak } {
  const { config, root } = planned;
  const trainer = root.adapterOf ?? root.trainedBy;
  const model = {
    config,
    // merges and releases compute in float32
    isBf16: isBf16(context, planned) && device === 'cuda' && rows.answers !== undefined,
    isQuantised: isInFourBits(
      config,
      trainer === undefined ? undefined : context.trainPlans.get(trainer)?.method,
    ),
    adapterNumbers: adapter && numbersOf(config, adapter),
  };
  const availableBytes =
    device === 'cpu' ? undefined : (context.device?.availableBytes ?? context.availableBytes);
  const place = { device, devices, availableBytes, hasDevice: context.device !== undefined };
  return { peak: workerPeak(model, place, rows) };
}

const numbersOf = (config: ModelConfig, adapter: AdapterConfig): number =>
  adapterShapes(config, adapter).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Work that is as fast everywhere, on a machine whose other times are known. */
const here = ({ machine, engine, declared }: PlanContext, seconds: Seconds): Seconds | null => {
  const isTimed = engine.name === 'accelerate' ? declared?.rates !== undefined : hasCores(declared);
  return machine.here || isTimed ? seconds : null;
};

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

const largest = (peaks: readonly Peak[]): Peak => peaks.reduce((a, b) => (b.bytes > a.bytes ? b : a));

/** Weights are in memory in the first way that fits, and else in the last; what is computed is the same. */
function firstThatFits(
  budget: MemoryBudget,
  ways: readonly WeightResidency[],
  peakOf: (residency: WeightResidency) => Peak,
): Pick<Estimate, 'peak' | 'residency' | 'decides'> {
  const stored = peakOf('stored');
  const tried = ways
    .map((residency) => ({ residency, peak: residency === 'stored' ? stored : peakOf(residency) }))
    // what is float32 already, or in 4 bits, has one residency
    .filter(({ residency, peak }) => residency === 'stored' || peak.bytes !== stored.bytes);
  const fits = (isLenient: boolean) => tried.find(({ peak }) => fitsIn(peak, { ...budget, isLenient }));
  const last = tried.at(-1) ?? { residency: 'stored', peak: stored };
  const found = fits(false) ?? fits(true) ?? last;
  const free = tried.find(({ peak }) => fitsIn(peak, { ...budget, limit: undefined })) ?? last;
  return free === found ? found : { ...found, decides: true };
}

/** Of pairs of answers whose prompt is computed once, the row is longer. */
const readPairs = (memory: ForwardMemory, lengths: Lengths): ForwardMemory =>
  lengths.isPaired === true && sharesPrompts(memory.config, memory.adapter, lengths)
    ? { ...memory, longest: joinedPairs(lengths).longest, forked: true }
    : memory;
