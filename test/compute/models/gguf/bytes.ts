/** GGUF files written by hand, so that every rule of the format can be broken. */

type Value = number | bigint | string | boolean | readonly boolean[];

export interface WrittenTensor {
  readonly name: string;
  /** As the file has them: the fastest first. */
  readonly dims: readonly (number | bigint)[];
  readonly type: number;
  readonly offset: number | bigint;
}

export interface WrittenFile {
  readonly magic?: string;
  readonly version?: number;
  readonly tensorCount?: bigint;
  readonly values?: readonly (readonly [key: string, value: Value])[];
  readonly tensors?: readonly WrittenTensor[];
  /** Bytes behind the header and its padding. */
  readonly data?: number;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** Type number and bytes of a value: u32, u64, a text, a truth value or a list of such. */
function written(value: Value): Buffer {
  if (typeof value === 'number') return Buffer.concat([u32(4), u32(value)]);
  if (typeof value === 'bigint') return Buffer.concat([u32(10), u64(value)]);
  if (typeof value === 'object')
    return Buffer.concat([u32(9), u32(7), u64(value.length), Buffer.alloc(value.length)]);
  if (typeof value === 'boolean') return Buffer.concat([u32(7), Buffer.from([value ? 1 : 0])]);
  return Buffer.concat([u32(8), text(value)]);
}

export function ggufBytes(file: WrittenFile): Uint8Array {
  const { magic = 'GGUF', version = 3, values = [], tensors = [], data = 0 } = file;
  const header = Buffer.concat([
    Buffer.from(magic, 'latin1'),
    u32(version),
    u64(file.tensorCount ?? tensors.length),
    u64(values.length),
    ...values.flatMap(([key, value]) => [text(key), written(value)]),
    ...tensors.flatMap(({ name, dims, type, offset }) => [
      text(name),
      u32(dims.length),
      ...dims.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  const padded = Math.ceil(header.length / 32) * 32;
  return new Uint8Array(Buffer.concat([header, Buffer.alloc(padded - header.length + data)]));
}
