/** A peak in two memories: tensors lie on a device, and the process keeps what it hands to it. */
import type { MemoryParts, Peak } from '../types.js';
import { CUDA_PROCESS, DEVICE_CONTEXT, SPREAD } from './calibration.js';
import { peakOf, sumOf } from './peak-parts.js';

interface Allowance {
  readonly expected: number;
  readonly spread: number;
}

const NOTHING: Allowance = { expected: 0, spread: 0 };

/** `wider`: how much wider the interval is than that of a training. */
function figures(parts: MemoryParts, wider: number, { expected, spread }: Allowance = NOTHING): Peak {
  const whole = { ...parts, runtime: parts.runtime + expected };
  return peakOf(whole, {
    below: wider * SPREAD.below * sumOf(whole) + spread,
    above: wider * SPREAD.above * sumOf(whole) + spread,
  });
}

export interface GpuMemory {
  /** Tensors there; `runtime` 0. */
  readonly device: MemoryParts;
  /** What stays in the process; `runtime` is the process itself, without CUDA's libraries. */
  readonly host: MemoryParts;
  readonly wider?: number;
}

/** With a GPU's own memory. */
export const gpuPeak = ({ device, host, wider = 1 }: GpuMemory): Peak => ({
  ...figures(host, wider, CUDA_PROCESS),
  device: figures(device, wider, DEVICE_CONTEXT),
});

/** Where what lies on the device is, or may be, the process's too. */
export const sharedPeak = (process: Peak, device: MemoryParts, wider = 1): Peak => ({
  ...process,
  device: figures(device, wider),
});
