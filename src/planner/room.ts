/** What a stage may take, and how a peak compares with it. */
import type { Peak, PeakFigures } from './types.js';

export interface Room {
  /** Of the machine's memory. */
  readonly availableBytes: number;
  /** Of a GPU's, where tensors lie on one. */
  readonly deviceBytes?: number;
}

export interface Tight {
  readonly needs: PeakFigures;
  readonly available: number;
  readonly where: 'machine' | 'GPU';
}

/** Of the two memories, the one of which a peak takes the greater share. */
export function tighter(peak: Peak, { availableBytes, deviceBytes }: Room): Tight {
  const onHost: Tight = { needs: peak, available: availableBytes, where: 'machine' };
  if (peak.device === undefined || deviceBytes === undefined) return onHost;
  const onDevice: Tight = { needs: peak.device, available: deviceBytes, where: 'GPU' };
  return onDevice.needs.high * availableBytes > onHost.needs.high * deviceBytes ? onDevice : onHost;
}

/** The upper end of the interval counts: a plan that may turn out not to fit does not fit. */
export function fitsIn(peak: Peak, room: Room): boolean {
  const { needs, available } = tighter(peak, room);
  return needs.high <= available;
}
