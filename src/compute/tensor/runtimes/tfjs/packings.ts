/** Packed weights on the GPU: halves two, codes eight to an i32, as WGSL has no smaller integers. */
import { argument } from '../../ops/definition.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { CodedTensor, PackedTensor } from '../../types.js';
import type { Content } from '../device-memory.js';
import { BLOCK, type FormName } from './kernels/forms.js';
import type { Tensor, Values } from './library.js';
import { type Handle, type RowRange, rowRangesOf, rowRangesOfShape } from './row-ranges.js';

/** A weight in any form, as kernels take it: whole, or in ranges of its rows. */
export interface Weight {
  readonly form: FormName;
  readonly shape: Shape;
  readonly parts: readonly WeightPart[];
}

export interface WeightPart extends RowRange {
  /** By the names that kernels have for them. */
  readonly handles: Readonly<Record<string, Tensor>> & { readonly b: Tensor };
}

type Upload = (values: Values) => Tensor;

/** Values whose bits lie in whole i32, or share a constant. */
const TOGETHER: Readonly<Record<PackedTensor['form'], number>> = { f16: 2, bf16: 2, coded: BLOCK };

/** Bytes of the words that a value lies in. */
const BYTES: Readonly<Record<PackedTensor['form'], number>> = { f16: 2, bf16: 2, coded: 0.5 };

/** Puts packed forms on the device. A table that coded tensors share stays there. */
export class Packer {
  private readonly tables = new Map<Float32Array, Tensor>();

  constructor(private readonly upload: Upload) {}

  /** `undefined` for a form that is dequantised on the host. `largest`: bytes that the GPU takes in one piece. */
  pack(packed: PackedTensor, largest: number): Content<Handle> | undefined {
    if (packed.form === 'coded') return packed.block === BLOCK ? this.coded(packed, largest) : undefined;
    const words = this.words(packed, packed.bits, largest);
    return { packing: packed.form, bytes: packed.bits.byteLength, handles: [words] };
  }

  private words({ form, shape }: PackedTensor, bits: Uint8Array, largest: number): Handle {
    const bytesBefore = (row: number) => row * sizeOf(shape.slice(1)) * BYTES[form];
    return packedRanges(form, shape, largest).map(({ first, rows }) =>
      this.upload(wordsOf(bits.subarray(bytesBefore(first), Math.ceil(bytesBefore(first + rows))))),
    );
  }

  /** Constants are dequantised here: two roundings, of which a GPU might make one. */
  private coded(packed: CodedTensor, largest: number): Content<Handle> {
    const { codes, constants, shape, table } = packed;
    const scales =
      constants instanceof Float32Array ? constants : dequantiseConstants(constants, sizeOf(shape));
    if (!this.tables.has(table)) this.tables.set(table, this.upload(table));
    const blocksBefore = (row: number) => Math.ceil((row * sizeOf(shape.slice(1))) / BLOCK);
    return {
      packing: tableKey(this.tables, table),
      bytes: codes.byteLength + scales.byteLength,
      handles: [
        this.words(packed, codes, largest),
        packedRanges('coded', shape, largest).map(({ first, rows }) =>
          this.upload(scales.subarray(blocksBefore(first), blocksBefore(first + rows))),
        ),
      ],
    };
  }

  /** What lies in the handles of a packed content. */
  open({ packing = '', handles }: Content<Handle>, shape: Shape, largest: number): Weight {
    const [words = [], constants] = handles;
    const [form, number] = packing.split(' ') as [PackedTensor['form'], string | undefined];
    const table = [...this.tables.values()][Number(number)];
    const parts = packedRanges(form, shape, largest).map((range, at): WeightPart => {
      const [b, scales] = [words[at], constants?.[at]] as readonly [Tensor, Tensor | undefined];
      return { ...range, handles: { b, ...(scales && table && { constants: scales, table }) } };
    });
    return { form, shape, parts };
  }
}

/** A weight that is not packed. */
export const plainWeight = (shape: Shape, handle: Handle, largest: number): Weight => ({
  form: 'f32',
  shape,
  parts: rowRangesOfShape(shape, largest).map((range, at) => ({
    ...range,
    handles: { b: argument(handle, at) },
  })),
});

/** So that no i32 and no constant belongs to two ranges. */
function packedRanges(form: PackedTensor['form'], shape: Shape, largest: number): readonly RowRange[] {
  const [rows = 1, ...rest] = shape;
  const width = sizeOf(rest);
  const together = TOGETHER[form];
  return rowRangesOf(rows, width * BYTES[form], largest, together / commonDivisor(width, together));
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

const tableKey = (tables: ReadonlyMap<Float32Array, Tensor>, table: Float32Array): string =>
  `coded ${[...tables.keys()].indexOf(table)}`;

const dequantiseConstants = (
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
