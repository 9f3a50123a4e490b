/** Some rows of a file: that with index `skip`, counted from 0, and each `every`-th one after it. */
export interface Sample {
  readonly skip: number;
  readonly every: number;
}

export const EVERY_ROW: Sample = { skip: 0, every: 1 };

export const isSampled = ({ skip, every }: Sample, index: number): boolean =>
  index >= skip && (index - skip) % every === 0;
