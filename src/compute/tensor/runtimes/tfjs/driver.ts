/** What WebGPU says about the GPU that it computes on. */
import type { DriverFacts } from '../../types.js';

export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

export interface AdapterLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/** Bytes of the largest tensor that lies in one buffer, and is bound as a whole. */
export const largestOf = ({ maxBufferSize, maxStorageBufferBindingSize }: AdapterLimits): number =>
  Math.min(maxBufferSize, maxStorageBufferBindingSize);

/** Drivers that compute on the CPU, where they do not say it. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|\bwarp\b|basic render/i;

/** What Dawn drives on each system. */
const BACKENDS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'Vulkan',
  darwin: 'Metal',
  win32: 'Direct3D 12',
};

const MIB = 2 ** 20;

export function driverOf({
  info,
  limits,
}: {
  readonly info: AdapterInfo;
  readonly limits: AdapterLimits;
}): DriverFacts {
  const { vendor, architecture, description, isFallbackAdapter } = info;
  const known = [description, architecture, vendor].filter((text) => text !== '' && text !== undefined);
  const name = known[0] ?? 'a GPU without a name';
  const isSoftware = isFallbackAdapter === true || SOFTWARE.test(known.join(' '));
  return {
    name,
    facts: [
      `${name} through ${BACKENDS[process.platform] ?? 'WebGPU'}`,
      ...(vendor ? [`of ${vendor}`] : []),
      ...(isSoftware ? ['a driver in software'] : []),
      `tensors up to ${Math.floor(largestOf(limits) / MIB)} MiB in one piece`,
    ],
    isSoftware,
  };
}
