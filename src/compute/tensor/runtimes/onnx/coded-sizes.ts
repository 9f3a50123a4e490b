/** What products with matrices of codes have next to the codes; for plans too. */

/** What `MatMulNBits` takes from codes of 4 bits where it is given no other. */
const DEFAULT_ZERO = 8;

/** Bytes of the zeros of a row of `blocks`: none where all are what is taken anyway. */
export const zerosBytes = (zero: number, blocks: number): number =>
  zero === DEFAULT_ZERO ? 0 : Math.ceil(blocks / 2);
