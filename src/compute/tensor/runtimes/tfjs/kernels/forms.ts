/** Forms in which a weight lies on the GPU, and the WGSL that reads a value of each: none is unpacked as a whole. */
import type { HalfTensor } from '../../../types.js';
import type { KernelAttributes } from '../library.js';

export type FormName = 'f32' | HalfTensor['form'] | 'coded';

export interface Form {
  /** Names of the tensors that it lies in. */
  readonly inputs: readonly string[];
  /** Declares `fn valueAt(index : i32) -> f32`. */
  readonly declarations: string;
}

/** Two values per i32, the first in the lower half. */
const half = (value: string): Form => ({
  inputs: ['b'],
  declarations: `
fn valueAt(index : i32) -> f32 {
  let both = bitcast<u32>(b[index / 2]);
  return ${value};
}`,
});

/** Values that share a constant. */
export const BLOCK = 64;

export const FORMS: Readonly<Record<FormName, Form>> = {
  f32: { inputs: ['b'], declarations: 'fn valueAt(index : i32) -> f32 { return b[index]; }' },
  f16: half('select(unpack2x16float(both).x, unpack2x16float(both).y, index % 2 == 1)'),
  bf16: half('bitcast<f32>(select(both << 16u, both & 0xffff0000u, index % 2 == 1))'),
  // eight codes per i32; of each byte the first is in the upper half
  coded: {
    inputs: ['b', 'constants', 'table'],
    declarations: `
fn valueAt(index : i32) -> f32 {
  let shift = u32(8 * ((index / 2) % 4) + select(4, 0, index % 2 == 1));
  let code = (bitcast<u32>(b[index / 8]) >> shift) & 15u;
  return table[code] * constants[index / ${BLOCK}];
}`,
  },
};

/** The form that a kernel's attributes name. */
export const formOf = (attributes: KernelAttributes): FormName =>
  (attributes['form'] as FormName | undefined) ?? 'f32';
