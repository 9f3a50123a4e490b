/** The rows that training and validation read, one at a time: nothing is held for each row but what the source holds. */
export interface TokenRows {
  readonly count: number;
  /** Tokens of a row. */
  lengthOf(row: number): number;
  /** Ids, and labels: the token at each position, or -100 if it is not supervised. */
  read(row: number): TokenRow;
}

export interface TokenRow {
  readonly ids: Int32Array;
  readonly labels: Int32Array;
}

/** A label that no loss counts. */
export const IGNORED = -100;
