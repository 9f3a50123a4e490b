/**
 * float32 values in a form that takes less memory. Graphs know nothing of it: a runtime whose memory takes the form
 * dequantises it where a graph reads the tensor, exactly; for others it is dequantised on the host.
 */
export type PackedTensor = HalfTensor | CodedTensor;

export interface HalfTensor {
  readonly form: 'f16' | 'bf16';
  readonly shape: readonly number[];
  /** Two bytes per value, little-endian. */
  readonly bits: Uint8Array;
}

/** Codes of four bits into a table, times a constant a block of values: NF4 as bitsandbytes lays it out. */
export interface CodedTensor {
  readonly form: 'coded';
  readonly shape: readonly number[];
  /** Two a byte, the first in the upper half. */
  readonly codes: Uint8Array;
  /** 16 values; one object for all tensors of a table. */
  readonly table: Float32Array;
  /** Values that share a constant. */
  readonly block: number;
  readonly constants: Float32Array | CodedConstants;
}

/** Constants that are codes themselves: `table[code] · scale + offset`, rounded after either. */
interface CodedConstants {
  readonly codes: Uint8Array;
  /** 256 values. */
  readonly table: Float32Array;
  /** Constants that share a scale. */
  readonly block: number;
  readonly scales: Float32Array;
  readonly offset: number;
}
