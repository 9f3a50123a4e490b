import type { Host } from '../../../language/host/host.js';
import { fileSize } from '../read-file.js';
import { BLOCKS, type BlockFormat } from '../weights/formats.js';
import { Cursor } from './cursor.js';

export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  /** Row-major, as everywhere here; the file has it reversed. */
  readonly shape: readonly number[];
  readonly type: BlockFormat;
  /** Absolute place in the file. */
  readonly start: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly path: string;
  readonly values: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Formats by their numbers in a file (ggml.h, `enum ggml_type`); those that are not read are named in errors. */
const TYPES: Readonly<Record<number, string>> = {
  ...{ 0: 'F32', 1: 'F16', 2: 'Q4_0', 3: 'Q4_1', 6: 'Q5_0', 7: 'Q5_1', 8: 'Q8_0', 9: 'Q8_1' },
  ...{ 10: 'Q2_K', 11: 'Q3_K', 12: 'Q4_K', 13: 'Q5_K', 14: 'Q6_K', 15: 'Q8_K', 16: 'IQ2_XXS' },
  ...{ 17: 'IQ2_XS', 18: 'IQ3_XXS', 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S', 22: 'IQ2_S', 23: 'IQ4_XS' },
  ...{ 28: 'F64', 29: 'IQ1_M', 30: 'BF16', 34: 'TQ1_0', 35: 'TQ2_0', 39: 'MXFP4' },
};

/** Numbers of the formats that are read and written. */
export const TYPE_NUMBERS = Object.fromEntries(
  Object.entries(TYPES)
    .filter(([, type]) => Object.hasOwn(BLOCKS, type))
    .map(([number, type]) => [type, Number(number)]),
) as Readonly<Record<BlockFormat, number>>;

const isRead = (type: string): type is BlockFormat => Object.hasOwn(BLOCKS, type);

const MAGIC = 0x46554747;
const MAX_ENTRIES = 100_000;
const MAX_STRING = 10_000_000;
const MAX_NAME = 1_000;
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;

/**
 * Reads and checks a GGUF header (version 2 or 3, little-endian): counts, lengths, offsets and sizes against the file,
 * no two tensors over the same bytes. Format: ggml-org/ggml, `docs/gguf.md`. Throws a {@link ModelError}.
 */
export function readGgufHeader(host: Host, path: string): GgufHeader {
  const fileBytes = fileSize(host, path, 'GGUF', 'gguf_invalid');
  const cursor = new Cursor(host, path, fileBytes);
  if (cursor.u32() !== MAGIC) cursor.fail('The file does not begin with "GGUF".');
  const version = cursor.u32();
  if (version !== 2 && version !== 3)
    cursor.unsupported(
      `The file is of GGUF version ${version}, or big-endian.`,
      'Use a little-endian file of version 2 or 3.',
    );
  const tensorCount = cursor.u64('The number of tensors', MAX_ENTRIES);
  const valueCount = cursor.u64('The number of values', MAX_ENTRIES);
  const values = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = cursor.string('a key', MAX_NAME);
    if (values.has(key)) cursor.fail(`Key ${JSON.stringify(key)} appears twice.`);
    values.set(key, readValue(cursor, cursor.u32(), key, 0));
  }
  const infos = Array.from({ length: tensorCount }, () => readInfo(cursor));
  const alignment = values.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || alignment < 8 || !Number.isInteger(Math.log2(alignment))) {
    return cursor.fail(`general.alignment is ${String(alignment)}; it must be a power of two from 8 on.`);
  }
  return { path, values, tensors: place(cursor, infos, alignment, fileBytes) };
}

type Reader = (cursor: Cursor, key: string, depth: number) => GgufValue;

const scalar =
  (bytes: number, get: (view: DataView, at: number) => GgufValue): Reader =>
  (cursor) =>
    cursor.take(bytes, get);

/** Value types by their number in the file. */
const READERS: readonly Reader[] = [
  scalar(1, (view, at) => view.getUint8(at)),
  scalar(1, (view, at) => view.getInt8(at)),
  scalar(2, (view, at) => view.getUint16(at, true)),
  scalar(2, (view, at) => view.getInt16(at, true)),
  scalar(4, (view, at) => view.getUint32(at, true)),
  scalar(4, (view, at) => view.getInt32(at, true)),
  scalar(4, (view, at) => view.getFloat32(at, true)),
  scalar(1, (view, at) => view.getUint8(at) !== 0),
  (cursor, key) => cursor.string(key, MAX_STRING),
  (cursor, key, depth) => {
    const type = cursor.u32();
    const count = cursor.items(`The length of ${key}`);
    const items: GgufValue[] = [];
    for (let i = 0; i < count; i++) items.push(readValue(cursor, type, key, depth + 1));
    return items;
  },
  scalar(8, (view, at) => view.getBigUint64(at, true)),
  scalar(8, (view, at) => view.getBigInt64(at, true)),
  scalar(8, (view, at) => view.getFloat64(at, true)),
];

function readValue(cursor: Cursor, type: number, key: string, depth: number): GgufValue {
  const reader = READERS[type];
  if (reader === undefined) return cursor.fail(`${key} is of the unknown type ${type}.`);
  if (depth > 2) return cursor.fail(`${key} is nested too deeply.`);
  return reader(cursor, key, depth);
}

/** A tensor whose place counts from the end of the header. */
function readInfo(cursor: Cursor): GgufTensor {
  const name = cursor.string('a tensor name', MAX_NAME);
  const dimensions = cursor.u32();
  if (dimensions > MAX_DIMENSIONS) cursor.fail(`Tensor "${name}" has ${dimensions} dimensions.`);
  const shape = Array.from({ length: dimensions }, () => cursor.u64(`A size of "${name}"`)).reverse();
  const number = cursor.u32();
  const type = TYPES[number] ?? String(number);
  if (!isRead(type)) {
    return cursor.unsupported(
      `Tensor "${name}" is of GGML type ${type}.`,
      `Use a file whose tensors are ${Object.keys(BLOCKS).join(', ')}.`,
    );
  }
  const { values, bytes } = BLOCKS[type];
  const count = shape.reduce((product, size) => product * BigInt(size), 1n);
  const row = shape.at(-1) ?? 1;
  if (row % values !== 0)
    cursor.fail(`Rows of "${name}" have ${row} values, no multiple of ${type}'s ${values}.`);
  const total = (count / BigInt(values)) * BigInt(bytes);
  if (total > BigInt(Number.MAX_SAFE_INTEGER)) cursor.fail(`Tensor "${name}" would have ${total} bytes.`);
  return { name, shape, type, start: cursor.u64(`The offset of "${name}"`), bytes: Number(total) };
}

function place(
  cursor: Cursor,
  infos: readonly GgufTensor[],
  alignment: number,
  size: number,
): ReadonlyMap<string, GgufTensor> {
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  let end = 0;
  for (const info of [...infos].sort((a, b) => a.start - b.start)) {
    const { name, start: offset, bytes } = info;
    if (tensors.has(name)) cursor.fail(`Two tensors are named "${name}".`);
    if (offset % alignment !== 0)
      cursor.fail(`Tensor "${name}" starts at ${offset}, off the alignment of ${alignment}.`);
    if (offset < end) cursor.fail(`Tensor "${name}" overlaps the one before it.`);
    end = offset + bytes;
    if (dataStart + end > size)
      cursor.fail(`Tensor "${name}" ends at byte ${dataStart + end}; the file has ${size}.`);
    tensors.set(name, { ...info, start: dataStart + offset });
  }
  return tensors;
}
