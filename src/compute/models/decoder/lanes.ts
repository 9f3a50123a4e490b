/**
 * Weights that are dequantised by several threads: each has a lane of memory of its own, which is handed to it to be
 * filled and back. The first lane is this thread's, and takes whatever only this one can dequantise.
 */
import { allocateOnHost } from '../../tensor/out-of-memory.js';
import { sizeOf } from '../../tensor/shape.js';
import type { HostTensor } from '../../tensor/types.js';
import type { NamedShape } from '../architectures/index.js';
import type { Tiling } from '../weights/dequantisation.js';
import { type CodedValues, type DequantisingThread, dequantiseAll } from '../weights/dequantising-threads.js';
import type { SharedNf4 } from '../weights/nf4-quantise.js';
import { floatTensor } from './parameters.js';

/** What is known of a tensor that may be dequantised elsewhere. */
interface Shareable {
  readonly shape: readonly number[];
  readonly isShared: boolean;
}

/** The lane of each tensor: the largest first, each to the lane with least so far. All lanes of a block are then about as long. */
export function lanesOf(tensors: readonly Shareable[], lanes: number): readonly number[] {
  const sizes = new Array<number>(lanes).fill(0);
  const chosen = new Array<number>(tensors.length).fill(0);
  const put = (at: number, lane: number): void => {
    chosen[at] = lane;
    sizes[lane] = (sizes[lane] ?? 0) + sizeOf(tensors[at]?.shape ?? [0]);
  };
  const places = tensors.map((_, at) => at);
  for (const at of places) if (!tensors[at]?.isShared) put(at, 0);
  const shared = places.filter((at) => tensors[at]?.isShared);
  const sizeAt = (at: number): number => sizeOf(tensors[at]?.shape ?? [0]);
  for (const at of shared.sort((a, b) => sizeAt(b) - sizeAt(a) || a - b))
    put(at, sizes.indexOf(Math.min(...sizes)));
  return chosen;
}

/** Values of each lane: the most that a group of tensors puts into it. */
export function laneSizes(groups: readonly (readonly Shareable[])[], lanes: number): readonly number[] {
  const sizes = new Array<number>(lanes).fill(0);
  for (const group of groups) {
    const own = new Array<number>(lanes).fill(0);
    lanesOf(group, lanes).forEach((lane, at) => {
      own[lane] = (own[lane] ?? 0) + sizeOf(group[at]?.shape ?? [0]);
    });
    own.forEach((size, lane) => {
      sizes[lane] = Math.max(sizes[lane] ?? 0, size);
    });
  }
  return sizes;
}

/** A tensor of a lane: an input of a graph. */
export interface LaneTensor extends Pick<NamedShape, 'shape'> {
  readonly input: string;
  readonly data: SharedNf4;
  readonly tiling?: Tiling | undefined;
}

/** The memory that another thread fills. */
export class Lane {
  private values: Float32Array<ArrayBuffer>;

  constructor(
    private readonly thread: DequantisingThread,
    private readonly size: number,
  ) {
    this.values = this.fresh();
  }

  /** The tensors, by the names of inputs, until it is filled again. */
  async fill(tensors: readonly LaneTensor[]): Promise<Readonly<Record<string, HostTensor>>> {
    if (tensors.length === 0) return {};
    const coded = tensors.map(({ data, shape, tiling }) => ({ data, length: sizeOf(shape), tiling }));
    this.values = (await this.thread.dequantise(coded, this.values)) ?? this.filledHere(coded);
    const filled: Record<string, HostTensor> = {};
    let end = 0;
    for (const { input, shape } of tensors) {
      const start = end;
      end += sizeOf(shape);
      filled[input] = floatTensor(shape, this.values.subarray(start, end));
    }
    return filled;
  }

  /** Where the thread is lost; the memory, if it was handed over, is lost with it. */
  private filledHere(coded: readonly CodedValues[]): Float32Array<ArrayBuffer> {
    return dequantiseAll(coded, this.values.length === 0 ? this.fresh() : this.values);
  }

  private fresh(): Float32Array<ArrayBuffer> {
    return allocateOnHost(4 * this.size, (bytes) => new Float32Array(new ArrayBuffer(bytes)));
  }
}
