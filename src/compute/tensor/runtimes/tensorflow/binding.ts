/**
 * What is used of the native binding: that of `@tensorflow/tfjs-node`, and what `native/tensorflow.cc` adds to it. A
 * handle is a number; it holds its tensor until it is deleted, and no collector frees it.
 */
import { createRequire } from 'node:module';

interface Output {
  readonly id: number;
}

interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean;
}

export interface Binding {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_Version: string;
  createTensor(shape: readonly number[], dtype: number, data: ArrayBufferView): number;
  deleteTensor(handle: number): void;
  /** A fresh copy. */
  tensorDataSync(handle: number): ArrayBufferView;
  executeOp(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): readonly Output[];
  /** A `FunctionDef`; `executeOp` runs it under its name. */
  defineFunction(message: Uint8Array): void;
  removeFunction(name: string): void;
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
}

/** What the library reads from its process's environment when it is loaded. */
const environment = (threads: number | undefined): Readonly<Record<string, string>> => ({
  // only errors: it has much to tell of the machine
  TF_CPP_MIN_LOG_LEVEL: '2',
  // an interrupted training ends with the same bytes
  TF_DETERMINISTIC_OPS: '1',
  // products on the CPU by oneDNN, which takes a quarter less time for a step than the other kernels
  TF_ENABLE_ONEDNN_OPTS: '1',
  // by default all of a GPU's memory is taken at once, and products there are of 10 bits of mantissa
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  NVIDIA_TF32_OVERRIDE: '0',
  TF_NUM_INTEROP_THREADS: '1',
  // else what is rounded to bfloat16 and converted back is not rounded
  XLA_FLAGS: '--xla_allow_excess_precision=false',
  ...(threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(threads) }),
});

/** `path` is that of `tfjs_binding.node`. Throws what the system says if it does not load. */
export function loadBinding(path: string, threads: number | undefined): Binding {
  Object.assign(process.env, environment(threads));
  return createRequire(import.meta.url)(path) as Binding;
}
