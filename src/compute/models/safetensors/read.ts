import type { Host } from '../../../language/host/host.js';
import { fileSize, readBytes } from '../read-file.js';
import { ModelError } from '../types.js';
import {
  HeaderError,
  MAX_HEADER_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from './header.js';
import { isObject, JsonError, type JsonValue, parseStrictJson } from './json.js';

/** An open file: its header is in memory, its data is read on demand. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string;
  /** `length` bytes of a tensor's data from `start` on (default: all of it), 8-byte aligned in memory. */
  read(entry: TensorEntry, start?: number, length?: number): Uint8Array;
}

const HELP = 'Download or write the file again; it is damaged or not a safetensors file.';

/** Opens and checks a file. Throws a {@link ModelError} `model_weights` for anything that breaks the format's rules. */
export function openSafetensors(host: Host, path: string): SafetensorsFile {
  const size = fileSize(host, path, 'safetensors', 'model_weights');
  const bad = (detail: string): ModelError => new ModelError('model_weights', path, detail, HELP);
  const read = (start: number, length: number): Uint8Array =>
    readBytes(host, path, start, length, { code: 'model_weights', help: HELP });
  if (size < 8) throw bad(`The file has ${size} bytes, too few for a header.`);
  const lead = read(0, 8);
  const announced = new DataView(lead.buffer, lead.byteOffset, 8).getBigUint64(0, true);
  if (announced > BigInt(MAX_HEADER_BYTES)) {
    throw bad(`The header announces ${announced} bytes; at most ${MAX_HEADER_BYTES} are allowed.`);
  }
  const headerBytes = Number(announced);
  if (8 + headerBytes > size) {
    throw bad(`The header announces ${headerBytes} bytes and the file has ${size}.`);
  }
  const dataStart = 8 + headerBytes;
  try {
    return {
      path,
      ...parseHeader(read(8, headerBytes), size - dataStart),
      read(entry, start = 0, length = entry.end - entry.begin - start) {
        if (start < 0 || length < 0 || entry.begin + start + length > entry.end) {
          throw new RangeError(`${entry.name}: bytes ${start} to ${start + length} are outside the tensor`);
        }
        return read(dataStart + entry.begin + start, length);
      },
    };
  } catch (error) {
    if (error instanceof HeaderError) throw bad(error.message);
    throw error;
  }
}

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

const located = (file: SafetensorsFile): TensorSource =>
  new Map([...file.tensors].map(([name, entry]) => [name, { entry, file }]));

const badIndex = (index: string, detail: string): ModelError =>
  new ModelError('model_weights', index, detail, 'Download the model again, index and shards together.');
