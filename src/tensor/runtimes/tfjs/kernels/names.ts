/** Kernels that are registered with TensorFlow.js here. */
export const KERNEL = {
  sum: 'ftpc.sum',
  toFloat: 'ftpc.toFloat',
  toBf16: 'ftpc.toBf16',
  scatterRows: 'ftpc.scatterRows',
  gatherElements: 'ftpc.gatherElements',
  scatterElements: 'ftpc.scatterElements',
} as const;

export type KernelName = (typeof KERNEL)[keyof typeof KERNEL];

/** Those of backends whose tensors lie in memory of the process, and those of the GPU. */
export type HostKernelName = KernelName;
export type GpuKernelName = Exclude<KernelName, typeof KERNEL.sum>;
