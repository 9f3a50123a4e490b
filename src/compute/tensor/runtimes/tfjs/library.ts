/** What is used of TensorFlow.js. A tensor holds its memory until it is disposed of, and no collector frees it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { DType } from '../../types.js';
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
  /** Data that tensors stand for. */
  readonly state: { readonly tensorInfo: { has(id: object): boolean } };
  setBackend(name: string): Promise<boolean>;
  makeTensor(values: Values, shape: readonly number[], dtype: TfjsType): Tensor;
  runKernel(name: string, inputs: KernelInputs, attributes: KernelAttributes): Tensor;
  memory(): { readonly numTensors: number; readonly numBytes: number };
}

interface KernelConfig<B extends Backend = Backend> {
  readonly kernelName: string;
  readonly backendName: TfjsName;
  readonly kernelFunc: (call: {
    readonly inputs: Readonly<Record<string, TensorInfo>>;
    readonly attrs: KernelAttributes;
    readonly backend: B;
  }) => TensorInfo;
}

export interface Core {
  readonly version_core: string;
  engine(): Engine;
  env(): { set(flag: string, value: boolean | number): void };
  enableProdMode(): void;
  registerKernel<B extends Backend>(config: KernelConfig<B>): void;
  registerBackend(name: string, make: () => unknown): boolean;
}

const TYPES: Readonly<Record<Exclude<DType, 'i64'>, TfjsType>> = {
  f32: 'float32',
  i32: 'int32',
  bool: 'bool',
};

/** `undefined` for what TensorFlow.js has no tensors of. */
export const typeNamed = (dtype: DType): TfjsType | undefined => (dtype === 'i64' ? undefined : TYPES[dtype]);

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
