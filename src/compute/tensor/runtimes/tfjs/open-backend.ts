import type { DriverFacts } from '../../types.js';
import type { Core, Tensor, Values } from './library.js';

/** A backend that is open. */
export interface OpenBackend {
  readonly core: Core;
  readonly device: 'CPU' | 'GPU';
  readonly driver?: DriverFacts;
  /** Throws what went wrong on the device since it was last asked, and what ended it. */
  readonly check: () => void;
  /** The values of a tensor, or an array that the backend computes with. */
  readonly read: (tensor: Tensor) => Promise<Values>;
  /** Bytes of the largest tensor that the device takes in one piece. */
  readonly largest: number;
  /** Refuses larger ones from now on. */
  readonly allow: (largest: number) => void;
  /** Wraps what dispatches kernels: failures that end the device are remembered. */
  readonly guarded: <T>(use: () => T) => T;
}

export interface OpenOptions {
  /** Bytes of the device's memory that tensors may take. */
  readonly memory?: number;
  /** Bytes that a tensor may have in one piece, where that is less than the device takes: for tests. */
  readonly largest?: number;
}
