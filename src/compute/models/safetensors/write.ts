import { DTYPE_BITS, dtypeOrder, type SafetensorsDtype } from './dtypes.js';

/** A tensor to be written; its bytes are asked for once, when their turn comes. */
export interface WritableTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Little-endian, row-major; chunks add up to the size that dtype and shape give. */
  chunks(): Iterable<Uint8Array>;
}

interface SafetensorsWriteOptions {
  /** Default: `{"format":"pt"}`, which transformers and PEFT ask for. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The bytes of a safetensors file, piece by piece, so that no second copy of a model is ever held. Equal tensors give
 * equal bytes: widest elements first, then by name, as the reference writer orders them; the header is padded with
 * spaces to a multiple of 8.
 */
export function* safetensorsChunks(
  tensors: readonly WritableTensor[],
  options: SafetensorsWriteOptions = {},
): Generator<Uint8Array> {
  const ordered = inOrder(tensors);
  yield headerBytes(ordered, options.metadata ?? { format: 'pt' });
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

/** A float32 tensor that lies in memory as a whole. */
export function f32Writable(name: string, shape: readonly number[], data: Float32Array): WritableTensor {
  return {
    name,
    dtype: 'F32',
    shape,
    chunks: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  };
}

function inOrder(tensors: readonly WritableTensor[]): readonly WritableTensor[] {
  return [...tensors].sort((a, b) => dtypeOrder(b.dtype) - dtypeOrder(a.dtype) || compare(a.name, b.name));
}

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

function byteLength(tensor: WritableTensor): number {
  return (tensor.shape.reduce((product, size) => product * size, 1) * DTYPE_BITS[tensor.dtype]) / 8;
}

/** By UTF-8 bytes as Rust orders strings; equal to code points, which UTF-16 order is not beyond U+FFFF. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
