import type { DecoderPlan } from '../../../compute/models/decoder/types.js';
import { refusedBytes } from '../../../compute/tensor/runtimes/tfjs/kernel-calls.js';
import { MEMORY_PARTS, type MemoryPart, type MemoryParts, type Peak } from '../types.js';
import { CUDA_PROCESS, DEVICE_CONTEXT, SPREAD } from './calibration.js';

export const NO_PARTS: MemoryParts = {
  weights: 0,
  adapter: 0,
  gradients: 0,
  optimizer: 0,
  activations: 0,
  logits: 0,
  workspace: 0,
  runtime: 0,
};

export const sumOf = (parts: MemoryParts): number => MEMORY_PARTS.reduce((sum, part) => sum + parts[part], 0);

/** A peak whose interval is given as shares of the parts that are estimated rather than counted. */
export function peakOf(
  parts: Partial<MemoryParts>,
  spread: { readonly below: number; readonly above: number },
): Peak {
  const whole: Record<MemoryPart, number> = { ...NO_PARTS, ...parts };
  for (const part of MEMORY_PARTS) whole[part] = Math.ceil(whole[part]);
  const bytes = sumOf(whole);
  return {
    bytes,
    low: Math.max(0, Math.floor(bytes - spread.below)),
    high: Math.ceil(bytes + spread.above),
    parts: whole,
  };
}

export function largestPart(parts: MemoryParts): { readonly part: MemoryPart; readonly bytes: number } {
  return MEMORY_PARTS.map((part) => ({ part, bytes: parts[part] })).reduce((largest, one) =>
    one.bytes > largest.bytes ? one : largest,
  );
}

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

interface GpuMemory {
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

/** The peak with the largest tensor that is refused; `largest`: bytes that the GPU takes in one piece, where it has a limit. */
export function inPieces(peak: Peak, graphs: DecoderPlan['graphs'], largest: number | undefined): Peak {
  if (largest === undefined) return peak;
  const sizes = graphs.map(({ graph }) => refusedBytes(graph, largest) ?? 0);
  const bytes = Math.max(0, ...sizes);
  return bytes === 0 ? peak : { ...peak, refused: { bytes, largest } };
}
