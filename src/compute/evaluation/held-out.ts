import type { TokenRows } from '../training/token-rows.js';

/** What a format stage says about a row besides its tokens. */
export interface RowText {
  readonly prompt: string;
  /** The reference, without an end token. */
  readonly answer: string;
  readonly file: string;
  readonly line: number;
  /** What sort of row it is, where the data says so: the report breaks the metrics down by it. */
  readonly kind?: string;
}

/** The rows that models are measured on. */
export interface HeldOut {
  readonly tokens: TokenRows;
  text(row: number): RowText;
  /** Tokens before the first supervised one: what a model gets to answer. */
  promptTokens(row: number): number;
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  readonly padId: number;
  /** Of labelled rows: their labels by the numbers that are in the rows. */
  readonly labels?: readonly string[];
}
