export interface BenchmarkOptions {
  readonly steps?: string;
  readonly repeats?: string;
  /** Only what the targets refer to. */
  readonly quick?: boolean;
  /** Cases whose name holds this text. */
  readonly only?: string;
}

/** Lines, as they become known: some take an hour. */
export type Benchmark = (options: BenchmarkOptions) => AsyncIterable<string>;
