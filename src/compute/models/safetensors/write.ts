import { DTYPE_BITS, type SafetensorsDtype } from './header.js';

/** A tensor to be written; its bytes are asked for once, when their turn comes. */
export interface WritableTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Little-endian, row-major; chunks add up to the size that dtype and shape give. */
  chunks(): Iterable<Uint8Array>;
}

/**
 * The bytes of a safetensors file, piece by piece, so that no second copy of a model is ever held. Equal tensors give
 * equal bytes: widest elements first, then by name, as the reference writer orders them; the header is padded with
 * spaces to a multiple of 8. transformers and PEFT ask for the format "pt".
 */
export function* safetensorsChunks(
  tensors: readonly WritableTensor[],
  { metadata = { format: 'pt' } }: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Generator<Uint8Array> {
  const ordered = inOrder(tensors);
  yield headerBytes(ordered, metadata);
  for (const tensor of ordered) {
    let written = 0;
    for (const chunk of tensor.chunks()) {
      written += chunk.byteLength;
      yield chunk;
    }
    if (written !== byteLength(tensor)) {
      throw new RangeError(`${tensor.name}: ${written} bytes given, ${byteLength(tensor)} announced`);
    }
  }
}

/** A float32 tensor that lies in memory as a whole, or is made when its turn comes. */
export const f32Writable = (
  name: string,
  shape: readonly number[],
  values: Float32Array | (() => Float32Array),
): WritableTensor => ({
  name,
  dtype: 'F32',
  shape,
  chunks: () => {
    const { buffer, byteOffset, byteLength } = values instanceof Float32Array ? values : values();
    return [new Uint8Array(buffer, byteOffset, byteLength)];
  },
});

const ORDER = Object.keys(DTYPE_BITS);

const inOrder = (tensors: readonly WritableTensor[]): readonly WritableTensor[] =>
  [...tensors].sort((a, b) => ORDER.indexOf(b.dtype) - ORDER.indexOf(a.dtype) || compare(a.name, b.name));

function headerBytes(
  ordered: readonly WritableTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const members: string[] = [];
  if (Object.keys(metadata).length > 0) {
    const sorted = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
    members.push(
      `"__metadata__":{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
    );
  }
  const seen = new Set(['__metadata__']);
  let begin = 0;
  for (const tensor of ordered) {
    if (seen.has(tensor.name)) throw new RangeError(`two tensors are named ${tensor.name}`);
    seen.add(tensor.name);
    const end = begin + byteLength(tensor);
    members.push(
      `${JSON.stringify(tensor.name)}:{"dtype":"${tensor.dtype}","shape":[${tensor.shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
    begin = end;
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  return bytes;
}

const byteLength = (tensor: WritableTensor): number =>
  (tensor.shape.reduce((product, size) => product * size, 1) * DTYPE_BITS[tensor.dtype]) / 8;

/** By UTF-8 bytes as Rust orders strings; equal to code points, which UTF-16 order is not beyond U+FFFF. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
