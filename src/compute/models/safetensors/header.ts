import { isArray, isObject, JsonError, type JsonValue, parseStrictJson } from './json.js';

/**
 * Element types of the safetensors format and their width in bits (safetensors 0.7, `tensor.rs`), in the order in which
 * the reference writer puts tensors, the last first.
 */
export const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type SafetensorsDtype = keyof typeof DTYPE_BITS;

const isDtype = (name: string): name is SafetensorsDtype => Object.hasOwn(DTYPE_BITS, name);

export interface TensorEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Byte offsets in the file's data part, which starts after the header. */
  readonly begin: number;
  readonly end: number;
}

export const MAX_HEADER_BYTES = 100_000_000;
const MAX_ENTRIES = 200_000;
const MAX_RANK = 16;

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/** What is wrong with a header, in a sentence without the file's name. */
export class HeaderError extends Error {
  override readonly name = 'HeaderError';
}

function fail(sentence: string): never {
  throw new HeaderError(sentence);
}

/**
 * Parses the header's bytes and checks it against `dataBytes`, the length of what follows it: no hole, no overlap,
 * nothing after the last tensor. Rules of https://github.com/huggingface/safetensors (README, `tensor.rs`).
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number): SafetensorsHeader {
  const root = parse(bytes);
  if (!isObject(root)) fail('The header is not a JSON object.');
  if (root.size > MAX_ENTRIES)
    fail(`The header lists ${root.size} tensors; at most ${MAX_ENTRIES} are read.`);
  const entries: TensorEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of root) {
    if (name === '__metadata__') metadata = readMetadata(value);
    else entries.push(readEntry(name, value));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) {
      const what = entry.begin > end ? 'leaves a hole after' : 'overlaps';
      fail(
        `Tensor ${quote(entry.name)} starts at byte ${entry.begin} and ${what} the data before it, which ends at ${end}.`,
      );
    }
    end = entry.end;
  }
  if (end > dataBytes)
    fail(`The tensors need ${end} bytes of data and the file has ${dataBytes}: it is cut short.`);
  if (end < dataBytes) fail(`${dataBytes - end} bytes follow the last tensor.`);
  return { metadata, tensors: new Map(entries.map((entry) => [entry.name, entry])) };
}

function parse(bytes: Uint8Array): JsonValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    fail('The header is not UTF-8.');
  }
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (error instanceof JsonError) fail(`The header is not valid JSON: ${error.message}.`);
    throw error;
  }
}

function readMetadata(value: JsonValue): ReadonlyMap<string, string> {
  if (!isObject(value)) fail('__metadata__ is not an object.');
  const metadata = new Map<string, string>();
  for (const [key, text] of value) {
    if (typeof text !== 'string') fail(`__metadata__ entry ${quote(key)} is not a string.`);
    metadata.set(key, text);
  }
  return metadata;
}

function readEntry(name: string, value: JsonValue): TensorEntry {
  const of = `Tensor ${quote(name)}`;
  if (!isObject(value)) fail(`${of} is not described by an object.`);
  for (const key of value.keys()) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets')
      fail(`${of} has an unknown field ${quote(key)}.`);
  }
  const dtype = value.get('dtype');
  if (typeof dtype !== 'string') fail(`${of} has no dtype.`);
  if (!isDtype(dtype)) fail(`${of} has the unknown dtype ${quote(dtype)}.`);
  const shape = integers(value.get('shape'), `${of}: shape`);
  if (shape.length > MAX_RANK) fail(`${of} has ${shape.length} dimensions; at most ${MAX_RANK} are read.`);
  const offsets = integers(value.get('data_offsets'), `${of}: data_offsets`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2)
    fail(`${of}: data_offsets must be two numbers.`);
  if (end < begin) fail(`${of}: data_offsets end before they begin (${begin}, ${end}).`);
  const bits = shape.reduce((product, size) => product * BigInt(size), 1n) * BigInt(DTYPE_BITS[dtype]);
  if (bits % 8n !== 0n) fail(`${of} does not end on a byte (${bits} bits).`);
  if (BigInt(end - begin) !== bits / 8n) {
    fail(
      `${of} of shape [${shape.join(', ')}] and dtype ${dtype} needs ${bits / 8n} bytes; its offsets span ${end - begin}.`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function integers(value: JsonValue | undefined, of: string): readonly number[] {
  if (!isArray(value)) fail(`${of} is not a list.`);
  return value.map((item) => {
    if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0)
      fail(`${of} has values other than whole numbers from 0 to 2^53.`);
    return item;
  });
}

/** A name of a stranger's file, safe to print: escaped and cut. */
const quote = (name: string): string => JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
