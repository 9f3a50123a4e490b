/** What is used of TensorFlow.js. A tensor holds its memory until it is disposed of, and no collector frees it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { GraphError } from '../../shape.js';
import type { DriverFacts, DType } from '../../types.js';
import { CORE, type TfjsName } from './installed.js';

export type TfjsType = 'float32' | 'int32' | 'bool';
export type Values = Float32Array | Int32Array | Uint8Array;

/** What kernels take and give. */
export interface TensorInfo {
  readonly dataId: object;
  readonly shape: readonly number[];
  readonly dtype: TfjsType;
}

export interface Tensor extends TensorInfo {
  dispose(): void;
  data(): Promise<Values>;
}

export type KernelInputs = Readonly<Record<string, TensorInfo>> | readonly TensorInfo[];
export type KernelAttributes = Readonly<Record<string, unknown>>;

export interface Backend {
  write(values: Values, shape: readonly number[], dtype: TfjsType): object;
}

export interface Engine {
  readonly backendName: string;
  readonly backend: Backend;
  /** Data that belong to tensors. */
  readonly state: { readonly tensorInfo: { has(id: object): boolean } };
  setBackend(name: string): Promise<boolean>;
  makeTensor(values: Values, shape: readonly number[], dtype: TfjsType): Tensor;
  runKernel(name: string, inputs: KernelInputs, attributes: KernelAttributes): Tensor;
  memory(): { readonly numTensors: number; readonly numBytes: number };
}

export type KernelFunction<B extends Backend> = (call: {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: KernelAttributes;
  readonly backend: B;
}) => TensorInfo;

export interface Core {
  readonly version_core: string;
  engine(): Engine;
  env(): { set(flag: string, value: boolean | number): void };
  enableProdMode(): void;
  registerKernel<B extends Backend>(config: {
    readonly kernelName: string;
    readonly backendName: TfjsName;
    readonly kernelFunc: KernelFunction<B>;
  }): void;
  registerBackend(name: string, make: () => unknown): boolean;
}

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

const TYPES: Readonly<Record<Exclude<DType, 'i64'>, TfjsType>> = {
  f32: 'float32',
  i32: 'int32',
  bool: 'bool',
};

export function typeNamed(dtype: DType): TfjsType {
  if (dtype === 'i64') throw new GraphError(`TensorFlow.js has no tensors of ${dtype}`);
  return TYPES[dtype];
}

/** Loads packages of an installation. */
export function loader(folder: string): (name: string) => unknown {
  const load = createRequire(join(folder, 'package.json'));
  return (name) => load(name) as unknown;
}

/** Without its greeting, which goes to the terminal. */
export function loadCore(load: (name: string) => unknown): Core {
  const core = load(CORE) as Core;
  core.enableProdMode();
  return core;
}
