/** Kernels that are registered with TensorFlow.js here. */

/** Those that TensorFlow.js has not, or not as they are needed: every backend gets them. */
export const KERNEL = {
  toFloat: 'ftpc.toFloat',
  toBf16: 'ftpc.toBf16',
  scatterRows: 'ftpc.scatterRows',
  gatherElements: 'ftpc.gatherElements',
  scatterElements: 'ftpc.scatterElements',
} as const;

/** Of the backends whose tensors lie in memory of the process. */
export const HOST_KERNEL = { ...KERNEL, sum: 'ftpc.sum' } as const;

/** Of the GPU, in one program each where TensorFlow.js has several. */
export const ROW_KERNEL = {
  silu: 'ftpc.silu',
  swiGlu: 'ftpc.swiGlu',
  inverseScale: 'ftpc.inverseScale',
  scaled: 'ftpc.scaled',
  rotary: 'ftpc.rotary',
  maskedSoftmax: 'ftpc.maskedSoftmax',
  logSoftmax: 'ftpc.logSoftmax',
  softmaxSums: 'ftpc.softmaxSums',
  pickedLogarithm: 'ftpc.pickedLogarithm',
} as const;

/** Of the GPU: of logits, which it writes over where it may. */
export const CROSS_ENTROPY_GRADIENT = 'ftpc.crossEntropyGradient';

/** Of the GPU, over weights in any form that it holds. */
export const FORM_KERNEL = {
  product: 'ftpc.product',
  dequantise: 'ftpc.dequantise',
  gatherRows: 'ftpc.gatherRows',
} as const;

/** The input that a kernel writes into, in place of a tensor of its own. */
export const INTO = 'into';

type Names<T> = T[keyof T];
export type HostKernelName = Names<typeof HOST_KERNEL>;
export type GpuKernelName = Names<typeof KERNEL> | Names<typeof ROW_KERNEL>;
