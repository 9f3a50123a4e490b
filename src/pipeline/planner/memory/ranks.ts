/**
 * What the ranks of the accelerate engine take: the tensors of the driver as `src/compute/accelerate/memory` counts them, and the
 * processes around them. Bytes throughout.
 */
import {
  COUNTED_WITH,
  type DriverRun,
  driverTraining,
  type TorchPeak,
  torchPeak,
} from '../../../compute/accelerate/memory/index.js';
import type { RankLimits } from '../../stages/train-plan/freedom.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import type { Allocation, Peak, PeakFigures } from '../plan-json.js';
import { driverRun } from './driver-run.js';
import { NO_PARTS, peakOf } from './peaks.js';
import { CONTEXT, CPU_RANK, CUDA_RANK, processPeak } from './rank-process.js';
import type { TrainMemory } from './train.js';

export { trainedCount } from './driver-run.js';

/**
 * How much of what comes and goes is lost between blocks when memory is short: the allocator then gives back what it does not use.
 * Next to buffers of collectives it is more: of runs that failed on two A100, some would have been called a fit at 5 %, and none at
 * 10 % (`test/fixtures/published-peaks`).
 */
const LOST = { one: 0.05, several: 0.1 } as const;

/** The most that one rank takes of its device, or of the machine's memory on a CPU. */
export function rankPeak(memory: TrainMemory, ranks: RankLimits, plan: TrainPlan): Peak {
  const run = driverRun(memory, ranks, plan);
  const peak = torchPeak(driverTraining(run));
  const allocation = allocationOf(peak, run, ranks.versions);
  if (ranks.device === 'cpu') return onHost(peak, allocation, ranks.devices);
  const device = onDevice(peak, allocation, run.sharding.world > 1 ? LOST.several : LOST.one);
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
  return plan.method === 'full' ? 2 * parts.weights + parts.optimizer : parts.weights;
}

/** The figures of a device: tensors, what is lost between them, and CUDA. */
function onDevice(peak: TorchPeak, allocation: Allocation, lost: number): PeakFigures {
  const { allocated, peak: fullest } = peak;
  const { activations, logits, workspace } = fullest.parts;
  return {
    ...peakOf(
      { ...fullest.parts, runtime: CONTEXT.expected },
      {
        below: allocated.bytes - allocated.low + CONTEXT.spread,
        above: allocated.high - allocated.bytes + lost * (activations + logits + workspace) + CONTEXT.spread,
      },
    ),
    allocation: { ...allocation, reserved: whole(peak.reserved), driver: whole(peak.driver) },
  };
}

function onHost(peak: TorchPeak, allocation: Allocation, ranks: number): Peak {
  const parts = { ...NO_PARTS, ...peak.peak.parts };
  return { ...processPeak(parts, ranks, CPU_RANK), allocation };
}

const allocationOf = (
  { allocated, peak, phases }: TorchPeak,
  { uncounted, counted }: DriverRun,
  versions: RankLimits['versions'],
): Allocation => ({
  phase: peak.phase,
  bytes: Math.ceil(allocated.bytes),
  ...whole(allocated),
  phases: phases.map(({ phase, bytes }) => ({ phase, bytes: Math.ceil(bytes) })),
  ...(uncounted === undefined ? {} : { uncounted }),
  counted:
    counted === undefined
      ? { by: 'tables', torch: COUNTED_WITH.torch }
      : { by: 'here', torch: versions?.['torch'] ?? COUNTED_WITH.torch },
});

const whole = ({ low, high }: { readonly low: number; readonly high: number }) => ({
  low: Math.floor(low),
  high: Math.ceil(high),
});
