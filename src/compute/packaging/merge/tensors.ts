import type { Span } from '../../../language/source/span.js';
import type { WritableTensor } from '../../models/safetensors/write.js';
import type { StoredTensor, WeightStore } from '../../models/types.js';
import { discarded } from '../../tensor/garbage.js';
import { sizeOf } from '../../tensor/shape.js';
import { ofItsOwn, type RowSource, sharedRoom } from '../gguf/tensors.js';
import { type MergeDtype, mergeDtypes, overflowOf, type StoredAs } from './dtypes.js';
import { expertUpdate } from './experts.js';
import { notFinite, overflows } from './merge-diagnostics.js';
import type { MergePlan } from './plan.js';
import { type WeightUpdate, weightUpdate } from './update.js';

interface MergeOptions {
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

interface MergedRows {
  readonly names: readonly string[];
  /** A tensor that the model has, merged some rows at a time. Throws a `UserError` for a value that does not fit the dtype. */
  source(name: string): RowSource;
}

/** The merged tensors of a base, none of which is ever in memory as a whole. */
export function mergedRows(
  base: WeightStore,
  { plan, at, stored: form }: Pick<MergeOptions, 'plan' | 'at'> & { readonly stored: StoredAs },
): MergedRows {
  const whole = plan?.whole ?? new Map<string, StoredTensor>();
  const room = sharedRoom();
  const names = [...new Set([...base.names(), ...whole.keys()])].filter((name) => name !== plan?.unread);
  return {
    names,
    source(name) {
      const stored = whole.get(name) ?? base.get(name);
      const update = plan && updateOf(plan, name, stored);
      const width = sizeOf(stored.shape.slice(1));
      return {
        shape: stored.shape,
        rows(first, count) {
          const values = room(count * width);
          stored.dequantiseRows(first, count, values);
          update?.apply(values, first);
          check(stored.name, values, form, at);
          return values;
        },
      };
    },
  };
}

function updateOf(
  { adapter, projections, experts }: MergePlan,
  name: string,
  stored: StoredTensor,
): WeightUpdate | undefined {
  const projection = projections.get(name);
  if (projection !== undefined) return weightUpdate(adapter, projection, stored);
  const merged = experts?.get(name);
  return merged && expertUpdate(adapter, merged, stored);
}

/**
 * The merged tensors in safetensors, made a few rows at a time when they are written: beyond the base itself nothing larger
 * than a few megabytes is ever in memory. Throws a `UserError` if a value does not fit the dtype.
 */
export function mergedTensors(base: WeightStore, options: MergeOptions): readonly WritableTensor[] {
  const { dtype } = options;
  const rows = mergedRows(base, { ...options, stored: { format: 'safetensors', dtype } });
  return rows.names.map((name) => {
    const source = rows.source(name);
    return {
      name,
      dtype: mergeDtypes[dtype].safetensors,
      shape: source.shape,
      *chunks() {
        yield* encodedChunks(source, dtype);
        options.onTensor?.(name);
      },
    };
  });
}

function* encodedChunks({ shape, rows }: RowSource, dtype: MergeDtype): Generator<Uint8Array> {
  const { encode } = mergeDtypes[dtype];
  const [count = 1, ...rest] = shape;
  const piece = Math.max(1, Math.floor(PIECE / sizeOf(rest)));
  for (let first = 0; first < count; first += piece) {
    const values = rows(first, Math.min(piece, count - first));
    const bytes = ofItsOwn(encode(values), values);
    yield bytes;
    // written by now
    discarded(bytes.byteLength);
  }
}

function check(name: string, values: Float32Array, stored: StoredAs, at: Span | undefined): void {
  const overflow = overflowOf(stored);
  for (const value of values) {
    if (!Number.isFinite(value)) throw notFinite(name, at);
    if (Math.abs(value) >= overflow) throw overflows(name, value, stored.dtype, at);
  }
}
