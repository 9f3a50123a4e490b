/** How long the ranks of the accelerate engine train: foretold for a machine whose figures are declared, or as measured before. */
import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { batchRows, cacheBytesPerToken } from '../../../compute/evaluation/generation/generate.js';
import { adapterShapes } from '../../../compute/models/adapters/kinds.js';
import type { AccelerateRun } from '../../../language/ir/engines.js';
import type { Machine } from '../../../language/ir/machine.js';
import type { Stage } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { precisionOf } from '../../stages/train/precision.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { BIN, type Lengths, shortened } from '../expected-rows.js';
import { decoderShape, optimizerBytes, type TrainMemory } from '../memory/train.js';
import type { PlanContext } from '../plan-context.js';
import type { Pace, Seconds } from '../plan-json.js';
import { isInFourBits } from '../stage-models.js';
import type { TrainFacts } from '../train-stage.js';
import { type DecoderWork, decoderWork } from './decoder-work.js';
import { type DeviceSpeed, deviceSpeed, withNetwork } from './device.js';
import { machinesOf } from './network.js';
import { type RankStep, stepSeconds } from './rank-seconds.js';
import { forwardSeconds, tokenSeconds } from './step-seconds.js';
import { DISK, FORETOLD, MEASURED, START } from './utilisation.js';

interface TrainTime {
  /** `null`: nothing is known of how fast the machine is. */
  readonly seconds: Seconds | null;
  readonly pace: Pace;
}

interface TimeContext extends Pick<PlanContext, 'declared' | 'network'> {
  readonly engine: AccelerateRun;
  /** Operations per second that trainings of this name have reached, if any has. */
  readonly reachedBy: (name: string) => number | undefined;
}

/** Bytes per weight of NF4, its constants with it. */
const NF4 = 0.516;

export function trainTime(
  { engine, declared, network, reachedBy }: TimeContext,
  stage: Stage,
  facts: TrainFacts,
  plan: TrainPlan,
): TrainTime {
  const { memory } = facts;
  const work = decoderWork(decoderShape(memory, plan).config);
  const lengths = shortened(memory.lengths, plan.maxLength);
  const step = rankStep(machinesOf(engine, declared), facts, plan, { work, lengths });
  const steps = memory.steps(lengths.rows);
  const pace = paceOf({ engine, declared }, stage, plan, flopsPerToken(work, step, lengths));
  const start = START + (work.weights * step.weightBytes) / DISK;
  const written = checkpointBytes(stage, memory, plan, steps) / DISK;
  const reached = reachedBy(pace.name);
  if (reached !== undefined) {
    const tokens =
      steps * Math.min(settingsOf(stage, 'train').batch.global, lengths.rows) * meanTokens(lengths);
    return { seconds: between(start + written + (tokens * pace.flopsPerToken) / reached, MEASURED), pace };
  }
  const device = declared && deviceSpeed(declared, memory.precision);
  if (device === undefined) return { seconds: null, pace };
  const watched = validationSeconds(stage, facts, { work, step, steps }, device);
  const other = start + written + watched;
  const trained = (bytesPerSecond: number | undefined): number =>
    other + steps * stepSeconds(work, step, withNetwork(device, bytesPerSecond));
  return {
    seconds: {
      expected: trained(network?.bytesPerSecond),
      low: FORETOLD.low * trained(network?.fastest),
      high: FORETOLD.high * trained(network?.slowest),
    },
    pace,
  };
}

export const between = (expected: number, { low, high }: { low: number; high: number }): Seconds => ({
  expected,
  low: low * expected,
  high: high * expected,
});

const meanTokens = ({ tokens, rows }: Lengths): number => tokens / Math.max(1, rows);

interface StepInput {
  readonly work: DecoderWork;
  readonly lengths: Lengths;
}

function rankStep(
  { devices, nodes }: Pick<AccelerateRun, 'devices' | 'nodes'>,
  { memory }: TrainFacts,
  plan: TrainPlan,
  { work, lengths }: StepInput,
): RankStep {
  const shape = decoderShape(memory, plan);
  const isFull = plan.method === 'full';
  const tensors = shape.adapter === undefined ? [] : adapterShapes(shape.config, shape.adapter);
  const trained = isFull
    ? work.weights
    : tensors.reduce((sum, { shape: sizes }) => sum + sizes.reduce((product, size) => product * size, 1), 0);
  const width = memory.precision === 'bf16' ? 2 : 4;
  const isQuantised = isInFourBits(memory.config, plan.method);
  const quantised = work.quantised / work.weights;
  return {
    rows: shape.rows,
    length: memory.packed === undefined ? expectedLongest(lengths, shape.rows) : shape.length,
    supervised: lengths.supervised / Math.max(1, lengths.tokens),
    weightBytes: isQuantised ? quantised * NF4 + (1 - quantised) * width : isFull ? 4 : width,
    width,
    isQuantised,
    isFull,
    trained,
    // A and B of each
    targets: tensors.length / 2 / work.layers,
    recomputed: plan.checkpointedBlocks / work.layers,
    // a step has no more rows than there are
    microBatches: Math.min(plan.accumulation, Math.ceil(Math.max(1, lengths.rows) / shape.rows)),
    sharding: plan.sharding,
    devices,
    nodes,
    state: optimizerBytes(memory, plan),
  };
}

/** Tokens of the longest of so many rows, on average: what a micro batch is padded to. */
export function expectedLongest({ histogram, rows }: Lengths, count: number): number {
  if (rows === 0) return 1;
  let [below, expected] = [0, 0];
  for (const [bin, found] of histogram.entries()) {
    const upTo = below + found / rows;
    expected += (Math.min(1, upTo) ** count - Math.min(1, below) ** count) * BIN * (bin + 0.5);
    below = upTo;
  }
  return Math.max(1, expected);
}

/** Operations of the training per token that is no padding. */
function flopsPerToken(work: DecoderWork, step: RankStep, lengths: Lengths): number {
  const { isFull, recomputed, length } = step;
  const sides = 1 + recomputed + (isFull ? 2 : 1);
  const perToken =
    2 * sides * work.linear +
    2 * (isFull ? 3 : 2) * step.supervised * work.head +
    2 * (sides + 0.5) * length * work.queries * work.layers +
    (isFull ? 0 : 2 * (3 + recomputed) * step.trained);
  return (perToken * length) / Math.max(1, Math.min(length, meanTokens(lengths)));
}

function validationSeconds(
  stage: Stage,
  { memory }: TrainFacts,
  { work, step, steps }: { readonly work: DecoderWork; readonly step: RankStep; readonly steps: number },
  device: DeviceSpeed,
): number {
  const { validation } = memory;
  if (validation === undefined) return 0;
  const { validation: how, checkpoint } = settingsOf(stage, 'train');
  const times = Math.ceil(steps / (how?.every ?? checkpoint.every));
  const batches = Math.ceil(validation.rows / step.rows / (step.devices * step.nodes));
  const length = expectedLongest(validation, step.rows);
  const losses = times * batches * forwardSeconds(work, { ...step, length }, device);
  return losses + times * answerSeconds(memory, { work, step }, device);
}

/** Prompts are passed through together, and answers grow a token at a time. */
function answerSeconds(
  { answers, config, lengths }: TrainMemory,
  { work, step }: { readonly work: DecoderWork; readonly step: RankStep },
  device: DeviceSpeed,
): number {
  if (answers === undefined || answers.rows === 0) return 0;
  const { rows, prompt, maxTokens } = answers;
  const together = Math.min(rows, batchRows(config, prompt + maxTokens, EVALUATION_SHAPES.together));
  const batches = Math.ceil(rows / together / (step.devices * step.nodes));
  const grown = Math.min(maxTokens, (1.5 * lengths.supervised) / Math.max(1, lengths.rows));
  const pass = { ...step, rows: together, length: prompt };
  const token = tokenSeconds(
    work,
    { ...pass, length: prompt + grown / 2 },
    device,
    cacheBytesPerToken(config),
  );
  return batches * (forwardSeconds(work, pass, device) + grown * token);
}

/** Trained numbers and their state, at each checkpoint. */
function checkpointBytes(stage: Stage, memory: TrainMemory, plan: TrainPlan, steps: number): number {
  const state = optimizerBytes(memory, plan);
  const { validation, checkpoint } = settingsOf(stage, 'train');
  return Math.ceil(steps / Math.min(checkpoint.every, validation?.every ?? checkpoint.every)) * 1.5 * state;
}

/** Which trainings have the same rate: those of the same devices, format and method. */
function paceOf(
  { engine, declared }: { readonly engine: AccelerateRun; readonly declared: Machine | undefined },
  stage: Stage,
  { method, sharding }: TrainPlan,
  flops: number,
): Pace {
  const { devices, nodes, device, version } = engine;
  const place = device === 'cpu' ? 'cpu' : (declared?.device ?? 'gpu');
  const name = [
    `${devices * nodes} x ${place}`,
    precisionOf(settingsOf(stage, 'train')),
    method,
    ...(sharding === undefined ? [] : [sharding]),
    version,
  ].join(', ');
  return { name, flopsPerToken: flops };
}
