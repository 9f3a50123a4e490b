/**
 * Packed forms on the device: how they get there, and the nodes that make them float32 where a graph reads them. Codes
 * are looked up four at a time, in a table of the four values of each two bytes: the fastest way that this library has.
 */

import { type Shape, sizeOf } from '../../shape.js';
import type { CodedTensor, HalfTensor, PackedTensor } from '../../types.js';
import type { Content } from '../device-memory.js';
import type { Binding } from './binding.js';
import { DATA_TYPE, type TensorFlowType } from './messages.js';
import { binary, cast, gathered, type NodeContext, reshaped, sliced } from './nodes.js';

export type PackingName = HalfTensor['form'] | 'coded' | 'coded twice';

interface Packing {
  /** Types of its handles. */
  readonly handles: readonly TensorFlowType[];
  /** Whether it reads {@link TABLES}. */
  readonly coded: boolean;
  readonly dequantise: (
    c: NodeContext,
    handles: readonly string[],
    shape: Shape,
    tables: readonly string[],
  ) => string;
  /** Some rows alone. */
  readonly lookUp?: (c: NodeContext, handles: readonly string[], indices: string) => string;
}

/** Arguments after a function's inputs where any of these is coded: the values of two bytes, and constants' codes. */
export const TABLES = ['quads', 'constants'] as const;

/** Of bitsandbytes' NF4: values that share a constant, and constants that share a scale. */
const [BLOCK, NESTED] = [64, 256];

const lookedUp = (c: NodeContext, table: string, codes: string, type: TensorFlowType): string =>
  gathered(c, table, cast(c, codes, type, 'i32'), 'f32');

const firstOf = (c: NodeContext, value: string, has: number, wanted: number): string =>
  has === wanted ? value : sliced(c, value, [0], [wanted]);

const half = (form: HalfTensor['form']): Packing => ({
  handles: [form],
  coded: false,
  dequantise: (c, [value = '']) => cast(c, value, form, 'f32'),
  lookUp: (c, [value = ''], indices) => cast(c, gathered(c, value, indices, form), form, 'f32'),
});

const blocksOf = (shape: Shape): number => Math.ceil(sizeOf(shape) / BLOCK);
const groupsOf = (shape: Shape): number => Math.ceil(blocksOf(shape) / NESTED);

function dequantiseCodes(
  c: NodeContext,
  codes: string,
  constants: string,
  shape: Shape,
  quads: string,
): string {
  const blocks = blocksOf(shape);
  const values = reshaped(c, lookedUp(c, quads, codes, 'u16'), [blocks, BLOCK]);
  const all = reshaped(c, binary(c, 'Mul', values, reshaped(c, constants, [blocks, 1])), [blocks * BLOCK]);
  return reshaped(c, firstOf(c, all, blocks * BLOCK, sizeOf(shape)), shape);
}

export const PACKINGS: Readonly<Record<PackingName, Packing>> = {
  f16: half('f16'),
  bf16: half('bf16'),
  coded: {
    handles: ['u16', 'f32'],
    coded: true,
    dequantise: (c, [codes = '', constants = ''], shape, [quads = '']) =>
      dequantiseCodes(c, codes, constants, shape, quads),
  },
  'coded twice': {
    handles: ['u16', 'u8', 'f32', 'f32'],
    coded: true,
    dequantise: (
      c,
      [codes = '', constants = '', scales = '', offset = ''],
      shape,
      [quads = '', table = ''],
    ) => {
      const groups = groupsOf(shape);
      const found = reshaped(c, lookedUp(c, table, constants, 'u8'), [groups, NESTED]);
      const scaled = binary(c, 'AddV2', binary(c, 'Mul', found, scales), offset);
      const flat = reshaped(c, scaled, [groups * NESTED]);
      return dequantiseCodes(c, codes, firstOf(c, flat, groups * NESTED, blocksOf(shape)), shape, quads);
    },
  },
};

export const isPacking = (name: string): name is PackingName => Object.hasOwn(PACKINGS, name);

interface Table {
  readonly of: Float32Array;
  readonly handle: number;
}

/** The four values of two bytes, as the processor reads them: the first is the lower one. */
function quadsOf(table: Float32Array): Float32Array {
  const quads = new Float32Array(4 * 65536);
  for (let pair = 0; pair < 65536; pair++)
    [pair >> 4, pair, pair >> 12, pair >> 8].forEach((code, at) => {
      quads[4 * pair + at] = table[code & 15] ?? 0;
    });
  return quads;
}

/** Puts packed forms on the device. The tables that all coded tensors share stay there. */
export class Packer {
  private quads: Table | undefined;
  private constants: Table | undefined;

  constructor(private readonly binding: Binding) {}

  /** Handles of {@link TABLES}. */
  get tables(): readonly number[] {
    const [quads, constants = quads] = [this.quads?.handle, this.constants?.handle];
    return quads === undefined || constants === undefined ? [] : [quads, constants];
  }

  pack(packed: PackedTensor): Content<number> | undefined {
    return packed.form === 'coded' ? this.coded(packed) : this.half(packed);
  }

  private half({ form, shape, bits }: HalfTensor): Content<number> {
    return { packing: form, bytes: bits.byteLength, handles: [this.as(form, bits, shape)] };
  }

  private coded(packed: CodedTensor): Content<number> | undefined {
    const { shape, codes, block, constants } = packed;
    if (block !== BLOCK || !this.takes(packed)) return undefined;
    const blocks = blocksOf(shape);
    const quads = this.as('u16', padded(codes, (blocks * BLOCK) / 2), [(blocks * BLOCK) / 4]);
    const bytes = (blocks * BLOCK) / 2;
    if (constants instanceof Float32Array)
      return {
        packing: 'coded',
        bytes: bytes + constants.byteLength,
        handles: [quads, this.floats(constants, [blocks])],
      };
    const groups = groupsOf(shape);
    return {
      packing: 'coded twice',
      bytes: bytes + groups * (NESTED + 4) + 4,
      handles: [
        quads,
        this.binding.createTensor([groups * NESTED], DATA_TYPE.u8, padded(constants.codes, groups * NESTED)),
        this.floats(constants.scales, [groups, 1]),
        this.floats(Float32Array.of(constants.offset), []),
      ],
    };
  }

  /** One table of codes, and one of constants' codes: only bitsandbytes' exist. */
  private takes({ table, constants }: CodedTensor): boolean {
    const nested = constants instanceof Float32Array ? undefined : constants;
    this.quads ??= { of: table, handle: this.floats(quadsOf(table), [65536, 4]) };
    if (nested !== undefined)
      this.constants ??= { of: nested.table, handle: this.floats(nested.table, [256]) };
    return (
      this.quads.of === table &&
      (nested === undefined || (nested.block === NESTED && this.constants?.of === nested.table))
    );
  }

  private floats(values: Float32Array, shape: Shape): number {
    return this.binding.createTensor(shape, DATA_TYPE.f32, values);
  }

  /** Bytes as values of two bytes each. */
  private as(type: 'f16' | 'bf16' | 'u16', bytes: Uint8Array, shape: Shape): number {
    const { binding } = this;
    const raw = binding.createTensor([...shape, 2], DATA_TYPE.u8, bytes);
    try {
      const attributes = [
        { name: 'T', type: binding.TF_ATTR_TYPE, value: DATA_TYPE.u8 },
        { name: 'type', type: binding.TF_ATTR_TYPE, value: DATA_TYPE[type] },
      ];
      const [cast] = binding.executeOp('Bitcast', attributes, [raw], 1);
      if (cast === undefined) throw new Error('Bitcast gave nothing');
      return cast.id;
    } finally {
      binding.deleteTensor(raw);
    }
  }
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  const out = new Uint8Array(length);
  out.set(bytes);
  return out;
}
