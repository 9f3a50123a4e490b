/** The processes around tensors on the accelerate engine: Python with its libraries, and CUDA. Bytes throughout. */
import type { MemoryParts, Peak, PeakFigures } from '../plan-json.js';
import { peakOf, sumOf } from './peaks.js';

const MIB = 2 ** 20;

/**
 * A rank that computes on the CPU, without its tensors: Python, PyTorch, Transformers and PEFT. Measured: 0.79 to 0.96 GiB
 * with tiny models, torch 2.15 on Linux x64.
 */
export const CPU_RANK = { expected: 900 * MIB, spread: 160 * MIB } as const;
/** One that computes on a GPU: the same with CUDA's libraries; assumed, and not measured. */
export const CUDA_RANK = { expected: 2560 * MIB, spread: 1280 * MIB } as const;
/** The process of the stage, which watches the ranks. */
const WATCHER = 120 * MIB;

/** How far a process may be from its tensors, as a share of them: allocators keep what they have freed, and lose some of it. */
const SPREAD = { below: 0.2, above: 0.25 } as const;

/** What of a device CUDA, its libraries and NCCL take; assumed, from what is published. */
export const CONTEXT = { expected: 900 * MIB, spread: 500 * MIB } as const;

interface RankProcess {
  readonly expected: number;
  readonly spread: number;
}

export function figures(parts: MemoryParts, { expected, spread }: RankProcess): PeakFigures {
  const tensors = sumOf(parts);
  return peakOf(
    { ...parts, runtime: expected },
    { below: SPREAD.below * tensors + spread, above: SPREAD.above * tensors + spread },
  );
}

/** Of one of the ranks of this machine, with its share of the process that watches them. */
export function processPeak(parts: MemoryParts, ranks: number, process: RankProcess): Peak {
  const peak = figures(parts, { ...process, expected: process.expected + WATCHER / ranks });
  return ranks === 1 ? peak : { ...peak, ranks };
}
