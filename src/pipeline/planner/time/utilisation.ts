/**
 * Which share of a data sheet's rate programs reach: with PyTorch's products, attention kernels and element-wise kernels, as
 * transformers calls them. Fitted to published rates (`test/pipeline/planner/time/published-rates.ts`); docs/planning.md says
 * how far off they are.
 */
export const UTILISATION = {
  /** Of dense products of many rows, of a rate up to `FAST`: see {@link ofProducts}. */
  products: 0.72,
  /** Of fused attention, forward and backward: its softmax is no product. */
  attention: 0.45,
  /** Of the memory's bandwidth. */
  bandwidth: 0.8,
  /** Of the bandwidth between devices, where a data sheet states it, and of PCIe without peer access. */
  interconnect: 0.7,
  pcie: 0.4,
  network: 0.7,
} as const;

/** Operations per second from which the power of a device, and what feeds it, allows less of its rate. */
const FAST = 312e12;

/** Share of a rate that dense products reach: 0.72 on an A100, 0.56 on an H100. */
export const ofProducts = (rate: number): number => UTILISATION.products * Math.min(1, FAST / rate) ** 0.22;

/** Rows of a product with which half of its rate is reached: fewer leave most of a device idle. */
export const HALF_RATE_ROWS = 96;

/** Seconds from one kernel to the next, where the processor that starts them is what takes longest. */
export const LAUNCH = 11e-6;

/** Kernels of a block's forward pass, and those that each target of an adapter adds. */
export const KERNELS = { block: 45, target: 7 } as const;

/** PCIe 4.0 with 16 lanes, both directions together; 10 Gbit/s. Bytes per second. */
export const DEFAULT_LINKS = { interconnect: 64e9, network: 1.25e9 } as const;

/** Bytes per second of a disk that weights and checkpoints are read from and written to. */
export const DISK = 1e9;

/** Bytes per second at which models are fetched. */
export const DOWNLOAD = 100e6;

/** Networks differ more than machines. */
export const FETCHED = { low: 0.1, high: 10 } as const;

/** Seconds until ranks compute: Python, its packages, CUDA, and the meeting of ranks. */
export const START = 30;

/**
 * Interval of a time that was not measured: nine in ten of the published rates are inside. A measured one is as exact as
 * runs of the same machine are equal.
 */
export const FORETOLD = { low: 0.6, high: 1.8 } as const;
export const MEASURED = { low: 0.8, high: 1.25 } as const;
