import type { LocatedTensor, TensorSource } from '../safetensors/folder.js';
import { ModelError } from '../types.js';
import { bitsandbytesTensor } from './bitsandbytes.js';
import { floatsOf } from './block-kernel.js';
import { blockTensor } from './dense.js';
import { BLOCKS, type BlockFormat } from './formats.js';
import type { SourceTensor, WeightSource } from './weight-source.js';

/** What safetensors calls the formats that it can hold. */
const READABLE: ReadonlySet<string> = new Set<BlockFormat>(['F32', 'F16', 'BF16']);

/** A tensor of a safetensors file. */
export function safetensorsTensor({ entry, file }: LocatedTensor): SourceTensor {
  const { name, shape } = entry;
  const format = (): BlockFormat => {
    if (READABLE.has(entry.dtype)) return entry.dtype as BlockFormat;
    throw new ModelError(
      'model_weights',
      file.path,
      `Tensor "${name}" is of type ${entry.dtype}; weights are read as F32, F16 or BF16.`,
      'Convert the model to one of those types; a quantised model must be de-quantised first.',
    );
  };
  return {
    name,
    path: file.path,
    shape,
    format,
    read(start, count) {
      const { bytes } = BLOCKS[format()];
      return floatsOf(format(), file.read(entry, start * bytes, count * bytes), 0, count);
    },
    load: () => blockTensor(name, shape, format(), file.read(entry)),
  };
}

export function safetensorsSource(tensors: TensorSource): WeightSource {
  return new Map(
    [...tensors].map(([name, located]) => [
      name,
      bitsandbytesTensor(name, tensors) ?? safetensorsTensor(located),
    ]),
  );
}
