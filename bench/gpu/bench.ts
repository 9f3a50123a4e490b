/** What the parts of the benchmark share. */
export interface GpuBench {
  readonly python: string;
  /** Where models are written. */
  readonly folder: string;
  readonly on: 'cuda' | 'cpu';
  /** Of the smallest GPU. */
  readonly gpuBytes: number;
  /** Milliseconds that are left. */
  left(): number;
}
