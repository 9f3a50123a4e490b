import type { TensorEntry } from '../models/safetensors/header.js';
import type { SafetensorsFile } from '../models/safetensors/read.js';
import { type AdapterTensors, ModelError, type StoredTensor } from '../models/types.js';
import { safetensorsTensor } from '../models/weights/bitsandbytes.js';
import { areFinite } from '../models/weights/stored-tensor.js';
import { sizeOf } from '../tensor/shape.js';

/**
 * Reads the values of an adapter's tensors as float32. Throws a {@link ModelError} `adapter_invalid` if one is not
 * finite: nothing that is computed with it would be a number.
 */
export const valuesOf = (tensors: ReadonlyMap<string, TensorEntry>, file: SafetensorsFile): AdapterTensors =>
  new Map(
    [...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: finiteValues(entry, file) }]),
  );

function finiteValues(entry: TensorEntry, file: SafetensorsFile): Float32Array {
  const values = decoded(safetensorsTensor({ entry, file }).load());
  if (areFinite(values)) return values;
  throw new ModelError(
    'adapter_invalid',
    file.path,
    `Tensor "${entry.name}" has values that are not finite.`,
    'Its training diverged, or the file is damaged: take an earlier checkpoint, or fetch it again.',
  );
}

function decoded({ shape, view, dequantise }: StoredTensor): Float32Array {
  const held = view();
  if (held !== undefined) return held;
  const values = new Float32Array(sizeOf(shape));
  dequantise(values);
  return values;
}

/** Throws a `ModelError` for a tensor of a type that is not read, before it is wanted. */
export function checkTypes(tensors: ReadonlyMap<string, TensorEntry>, file: SafetensorsFile): void {
  for (const entry of tensors.values()) safetensorsTensor({ entry, file }).format();
}
