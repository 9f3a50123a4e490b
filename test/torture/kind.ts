/** What a kind of torture is: many numbered cases, of which the same seed and number give the same. */

export interface TortureOptions {
  readonly seed: number;
  /** How many cases are wanted; a kind of which each case is one of a list may have fewer. */
  readonly count: number;
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string;
  /** Where what several kinds use is made once. */
  readonly shared: string;
}

/** A case that did not end as it must. */
export interface Loss {
  readonly number: number;
  /** What was done, and what came of it. */
  readonly what: string;
}

export interface Torture {
  /** Numbers of the cases are below this. */
  readonly cases: number;
  /** How many are handed to {@link run} at a time. Default: one. */
  readonly batch?: number;
  /** Cases `from` to `to - 1`; gives those that were lost. */
  run(from: number, to: number): Promise<readonly Loss[]>;
  close?(): Promise<void>;
}

export interface Kind {
  readonly doc: string;
  /** How many cases there are by default. */
  readonly count: number;
  /** Those of the short form. */
  readonly short: number;
  /** Why it cannot be done here, if it cannot. */
  missing?(): string | undefined;
  open(options: TortureOptions): Promise<Torture>;
}
