/** One device as times are computed for it, from the declaration of its machine. */
import type { Precision } from '../../../compute/models/decoder/types.js';
import type { Machine } from '../../../language/ir/machine.js';
import { DEFAULT_LINKS, UTILISATION } from './utilisation.js';

export interface DeviceSpeed {
  /** Operations per second of products in the precision that is asked for, as the data sheet has it. */
  readonly rate: number;
  /** Bytes per second, as reached. */
  readonly memory: number;
  /** Bytes per second in one direction between devices of the machine, as reached, and between machines. */
  readonly link: number;
  readonly network: number;
}

/** With another network between machines, where one is given: bytes per second of its data sheet. */
export const withNetwork = (device: DeviceSpeed, bytesPerSecond: number | undefined): DeviceSpeed =>
  bytesPerSecond === undefined ? device : { ...device, network: bytesPerSecond * UTILISATION.network };

/** `undefined` where the declaration does not say how fast it is. */
export function deviceSpeed(
  { device, rates, bandwidth, interconnect, network }: Machine,
  precision: Precision | undefined,
): DeviceSpeed | undefined {
  if (device === undefined || rates === undefined || bandwidth === undefined) return undefined;
  const { f32, bf16, f16 } = rates;
  // without units for bfloat16, products of it are computed as those of float32
  const rate = precision === 'bf16' ? (bf16 ?? f32) : (f32 ?? (bf16 ?? f16 ?? 0) / 16);
  if (rate === undefined || rate === 0) return undefined;
  return {
    rate,
    memory: bandwidth * UTILISATION.bandwidth,
    link:
      interconnect === undefined
        ? (DEFAULT_LINKS.interconnect / 2) * UTILISATION.pcie
        : (interconnect / 2) * UTILISATION.interconnect,
    network: (network ?? DEFAULT_LINKS.network) * UTILISATION.network,
  };
}
