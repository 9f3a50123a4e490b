import type { Host } from '../../../language/host/host.js';
import { ggufAt } from '../config-at.js';
import { ggufModel } from '../gguf/config.js';
import { readGgufHeader } from '../gguf/header.js';
import { ggufSource } from '../gguf/weights.js';
import { openTensorSource } from '../safetensors/read.js';
import type { WritableTensor } from '../safetensors/write.js';
import type { WeightStore } from '../types.js';
import { safetensorsSource } from './bitsandbytes.js';
import { pagedTensor } from './load.js';
import { weightStore } from './stored-tensor.js';

export interface AnyWeights {
  /** Every tensor of floats that can be read; it stays in its file. */
  readonly floats: WeightStore;
  /** The others, such as packed codes of a quantised layer, as they are. */
  readonly others: readonly WritableTensor[];
}

const FLOATS: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16']);
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
  const isFloat = (name: string): boolean => FLOATS.has(files.get(name)?.entry.dtype ?? '');
  return {
    floats: weightStore(folder, [...source.values()].filter(({ name }) => isFloat(name)).map(pagedTensor)),
    others: [...files].flatMap(([name, { entry, file }]) =>
      isFloat(name)
        ? []
        : [
            {
              name,
              dtype: entry.dtype,
              shape: entry.shape,
              *chunks() {
                const bytes = entry.end - entry.begin;
                for (let start = 0; start < bytes; start += PIECE)
                  yield file.read(entry, start, Math.min(PIECE, bytes - start));
              },
            },
          ],
    ),
  };
}
