import type { TensorEntry } from '../models/safetensors/header.js';
import type { SafetensorsFile } from '../models/safetensors/read.js';
import type { AdapterTensors } from '../models/types.js';
import { safetensorsTensor } from '../models/weights/safetensors-source.js';
import { elementCount } from '../models/weights/sizes.js';

/** Reads the values of an adapter's tensors as float32. */
export const valuesOf = (tensors: ReadonlyMap<string, TensorEntry>, file: SafetensorsFile): AdapterTensors =>
  new Map(
    [...tensors].map(([name, entry]) => [
      name,
      { shape: entry.shape, data: safetensorsTensor({ entry, file }).read(0, elementCount(entry.shape)) },
    ]),
  );
