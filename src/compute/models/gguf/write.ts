/** The bytes of a GGUF file of version 3 (ggml-org/ggml, `docs/gguf.md`), piece by piece. */
import { sizeOf } from '../../tensor/shape.js';
import { BLOCKS, type BlockFormat } from '../weights/formats.js';
import { TYPE_NUMBERS } from './header.js';

/** A value with the type that llama.cpp reads it as. */
export type GgufField =
  | { readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: 'i32' | 'f32'; readonly value: readonly number[] }
  | { readonly type: 'array'; readonly of: 'bool'; readonly value: readonly boolean[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] };

/** In the order in which they are written. */
type GgufFieldMap = ReadonlyMap<string, GgufField>;

export interface WritableGgufTensor {
  readonly name: string;
  readonly type: BlockFormat;
  /** Row-major, as everywhere here; the file has it reversed. */
  readonly shape: readonly number[];
  /** Whole blocks, row by row; chunks add up to the size that type and shape give. */
  chunks(): Iterable<Uint8Array>;
}

/** A GGUF file that is made while it is written. */
export interface GgufFile {
  readonly bytes: number;
  chunks(): Iterable<Uint8Array>;
}

const ALIGNMENT = 32;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

const ggufTensorBytes = ({ type, shape }: Pick<WritableGgufTensor, 'type' | 'shape'>): number =>
  (sizeOf(shape) / BLOCKS[type].values) * BLOCKS[type].bytes;

export function ggufFile(fields: GgufFieldMap, tensors: readonly WritableGgufTensor[]): GgufFile {
  const header = headerBytes(fields, tensors);
  const data = tensors.reduce((sum, tensor) => sum + aligned(ggufTensorBytes(tensor)), 0);
  return {
    bytes: header.byteLength + data,
    *chunks() {
      yield header;
      for (const tensor of tensors) yield* tensorChunks(tensor);
    },
  };
}

function* tensorChunks(tensor: WritableGgufTensor): Generator<Uint8Array> {
  const expected = ggufTensorBytes(tensor);
  let written = 0;
  for (const chunk of tensor.chunks()) {
    written += chunk.byteLength;
    yield chunk;
  }
  if (written !== expected)
    throw new RangeError(`${tensor.name}: ${written} bytes given, ${expected} announced`);
  if (aligned(written) !== written) yield new Uint8Array(aligned(written) - written);
}

function headerBytes(fields: GgufFieldMap, tensors: readonly WritableGgufTensor[]): Uint8Array {
  const out = new HeaderBytes();
  out.bytes(new TextEncoder().encode('GGUF'));
  out.u32(3);
  out.u64(tensors.length);
  out.u64(fields.size);
  for (const [key, field] of fields) {
    out.string(key);
    writeField(out, field);
  }
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    out.string(name);
    out.u32(shape.length);
    for (const size of [...shape].reverse()) out.u64(size);
    out.u32(TYPE_NUMBERS[type]);
    out.u64(offset);
    offset += aligned(ggufTensorBytes({ type, shape }));
  }
  return out.padded();
}

/** Numbers of the value types (`enum gguf_type`). */
const VALUE_TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

function writeField(out: HeaderBytes, field: GgufField): void {
  out.u32(VALUE_TYPES[field.type]);
  if (field.type !== 'array') {
    writeValue(out, field.type, field.value);
    return;
  }
  out.u32(VALUE_TYPES[field.of]);
  out.u64(field.value.length);
  for (const value of field.value) writeValue(out, field.of, value);
}

function writeValue(
  out: HeaderBytes,
  type: Exclude<GgufField['type'], 'array'>,
  value: number | boolean | string,
): void {
  if (typeof value === 'string') out.string(value);
  else if (typeof value === 'boolean') out.bytes(Uint8Array.of(value ? 1 : 0));
  else if (type === 'f32') out.f32(value);
  else out.u32(value);
}

/** Bytes that grow as they are written. */
class HeaderBytes {
  private room = new Uint8Array(1 << 16);
  private view = new DataView(this.room.buffer);
  private length = 0;
  private readonly encoder = new TextEncoder();

  u32(value: number): void {
    const at = this.advance(4);
    this.view.setUint32(at, value >>> 0, true);
  }

  f32(value: number): void {
    const at = this.advance(4);
    this.view.setFloat32(at, value, true);
  }

  u64(value: number): void {
    const at = this.advance(8);
    this.view.setBigUint64(at, BigInt(value), true);
  }

  string(value: string): void {
    this.u64(0);
    // as UTF-8, a unit of UTF-16 takes three bytes at most
    const at = this.advance(3 * value.length);
    const { written } = this.encoder.encodeInto(value, this.room.subarray(at));
    this.view.setUint32(at - 8, written, true);
    this.length = at + written;
  }

  bytes(bytes: Uint8Array): void {
    const at = this.advance(bytes.length);
    this.room.set(bytes, at);
  }

  padded(): Uint8Array {
    const length = aligned(this.length);
    this.advance(length - this.length);
    return this.room.slice(0, length);
  }

  /** Where the next `count` bytes go. */
  private advance(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.room.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.room.length));
      larger.set(this.room);
      this.room = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}
