import type { Span } from '../../../language/source/span.js';
import { adaptedProjections } from '../../models/adapters/branches.js';
import {
  adaptedConfig,
  unreadHead,
  type WholeRole,
  wholeTensor,
  wholeTensors,
} from '../../models/adapters/whole.js';
import { blueprintOf, weightName } from '../../models/architectures/index.js';
import type { WritableTensor } from '../../models/safetensors/write.js';
import type { Adapter, ModelConfig, StoredTensor, WeightStore } from '../../models/types.js';
import { float32Tensor } from '../../models/weights/stored-tensor.js';
import { discardedYoung } from '../../tensor/garbage.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';
import { notFinite, overflows } from './merge-diagnostics.js';
import { type WeightUpdate, weightUpdate } from './update.js';

export interface MergeOptions {
  readonly dtype: MergeDtype;
  /** The adapter, and the config of its base. Without one, the weights are only converted. */
  readonly adapted?: { readonly adapter: Adapter; readonly config: ModelConfig };
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
  const { adapter, config } = options.adapted ?? {};
  const projections = new Map(
    adapter?.config.kind === 'lora' && config
      ? adaptedProjections(config, adapter.config).map((found) => [weightName({ module: found.path }), found])
      : [],
  );
  const updateOf = (stored: StoredTensor): WeightUpdate | undefined => {
    const projection = projections.get(stored.name);
    return adapter && projection && weightUpdate(adapter, projection, stored);
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
  const whole = adapter && config ? replacedTensors(adapter, config, base) : new Map<string, StoredTensor>();
  const unread = adapter && config ? unreadHead(config, adapter.config) : undefined;
  const names = [...new Set([...base.names(), ...whole.keys()])].filter((name) => name !== unread);
  return names.map((name) => written(name, whole.get(name) ?? base.get(name)));
}

/**
 * Embedding and head where the adapter brings one of them whole, by their names in the merged file: a head that was tied
 * to the embedding then has a tensor of its own.
 */
function replacedTensors(
  { config: adapter, tensors }: Adapter,
  config: ModelConfig,
  base: WeightStore,
): ReadonlyMap<string, StoredTensor> {
  if (wholeTensors(config, adapter).length === 0) return new Map();
  const { embedding, head } = blueprintOf({ ...adaptedConfig(config, adapter), tieEmbeddings: false });
  const tied = blueprintOf(config).head.output.name;
  const of = (role: WholeRole, name: string, otherwise: string): readonly [string, StoredTensor] => {
    const trained = wholeTensor(config, adapter, role);
    const tensor = trained && tensors.get(trained.name);
    return [
      name,
      tensor === undefined ? base.get(otherwise) : float32Tensor(name, tensor.shape, tensor.data),
    ];
  };
  return new Map([of('embedding', embedding.name, embedding.name), of('head', head.output.name, tied)]);
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
