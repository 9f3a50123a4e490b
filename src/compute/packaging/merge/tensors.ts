import type { Span } from '../../../language/source/span.js';
import type { WritableTensor } from '../../models/safetensors/write.js';
import type { StoredTensor, WeightStore } from '../../models/types.js';
import { discardedYoung } from '../../tensor/garbage.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';
import { notFinite, overflows } from './merge-diagnostics.js';
import type { MergePlan } from './plan.js';
import { type WeightUpdate, weightUpdate } from './update.js';

export interface MergeOptions {
  readonly dtype: MergeDtype;
  /** What an adapter changes. Without one, the weights are only converted. */
  readonly plan?: MergePlan;
  /** Where the dtype is set: what an error points at. */
  readonly at?: Span;
  /** Called after each tensor. */
  readonly onTensor?: (name: string) => void;
}

/** Values that are worked on at a time: 4 MiB of float32. */
const PIECE = 1 << 20;

/**
 * The merged tensors, made a few rows at a time when they are written: beyond the base itself nothing larger than
 * a few megabytes is ever in memory. Throws a `UserError` if a value does not fit the dtype.
 */
export function mergedTensors(base: WeightStore, options: MergeOptions): readonly WritableTensor[] {
  const { safetensors } = mergeDtypes[options.dtype];
  const { plan } = options;
  const updateOf = (stored: StoredTensor): WeightUpdate | undefined => {
    const projection = plan?.projections.get(stored.name);
    return plan && projection && weightUpdate(plan.adapter, projection, stored);
  };
  const written = (name: string, stored: StoredTensor): WritableTensor => ({
    name,
    dtype: safetensors,
    shape: stored.shape,
    *chunks() {
      yield* mergedChunks(stored, updateOf(stored), options);
      options.onTensor?.(name);
    },
  });
  const whole = plan?.whole ?? new Map<string, StoredTensor>();
  const names = [...new Set([...base.names(), ...whole.keys()])].filter((name) => name !== plan?.unread);
  return names.map((name) => written(name, whole.get(name) ?? base.get(name)));
}

function* mergedChunks(
  stored: StoredTensor,
  update: WeightUpdate | undefined,
  options: MergeOptions,
): Generator<Uint8Array> {
  const { encode } = mergeDtypes[options.dtype];
  const [count = 1, ...rest] = stored.shape;
  const width = rest.reduce((product, size) => product * size, 1);
  const piece = Math.max(1, Math.floor(PIECE / width));
  for (let first = 0; first < count; first += piece) {
    const rows = Math.min(piece, count - first);
    const values = new Float32Array(rows * width);
    stored.dequantiseRows(first, rows, values);
    update?.apply(values, first);
    check(stored.name, values, options);
    const bytes = encode(values);
    yield bytes;
    // written by now
    discardedYoung(values.byteLength + (bytes.buffer === values.buffer ? 0 : bytes.byteLength));
  }
}

function check(name: string, values: Float32Array, { dtype, at }: MergeOptions): void {
  const { overflow } = mergeDtypes[dtype];
  for (const value of values) {
    if (!Number.isFinite(value)) throw notFinite(name, at);
    if (Math.abs(value) >= overflow) throw overflows(name, value, dtype, at);
  }
}
