/** Protocol buffers, as much of them as trackers' files are made of: https://protobuf.dev/programming-guides/encoding */

/** One field of a message, with its number and tag. */
export type Field = Uint8Array;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** An unsigned number in groups of seven bits, the lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = Math.max(0, Math.floor(value));
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  return Uint8Array.from([...bytes, left]);
}

const tagged = (number: number, wire: number, ...parts: readonly Uint8Array[]): Field =>
  Buffer.concat([varint(number * 8 + wire), ...parts]);

export const integer = (number: number, value: number): Field => tagged(number, VARINT, varint(value));

export function double(number: number, value: number): Field {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return tagged(number, FIXED64, bytes);
}

export function float(number: number, value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return tagged(number, FIXED32, bytes);
}

const sized = (number: number, bytes: Uint8Array): Field =>
  tagged(number, BYTES, varint(bytes.length), bytes);

export const text = (number: number, value: string): Field => sized(number, Buffer.from(value, 'utf8'));

export const message = (number: number, ...fields: readonly Field[]): Field =>
  sized(number, Buffer.concat(fields));
