/** Where something is: UTF-16 offsets into one source file, `end` exclusive. */
export interface Span {
  /** Path as it was asked for: relative to the working directory where it lies inside it. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
}
