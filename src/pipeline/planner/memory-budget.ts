/** What a stage may take, and how a peak compares with it. */

import { limitText } from './limits.js';
import {
  type BudgetLimit,
  MEMORY_PARTS,
  type Peak,
  type PeakFigures,
  type PlannedDevice,
  type RefusedTensor,
} from './plan-json.js';
import { bytes } from './quantities.js';

export interface MemoryBudget {
  /** Of the machine's memory. */
  readonly availableBytes: number;
  /** Where tensors lie, if not in the machine's memory alone. */
  readonly device?: PlannedDevice;
  /** What a budget allows the process. */
  readonly limit?: BudgetLimit;
  /** What is expected has to be within the budget, and not the upper end of its interval. */
  readonly isLenient?: boolean;
}

export interface TightMemory {
  readonly needs: PeakFigures;
  readonly available: number;
  /** Default: the machine. */
  readonly device?: PlannedDevice;
  /** The budget that allows less than the machine. */
  readonly limit?: BudgetLimit;
}

/**
 * Of the two memories, the one of which a peak takes the greater share. A budget is one of each process, and the machine is
 * shared by all of them.
 */
export function tighter(peak: Peak, { availableBytes: all, device, limit }: MemoryBudget): TightMemory {
  const ofMachine = Math.floor(all / (peak.ranks ?? 1));
  const availableBytes = Math.min(ofMachine, limit?.most ?? ofMachine);
  const decides = limit !== undefined && limit.most < ofMachine;
  const onHost: TightMemory = {
    needs: peak,
    available: availableBytes,
    ...(decides ? { limit } : {}),
  };
  if (peak.device === undefined || device === undefined) return onHost;
  const onDevice: TightMemory = { needs: peak.device, available: device.availableBytes, device };
  return onDevice.needs.high * availableBytes > onHost.needs.high * onDevice.available ? onDevice : onHost;
}

/** The upper end of the interval counts: a plan that may turn out not to fit does not fit. */
export function fitsIn(peak: Peak, budget: MemoryBudget): boolean {
  const { limit, isLenient, ...machine } = budget;
  if (limit !== undefined && isLenient) return peak.bytes <= limit.most && fitsIn(peak, machine);
  const { needs, available } = tighter(peak, budget);
  return peak.refused === undefined && needs.high <= available;
}

/** `a tensor of 1.50 GiB has to be in one piece, and the GPU takes 1.00 GiB` */
export const refusedText = ({ bytes: size, largest }: RefusedTensor): string =>
  `a tensor of ${bytes(size)} has to be in one piece, and the GPU takes ${bytes(largest)}`;

/** `3.00 GiB available on NVIDIA L4` */
export function availableText({ available, device, limit }: TightMemory): string {
  if (limit !== undefined) return `${bytes(available)} of ${limitText(limit)}`;
  if (device === undefined) return `${bytes(available)} available`;
  return `${bytes(available)} ${device.isLimited ? 'allowed' : 'available'} on ${device.name}`;
}

/** `largest part: weights, 1.50 GiB` */
export function largestText({ parts }: PeakFigures): string {
  const largest = MEMORY_PARTS.reduce((most, part) => (parts[part] > parts[most] ? part : most));
  return `largest part: ${largest}, ${bytes(parts[largest])}`;
}
