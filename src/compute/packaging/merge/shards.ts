import { DTYPE_BITS } from '../../models/safetensors/header.js';
import { INDEX_FILE, SINGLE_FILE } from '../../models/safetensors/read.js';
import { safetensorsChunks, type WritableTensor } from '../../models/safetensors/write.js';
import { sizeOf } from '../../tensor/shape.js';

/** Bytes of a file of weights at most, as Hugging Face has them. */
export const SHARD_BYTES = 5e9;

const bytesOf = ({ dtype, shape }: WritableTensor): number => (sizeOf(shape) * DTYPE_BITS[dtype]) / 8;

/**
 * The files of a model's weights by their names: one, or shards of at most `limit` bytes and their index. A tensor is made
 * when its turn to be written comes.
 */
export function* weightFiles(
  tensors: readonly WritableTensor[],
  limit: number = SHARD_BYTES,
): Generator<readonly [name: string, content: string | Iterable<Uint8Array>]> {
  const shards: WritableTensor[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    if (filled + bytes > limit) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)?.push(tensor);
    filled += bytes;
  }
  if (shards.length <= 1) {
    yield [SINGLE_FILE, safetensorsChunks(tensors)];
    return;
  }
  const digits = (number: number): string => String(number).padStart(5, '0');
  const nameOf = (at: number): string => `model-${digits(at + 1)}-of-${digits(shards.length)}.safetensors`;
  for (const [at, shard] of shards.entries()) yield [nameOf(at), safetensorsChunks(shard)];
  const places = shards.flatMap((shard, at) => shard.map(({ name }) => [name, nameOf(at)] as const));
  const index = {
    metadata: { total_size: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0) },
    weight_map: Object.fromEntries(places.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  yield [INDEX_FILE, `${JSON.stringify(index, null, 2)}\n`];
}
