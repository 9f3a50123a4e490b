import type { Host } from '../../../language/host/host.js';
import { ggufAt } from '../config-at.js';
import { ggufModel } from '../gguf/config.js';
import { readGgufHeader } from '../gguf/header.js';
import { ggufSource } from '../gguf/weights.js';
import { type LocatedTensor, openTensorSource } from '../safetensors/read.js';
import type { WritableTensor } from '../safetensors/write.js';
import type { WeightStore } from '../types.js';
import { isReadable, safetensorsSource } from './bitsandbytes.js';
import { pagedTensor } from './load.js';
import { weightStore } from './stored-tensor.js';

interface AnyWeights {
  /** Every tensor of floats that can be read, and every weight in 4 bits; it stays in its file. */
  readonly floats: WeightStore;
  /** The others, such as a buffer of whole numbers, as they are. */
  readonly others: readonly WritableTensor[];
}

/** Bytes that are copied at a time. */
const PIECE = 1 << 22;

/** What is in the files of a folder, or in a GGUF file, whatever its architecture. Throws a `ModelError`. */
export function anyWeights(host: Host, folder: string): AnyWeights {
  const gguf = ggufAt(host, folder);
  if (gguf !== undefined) {
    const header = readGgufHeader(host, gguf);
    const source = ggufSource(host, header, ggufModel(host, header).layout);
    return { floats: weightStore(gguf, [...source.values()].map(pagedTensor)), others: [] };
  }
  const files = openTensorSource(host, folder);
  const source = safetensorsSource(files);
  const all = [...source.values()];
  return {
    floats: weightStore(folder, all.filter(({ name }) => isReadable(name, files)).map(pagedTensor)),
    others: all.flatMap(({ name }) => {
      const located = isReadable(name, files) ? undefined : files.get(name);
      return located === undefined ? [] : [asItIs(located)];
    }),
  };
}

const asItIs = ({ entry, file }: LocatedTensor): WritableTensor => ({
  name: entry.name,
  dtype: entry.dtype,
  shape: entry.shape,
  *chunks() {
    const bytes = entry.end - entry.begin;
    for (let start = 0; start < bytes; start += PIECE)
      yield file.read(entry, start, Math.min(PIECE, bytes - start));
  },
});
