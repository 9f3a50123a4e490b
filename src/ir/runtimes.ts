/** Names of the tensor runtimes; `src/tensor/runtimes` has what stands behind them. */
export const RUNTIME_NAMES = ['onnx', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];
