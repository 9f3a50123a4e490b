/**
 * What the ranks of the accelerate engine take: the tensors of the driver as `src/compute/accelerate/memory` counts them, and the
 * processes around them. Bytes throughout.
 */
import {
  driverTraining,
  type TorchPeak,
  torchPeak,
  torchShape,
} from '../../../compute/accelerate/memory/index.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { RankLimits } from '../../stages/train-plan/freedom.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import type { Allocation, MemoryParts, Peak, PeakFigures } from '../plan-json.js';
import { driverRun } from './driver-run.js';
import { NO_PARTS, peakOf, sumOf } from './peaks.js';
import type { TrainMemory } from './train.js';

export { trainedCount } from './driver-run.js';

const MIB = 2 ** 20;

/**
 * A rank that computes on the CPU, without its tensors: Python, PyTorch, Transformers and PEFT. Measured: 0.79 to 0.96 GiB
 * with tiny models, torch 2.15 on Linux x64.
 */
const CPU_RANK = { expected: 900 * MIB, spread: 160 * MIB } as const;
/** One that computes on a GPU: the same with CUDA's libraries; assumed, and not measured. */
const CUDA_RANK = { expected: 2560 * MIB, spread: 1280 * MIB } as const;
/** The process of the stage, which watches the ranks. */
const WATCHER = 120 * MIB;

/** How far a process may be from its tensors, as a share of them: allocators keep what they have freed, and lose some of it. */
const SPREAD = { below: 0.2, above: 0.25 } as const;

/**
 * What of a device CUDA, its libraries and NCCL take, and how much of what comes and goes is lost between blocks when memory is
 * short, since the allocator then gives back what it does not use; assumed, from what is published.
 */
const CONTEXT = { expected: 900 * MIB, spread: 500 * MIB } as const;
const LOST = 0.05;

/** The most that one rank takes of its device, or of the machine's memory on a CPU. */
export function rankPeak(memory: TrainMemory, ranks: RankLimits, plan: TrainPlan): Peak {
  const run = driverRun(memory, ranks, plan);
  const peak = torchPeak(driverTraining(run));
  if (ranks.device === 'cpu') return onHost(peak, ranks.devices, CPU_RANK);
  const device = onDevice(peak);
  // a machine of the catalogue is its devices
  if (memory.device === undefined) return device;
  const away = plan.cpuOffload === true ? hostBytes(memory, ranks, plan) / ranks.devices : 0;
  return { ...processPeak({ ...NO_PARTS, weights: away }, ranks.devices, CUDA_RANK), device };
}

/** What ranks keep in the memory of the machine: what they would have on one device without it, but for what is gathered. */
function hostBytes(memory: TrainMemory, ranks: RankLimits, plan: TrainPlan): number {
  const { cpuOffload: _, ...there } = plan;
  const one = { ...ranks, world: 1 };
  const { parts } = torchPeak(driverTraining(driverRun(memory, one, there))).peak;
  return plan.method === 'full' ? parts.weights + 3 * parts.weights : parts.weights;
}

/** Rows that a worker computes at a time, and their tokens; `cached`: those whose keys and values are kept. */
export interface WorkerRows {
  readonly count: number;
  readonly length: number;
  readonly cached: number;
}

/** Tokens whose logits a worker has at a time. */
const WORKER_LOGITS = 512;

/** What one process takes that evaluates, answers or merges, in float32. */
export function workerPeak(
  config: ModelConfig,
  place: Pick<RankLimits, 'device'> & { readonly hasDevice: boolean },
  rows: WorkerRows,
): Peak {
  const { linear, embedding, head, other } = torchShape(config);
  const tokens = rows.count * rows.length;
  const parts: MemoryParts = {
    ...NO_PARTS,
    weights: 4 * (linear + embedding + head + other),
    activations:
      4 * tokens * (6 * config.hiddenSize + 3 * config.intermediateSize) +
      8 * config.layers * config.keyValueHeads * config.headDim * rows.cached,
    logits: 8 * config.vocabSize * Math.min(tokens, WORKER_LOGITS),
  };
  if (place.device === 'cpu') return processPeak(parts, 1, CPU_RANK);
  const device = figures(parts, CONTEXT);
  return place.hasDevice ? { ...processPeak(NO_PARTS, 1, CUDA_RANK), device } : device;
}

/** The figures of a device: tensors, what is lost between them, and CUDA. */
function onDevice(peak: TorchPeak): PeakFigures {
  const { allocated, peak: fullest } = peak;
  const { activations, logits, workspace } = fullest.parts;
  return {
    ...peakOf(
      { ...fullest.parts, runtime: CONTEXT.expected },
      {
        below: allocated.bytes - allocated.low + CONTEXT.spread,
        above: allocated.high - allocated.bytes + LOST * (activations + logits + workspace) + CONTEXT.spread,
      },
    ),
    allocation: { ...allocationOf(peak), reserved: whole(peak.reserved), driver: whole(peak.driver) },
  };
}

function onHost(peak: TorchPeak, ranks: number, process: RankProcess): Peak {
  const parts = { ...NO_PARTS, ...peak.peak.parts };
  return { ...processPeak(parts, ranks, process), allocation: allocationOf(peak) };
}

const allocationOf = ({ allocated, peak, phases }: TorchPeak): Allocation => ({
  phase: peak.phase,
  bytes: Math.ceil(allocated.bytes),
  ...whole(allocated),
  phases: phases.map(({ phase, bytes }) => ({ phase, bytes: Math.ceil(bytes) })),
});

const whole = ({ low, high }: { readonly low: number; readonly high: number }) => ({
  low: Math.floor(low),
  high: Math.ceil(high),
});

interface RankProcess {
  readonly expected: number;
  readonly spread: number;
}

function figures(parts: MemoryParts, { expected, spread }: RankProcess): PeakFigures {
  const tensors = sumOf(parts);
  return peakOf(
    { ...parts, runtime: expected },
    { below: SPREAD.below * tensors + spread, above: SPREAD.above * tensors + spread },
  );
}

/** Of one of the ranks of this machine, with its share of the process that watches them. */
function processPeak(parts: MemoryParts, ranks: number, process: RankProcess): Peak {
  const peak = figures(parts, { ...process, expected: process.expected + WATCHER / ranks });
  return ranks === 1 ? peak : { ...peak, ranks };
}
