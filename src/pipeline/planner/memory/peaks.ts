import { NO_TORCH_PARTS } from '../../../compute/accelerate/memory/training.js';
import type { DecoderPlan } from '../../../compute/models/decoder/types.js';
import { refusedBytes } from '../../../compute/tensor/runtimes/tfjs/kernel-calls.js';
import { MEMORY_PARTS, type MemoryPart, type MemoryParts, type Peak } from '../plan-json.js';
import { CUDA_PROCESS, DEVICE_CONTEXT, SPREAD } from './calibration.js';

export const NO_PARTS: MemoryParts = { ...NO_TORCH_PARTS, runtime: 0 };

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

const larger = <P extends { readonly bytes: number }>(one: P, other: P): P =>
  other.bytes > one.bytes ? other : one;

/** The peak of a stage that does one after the other. */
export function largestOf(peaks: readonly Peak[]): Peak {
  const devices = peaks.flatMap(({ device }) => device ?? []);
  const refused = peaks.flatMap((peak) => peak.refused ?? []);
  return {
    ...peaks.reduce(larger),
    ...(devices.length > 0 && { device: devices.reduce(larger) }),
    ...(refused.length > 0 && { refused: refused.reduce(larger) }),
  };
}

/** With an interval that reaches down to that of `least`, which may be what is computed. */
export function reachingDown(peak: Peak, least: Peak | undefined): Peak {
  if (least === undefined) return peak;
  const { device } = peak;
  const lower = <P extends { readonly low: number }>(one: P, { low }: { readonly low: number } = one): P => ({
    ...one,
    low: Math.min(one.low, low),
  });
  return { ...lower(peak, least), ...(device && { device: lower(device, least.device) }) };
}

/** With an interval that reaches up to what is expected of `most`, which may be what is computed. */
export function reachingUp(peak: Peak, most: Peak): Peak {
  const { device } = peak;
  const higher = <P extends { readonly high: number }>(one: P, other?: { readonly bytes: number }): P => ({
    ...one,
    high: Math.max(one.high, other?.bytes ?? 0),
  });
  return { ...higher(peak, most), ...(device && { device: higher(device, most.device) }) };
}

/** The peak with the largest tensor that is refused; `largest`: bytes that the GPU takes in one piece, where it has a limit. */
export function inPieces(peak: Peak, graphs: DecoderPlan['graphs'], largest: number | undefined): Peak {
  if (largest === undefined) return peak;
  const sizes = graphs.map(({ graph }) => refusedBytes(graph, largest) ?? 0);
  const bytes = Math.max(0, ...sizes);
  return bytes === 0 ? peak : { ...peak, refused: { bytes, largest } };
}
