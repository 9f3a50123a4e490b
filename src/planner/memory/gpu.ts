/** A peak in two memories: tensors lie on a GPU, and the process keeps what it hands to it. */
import type { MemoryParts, Peak } from '../types.js';
import { CUDA_PROCESS, DEVICE_CONTEXT, SPREAD } from './calibration.js';
import { peakOf, sumOf } from './parts.js';

export interface GpuMemory {
  /** Tensors there; `runtime` 0. */
  readonly device: MemoryParts;
  /** What stays in the process; `runtime` is the process itself, without CUDA's libraries. */
  readonly host: MemoryParts;
  /** How much wider the intervals are than those of a training. */
  readonly wider?: number;
}

export function gpuPeak({ device, host, wider = 1 }: GpuMemory): Peak {
  const figures = (parts: MemoryParts, more: { readonly expected: number; readonly spread: number }) => {
    const whole = { ...parts, runtime: parts.runtime + more.expected };
    return peakOf(whole, {
      below: wider * SPREAD.below * sumOf(whole) + more.spread,
      above: wider * SPREAD.above * sumOf(whole) + more.spread,
    });
  };
  return { ...figures(host, CUDA_PROCESS), device: figures(device, DEVICE_CONTEXT) };
}
