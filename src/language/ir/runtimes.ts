/** Names of the tensor runtimes; `src/compute/tensor/runtimes` implements them. */
export const RUNTIME_NAMES = ['onnx', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];

/** What may be asked for; `auto` leaves it to the machine. */
export const RUNTIME_CHOICES = ['auto', ...RUNTIME_NAMES] as const;
export type RuntimeChoice = (typeof RUNTIME_CHOICES)[number];

/** Runtimes that count what their tensors take, so that it may be limited. */
const COUNTING: ReadonlySet<string> = new Set<RuntimeName>(['tensorflow', 'webgpu', 'wasm']);
export const takesLimit = (name: string): boolean => COUNTING.has(name);

/** What is asked for, and by whom: an option of the command line takes precedence over the pipeline. */
export interface RuntimeRequest {
  readonly choice: RuntimeChoice;
  readonly by: 'option' | 'pipeline' | 'auto';
  /** Of the products of a training; default: float32. */
  readonly precision?: 'bf16';
}

/** Where a stage that trains nothing has a model's weights, which changes no result. `paged`: they stay in their files. */
export type WeightResidency = 'float32' | 'stored' | 'paged';
