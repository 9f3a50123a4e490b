import { type ExpectedTensor, expectedTensors } from '../architectures/index.js';
import { type ModelConfig, ModelError, type StoredTensor, type WeightStore } from '../types.js';
import { float32Tensor } from './dense.js';
import type { StoredFormat } from './formats.js';
import { quantiseNf4 } from './nf4-quantise.js';
import { nf4Tensor } from './nf4-tensor.js';
import { elementCount, storedBytes } from './sizes.js';
import type { SourceTensor, WeightSource } from './source.js';
import { weightStore } from './store.js';

/** How a model is held: as in its files, as float32, or with the projections of its blocks in NF4. */
export type Storage = 'stored' | 'f32' | 'nf4';

/** The format in which each tensor would be held; the planner's view of a model that is not loaded. */
export function plannedFormat(
  role: ExpectedTensor['role'],
  file: StoredFormat,
  storage: Storage,
): StoredFormat {
  if (storage === 'f32') return 'F32';
  // what is in 4 bits already stays as it is
  return storage === 'nf4' && role === 'projection' && file !== 'NF4_SINGLE' ? 'NF4' : file;
}

/** The format of a tensor in the files, by its name. */
export type FormatOf = (name: string) => StoredFormat;

/** Bytes that the weights will hold: the sum of their `residentBytes` once they are loaded. */
export function plannedBytes(config: ModelConfig, formatOf: FormatOf, storage: Storage): number {
  return expectedTensors(config).reduce(
    (sum, { name, shape, role }) => sum + storedBytes(shape, plannedFormat(role, formatOf(name), storage)),
    0,
  );
}

/**
 * Checks that every tensor of the config is there with its shape, and in a format that can be read, before any data is
 * touched. Tensors beyond those (rotary buffers, a head that repeats tied embeddings) are ignored.
 * Throws a {@link ModelError} that names the tensor, the shape expected and the shape found.
 */
export function checkTensors(origin: string, source: WeightSource, config: ModelConfig): void {
  const wrong = (path: string, detail: string): ModelError =>
    new ModelError('model_weights', path, detail, 'Check that the weights belong to the config beside them.');
  for (const { name, shape } of expectedTensors(config)) {
    const found = source.get(name);
    if (found === undefined)
      throw wrong(origin, `Tensor "${name}" of shape [${shape.join(', ')}] is missing.`);
    if (found.shape.join() !== shape.join()) {
      throw wrong(
        found.path,
        `Tensor "${name}" has shape [${found.shape.join(', ')}]; the config asks for [${shape.join(', ')}].`,
      );
    }
    found.format();
  }
}

/** Reads the tensors that the config names, one at a time: the file's form of a tensor is let go before the next. */
export function loadTensors(
  origin: string,
  source: WeightSource,
  config: ModelConfig,
  storage: Storage,
): WeightStore {
  checkTensors(origin, source, config);
  const tensors: StoredTensor[] = [];
  for (const { name, role } of expectedTensors(config)) {
    const found = source.get(name);
    if (found !== undefined) tensors.push(loadTensor(found, plannedFormat(role, found.format(), storage)));
  }
  return weightStore(origin, tensors);
}

/** Values that are decoded at one time where a tensor is held in another format than its file's. */
const WINDOW = 1 << 18;

function loadTensor(source: SourceTensor, format: StoredFormat): StoredTensor {
  const { name, shape } = source;
  if (format === source.format()) return source.load();
  const elements = elementCount(shape);
  if (format === 'NF4') return nf4Tensor(name, shape, quantiseNf4(elements, source.read));
  const values = new Float32Array(elements);
  for (let start = 0; start < elements; start += WINDOW)
    values.set(source.read(start, Math.min(WINDOW, elements - start)), start);
  return float32Tensor(name, shape, values);
}
