import type { WritableTensor } from '../../models/safetensors/write.js';
import type { Adapter, StoredTensor, WeightStore } from '../../models/types.js';
import type { Span } from '../../source/span.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';
import { notFinite, overflows } from './problems.js';
import { weightUpdate } from './update.js';

export interface MergeOptions {
  readonly dtype: MergeDtype;
  /** Left out: the weights are only written in another form. */
  readonly adapter?: Adapter;
  /** Where the dtype is set: what an error points at. */
  readonly at?: Span;
  /** Called after each tensor. */
  readonly onTensor?: (name: string) => void;
}

/** Values that are worked on at one time: 4 MiB of float32. */
const PIECE = 1 << 20;

/**
 * The merged tensors, made a few rows at a time when they are written: beyond the base itself nothing larger than
 * some megabytes is ever held. Throws a `UserError` where a value does not fit the dtype.
 */
export function mergedTensors(base: WeightStore, options: MergeOptions): readonly WritableTensor[] {
  const { safetensors } = mergeDtypes[options.dtype];
  return base.names().map((name) => {
    const stored = base.get(name);
    return {
      name,
      dtype: safetensors,
      shape: stored.shape,
      *chunks() {
        yield* mergedChunks(stored, options);
        options.onTensor?.(name);
      },
    };
  });
}

function* mergedChunks(stored: StoredTensor, options: MergeOptions): Generator<Uint8Array> {
  const { encode } = mergeDtypes[options.dtype];
  const update = options.adapter && weightUpdate(options.adapter, stored.name, stored.shape);
  const [count = 1, ...rest] = stored.shape;
  const width = rest.reduce((product, size) => product * size, 1);
  const piece = Math.max(1, Math.floor(PIECE / width));
  for (let first = 0; first < count; first += piece) {
    const rows = Math.min(piece, count - first);
    const values = new Float32Array(rows * width);
    stored.decodeRows(first, rows, values);
    update?.add(values, first);
    check(stored.name, values, options);
    yield encode(values);
  }
}

function check(name: string, values: Float32Array, { dtype, at }: MergeOptions): void {
  const { overflow } = mergeDtypes[dtype];
  for (const value of values) {
    if (!Number.isFinite(value)) throw notFinite(name, at);
    if (Math.abs(value) >= overflow) throw overflows(name, value, dtype, at);
  }
}
