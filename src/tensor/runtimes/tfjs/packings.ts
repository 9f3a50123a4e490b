/** Packed weights on the GPU: halves two, codes eight to an i32, as WGSL has no smaller integers. */
import type { CodedTensor, Packed } from '../../packed.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Content } from '../device-memory.js';
import { BLOCK, type FormName } from './kernels/forms.js';
import type { Tensor, Values } from './library.js';

/** A weight in a packed form, as kernels take it. */
export interface PackedHandles {
  readonly form: FormName;
  /** By the names that kernels have for them. */
  readonly handles: Readonly<Record<string, Tensor>> & { readonly b: Tensor };
  readonly shape: Shape;
}

type Upload = (values: Values) => Tensor;

/** Puts packed forms on the device. A table that coded tensors share stays there. */
export class Packer {
  readonly #tables = new Map<Float32Array, Tensor>();

  constructor(private readonly upload: Upload) {}

  /** `undefined` for a form that is decoded on the host. */
  pack(packed: Packed): Content<Tensor> | undefined {
    if (packed.form === 'coded') return packed.block === BLOCK ? this.#coded(packed) : undefined;
    const words = wordsOf(packed.bits);
    return { packing: packed.form, bytes: words.byteLength, handles: [this.upload(words)] };
  }

  /** Constants are decoded here: two roundings, of which a GPU might make one. */
  #coded({ codes, constants, shape, table }: CodedTensor): Content<Tensor> {
    const words = wordsOf(codes);
    const scales = constants instanceof Float32Array ? constants : decodeConstants(constants, sizeOf(shape));
    if (!this.#tables.has(table)) this.#tables.set(table, this.upload(table));
    return {
      packing: tableKey(this.#tables, table),
      bytes: words.byteLength + scales.byteLength,
      handles: [this.upload(words), this.upload(scales)],
    };
  }

  /** What lies in the handles of a packed content. */
  open({ packing = '', handles }: Content<Tensor>, shape: Shape): PackedHandles {
    const [b, constants] = handles as readonly [Tensor, Tensor];
    const [form, number] = packing.split(' ') as [FormName, string | undefined];
    const table = [...this.#tables.values()][Number(number)];
    return { form, shape, handles: table === undefined ? { b } : { b, constants, table } };
  }
}

const tableKey = (tables: ReadonlyMap<Float32Array, Tensor>, table: Float32Array): string =>
  `coded ${[...tables.keys()].indexOf(table)}`;

const decodeConstants = (
  { codes, table, block, scales, offset }: Exclude<CodedTensor['constants'], Float32Array>,
  count: number,
): Float32Array =>
  Float32Array.from({ length: Math.ceil(count / BLOCK) }, (_, at) => {
    const scale = scales[Math.floor(at / block)] ?? 0;
    return Math.fround((table[codes[at] ?? 0] ?? 0) * scale) + offset;
  });

/** Bytes as whole i32. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
