import type { Host } from '../../../language/host/host.js';
import { ModelError } from '../types.js';
import type { TensorEntry } from './header.js';
import { isObject, JsonError, type JsonValue, parseStrictJson } from './json.js';
import { openSafetensors, type SafetensorsFile } from './read.js';

/** A tensor and the file that holds it. */
export interface LocatedTensor {
  readonly entry: TensorEntry;
  readonly file: SafetensorsFile;
}

/** The tensors of a model folder, from one file or from the shards that its index names. */
export type TensorSource = ReadonlyMap<string, LocatedTensor>;

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';
const MAX_INDEX_BYTES = 50_000_000;

/** Opens every weight file of a folder. Throws a {@link ModelError}. */
export function openTensorSource(host: Host, folder: string): TensorSource {
  const single = `${folder}/${SINGLE_FILE}`;
  if (host.stat(single) !== undefined) return located(openSafetensors(host, single));
  const index = `${folder}/${INDEX_FILE}`;
  const stat = host.stat(index);
  if (stat === undefined) {
    throw new ModelError(
      'model_not_found',
      folder,
      `The folder has neither ${SINGLE_FILE} nor ${INDEX_FILE}.`,
      'Convert the weights to safetensors, or give a folder that has them.',
    );
  }
  if (stat.size > MAX_INDEX_BYTES)
    throw badIndex(index, `The index has ${stat.size} bytes; at most ${MAX_INDEX_BYTES} are read.`);
  return readShards(host, folder, index);
}

/** Names of the shards that an index names. Throws a {@link ModelError}. */
export const shardsIn = (index: string, text: string): ReadonlySet<string> =>
  new Set([...weightMap(index, text)].map(([name, shard]) => plainName(index, name, shard)));

function plainName(index: string, tensor: string, shard: JsonValue): string {
  if (typeof shard === 'string' && shard !== '' && !shard.startsWith('.') && !/[\\/\0]/.test(shard))
    return shard;
  throw badIndex(
    index,
    `Tensor "${tensor}" is listed in ${JSON.stringify(shard)}, which is not a plain file name.`,
  );
}

function readShards(host: Host, folder: string, index: string): TensorSource {
  const shards = new Map<string, TensorSource>();
  const tensors = new Map<string, LocatedTensor>();
  for (const [name, value] of weightMap(index, host.readText(index))) {
    const shard = plainName(index, name, value);
    const path = `${folder}/${shard}`;
    if (host.stat(path) === undefined) throw badIndex(index, `${shard} is listed, but missing.`);
    const source = shards.get(shard) ?? located(openSafetensors(host, path));
    shards.set(shard, source);
    const found = source.get(name);
    if (found === undefined) throw badIndex(index, `Tensor "${name}" is not in ${shard}.`);
    tensors.set(name, found);
  }
  for (const [shard, source] of shards) {
    for (const [name, found] of source) {
      const chosen = tensors.get(name);
      if (chosen === undefined)
        throw badIndex(index, `Tensor "${name}" of ${shard} is missing from the index.`);
      if (chosen !== found)
        throw badIndex(index, `Tensor "${name}" is in ${shard} too, but the index does not list it there.`);
    }
  }
  return tensors;
}

/** `metadata.total_size` counts for nothing: published ones are wrong, and each tensor is looked for in its shard and back. */
function weightMap(index: string, text: string): ReadonlyMap<string, JsonValue> {
  try {
    const root = parseStrictJson(text);
    const map = isObject(root) ? root.get('weight_map') : undefined;
    if (!isObject(map)) throw badIndex(index, 'The index has no object "weight_map".');
    return map;
  } catch (error) {
    if (error instanceof JsonError) throw badIndex(index, `The index is not valid JSON: ${error.message}.`);
    throw error;
  }
}

function located(file: SafetensorsFile): TensorSource {
  return new Map([...file.tensors].map(([name, entry]) => [name, { entry, file }]));
}

function badIndex(index: string, detail: string): ModelError {
  return new ModelError(
    'model_weights',
    index,
    detail,
    'Download the model again, index and shards together.',
  );
}
