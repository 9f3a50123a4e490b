import type { LocatedTensor, TensorSource } from '../safetensors/folder.js';
import {
  type ModelConfig,
  ModelError,
  type StoredFormat,
  type StoredTensor,
  type WeightStore,
} from '../types.js';
import { float32Tensor, halfTensor } from './dense.js';
import { decodeBfloat16, decodeFloat16 } from './half.js';
import { type ExpectedTensor, expectedTensors } from './llama-names.js';
import { quantiseNf4 } from './nf4-quantise.js';
import { nf4Tensor } from './nf4-tensor.js';
import { elementCount, storedBytes } from './sizes.js';
import { weightStore } from './store.js';

/** How a model is held: as in its files, as float32, or with the projections of its blocks in NF4. */
export type Storage = 'stored' | 'f32' | 'nf4';

export type FileFormat = 'F32' | 'F16' | 'BF16';

/** The format in which each tensor would be held; the planner's view of a model that is not loaded. */
export function plannedFormat(
  role: ExpectedTensor['role'],
  file: FileFormat,
  storage: Storage,
): StoredFormat {
  if (storage === 'f32') return 'F32';
  return storage === 'nf4' && role === 'projection' ? 'NF4' : file;
}

/** Bytes that the weights will hold: the sum of their `residentBytes` once they are loaded. */
export function plannedBytes(config: ModelConfig, file: FileFormat, storage: Storage): number {
  return expectedTensors(config).reduce(
    (sum, { shape, role }) => sum + storedBytes(shape, plannedFormat(role, file, storage)),
    0,
  );
}

/**
 * Checks that every tensor of the config is there with its shape, and in a format that can be read, before any data is
 * touched. Tensors beyond those (rotary buffers, a head that repeats tied embeddings) are ignored.
 * Throws a {@link ModelError} that names the tensor, the shape expected and the shape found.
 */
export function checkTensors(origin: string, source: TensorSource, config: ModelConfig): void {
  for (const { name, shape } of expectedTensors(config)) {
    const found = source.get(name);
    if (found === undefined) {
      throw new ModelError(
        'model_weights',
        origin,
        `Tensor "${name}" of shape [${shape.join(', ')}] is missing.`,
        'Check that the weights belong to the config.json beside them.',
      );
    }
    const { path } = found.file;
    if (found.entry.shape.join() !== shape.join()) {
      throw new ModelError(
        'model_weights',
        path,
        `Tensor "${name}" has shape [${found.entry.shape.join(', ')}]; config.json asks for [${shape.join(', ')}].`,
        'Check that the weights belong to the config.json beside them.',
      );
    }
    fileFormat(found);
  }
}

/** Reads the tensors that the config names, one at a time: the file's form of a tensor is let go before the next. */
export function loadTensors(
  origin: string,
  source: TensorSource,
  config: ModelConfig,
  storage: Storage,
): WeightStore {
  checkTensors(origin, source, config);
  const tensors: StoredTensor[] = [];
  for (const { name, shape, role } of expectedTensors(config)) {
    const located = source.get(name);
    if (located !== undefined) tensors.push(loadTensor(name, shape, role, located, storage));
  }
  return weightStore(origin, tensors);
}

function loadTensor(
  name: string,
  shape: readonly number[],
  role: ExpectedTensor['role'],
  located: LocatedTensor,
  storage: Storage,
): StoredTensor {
  const file = fileFormat(located);
  const format = plannedFormat(role, file, storage);
  const elements = elementCount(shape);
  const read = (start: number, count: number): Float32Array => readFloats(located, file, start, count);
  if (format === 'NF4') return nf4Tensor(name, shape, quantiseNf4(elements, read));
  if (format === 'F32') return float32Tensor(name, shape, read(0, elements));
  const bytes = located.file.read(located.entry);
  return halfTensor(name, shape, format, new Uint16Array(bytes.buffer, bytes.byteOffset, elements));
}

const FILE_DECODERS: Readonly<
  Record<FileFormat, { bytes: number; decode: (raw: Uint8Array) => Float32Array }>
> = {
  F32: { bytes: 4, decode: (raw) => new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4) },
  F16: { bytes: 2, decode: (raw) => halves(raw, decodeFloat16) },
  BF16: { bytes: 2, decode: (raw) => halves(raw, decodeBfloat16) },
};

function halves(raw: Uint8Array, decode: (source: Uint16Array, out: Float32Array) => void): Float32Array {
  const source = new Uint16Array(raw.buffer, raw.byteOffset, raw.byteLength / 2);
  const out = new Float32Array(source.length);
  decode(source, out);
  return out;
}

/** Values `start … start + count` of a tensor as float32. */
export function readFloats(
  located: LocatedTensor,
  format: FileFormat,
  start: number,
  count: number,
): Float32Array {
  const { bytes, decode } = FILE_DECODERS[format];
  return decode(located.file.read(located.entry, start * bytes, count * bytes));
}

export function fileFormat({ entry, file }: LocatedTensor): FileFormat {
  if (Object.hasOwn(FILE_DECODERS, entry.dtype)) return entry.dtype as FileFormat;
  throw new ModelError(
    'model_weights',
    file.path,
    `Tensor "${entry.name}" is of type ${entry.dtype}; weights are read as F32, F16 or BF16.`,
    'Convert the model to one of those types; a quantised model must be de-quantised first.',
  );
}
