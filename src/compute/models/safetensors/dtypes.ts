/**
 * Element types of the safetensors format and their width in bits (safetensors 0.7, `tensor.rs`), in the order in which the reference writer
 * puts tensors, the last first.
 */
export const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type SafetensorsDtype = keyof typeof DTYPE_BITS;

export function isDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(DTYPE_BITS, name);
}

const ORDER: ReadonlyMap<string, number> = new Map(
  Object.keys(DTYPE_BITS).map((name, index) => [name, index]),
);

/** Place of a dtype in the order of the table. */
export function dtypeOrder(dtype: SafetensorsDtype): number {
  return ORDER.get(dtype) ?? 0;
}
