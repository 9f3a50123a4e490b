/** Writes the protobuf wire format, as much of it as the runtimes' model files need. */

const utf8 = new TextEncoder();

function varint(value: number | bigint): number[] {
  // negative numbers are written as their 64-bit two's complement
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;
const tag = (field: number, wire: number) => varint((field << 3) | wire);

export const integer = (field: number, value: number | bigint): Uint8Array =>
  Uint8Array.from([...tag(field, VARINT), ...varint(value)]);

export const bytes = (field: number, value: Uint8Array): Uint8Array =>
  join([Uint8Array.from([...tag(field, BYTES), ...varint(value.length)]), value]);

export const string = (field: number, value: string): Uint8Array => bytes(field, utf8.encode(value));

export const message = (field: number, parts: readonly Uint8Array[]): Uint8Array => bytes(field, join(parts));

/** As {@link message}, in parts: large ones are copied once, when all is joined. */
export const spread = (field: number, parts: readonly Uint8Array[]): readonly Uint8Array[] => {
  const length = parts.reduce((total, part) => total + part.length, 0);
  return [Uint8Array.from([...tag(field, BYTES), ...varint(length)]), ...parts];
};

export function float(field: number, value: number): Uint8Array {
  const out = new Uint8Array(5);
  out.set(tag(field, FIXED32));
  new DataView(out.buffer).setFloat32(1, value, true);
  return out;
}
