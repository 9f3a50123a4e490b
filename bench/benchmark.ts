export interface BenchmarkOptions {
  readonly steps?: string;
  readonly repeats?: string;
  /** Only what the targets refer to. */
  readonly quick?: boolean;
  /** Cases whose name holds this text. */
  readonly only?: string;
  /** Of `gpu`: on the CPU where there is no GPU, to try the benchmark itself. */
  readonly cpu?: boolean;
  /** Of `plans`: published figures of GPU memory alone. */
  readonly published?: boolean;
}

/** Lines, as they become known: some take an hour. */
export type Benchmark = (options: BenchmarkOptions) => AsyncIterable<string>;
