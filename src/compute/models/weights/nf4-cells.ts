/** Tables by which a kernel finds codes sixteen at a time (`kernels/nf4.wat`). */

/** Cells of the same width that the int16 are divided into, by their upper four bits. */
const CELLS = 16;
const CELL_SHIFT = 12;
/** Bounds of a cell, at most. */
const CELL_BOUNDS = 2;
const LEAST = -(2 ** 15);
const MOST = 2 ** 15 - 1;

/** A weight from -1 to 1 in units of 2^-15, as the kernel rounds it: the last bit of a float32 next to 384 counts them. */
const inUnits = (weight: number): number =>
  Math.min(MOST, Math.max(LEAST, (Math.fround(weight + 384) - 384) * 2 ** 15));

/**
 * For each cell, one byte after the other: how many bounds lie below it, less those that any value exceeds; then the lower and the
 * upper byte of a bound that lies in it, and of another. Where there is none, a bound stands there that no value of the cell equals.
 */
export function cellTables(bounds: Float32Array): Uint8Array {
  const tables = new Uint8Array(CELLS * (1 + 2 * CELL_BOUNDS));
  const places = Array.from(bounds, inUnits);
  for (let cell = -CELLS / 2; cell < CELLS / 2; cell++) {
    const inside = places.filter((place) => place >> CELL_SHIFT === cell);
    if (inside.length > CELL_BOUNDS) throw new RangeError(`${inside.length} bounds lie in a cell`);
    const index = cell & (CELLS - 1);
    const lacking = CELL_BOUNDS - inside.length;
    // every value of another cell than the first exceeds the least
    const isFirst = cell === -CELLS / 2;
    tables[index] = places.filter((place) => place >> CELL_SHIFT < cell).length - (isFirst ? 0 : lacking);
    [...inside, ...Array<number>(lacking).fill(isFirst ? MOST : LEAST)].forEach((place, at) => {
      tables[CELLS * (1 + 2 * at) + index] = place;
      tables[CELLS * (2 + 2 * at) + index] = place >> 8;
    });
  }
  return tables;
}
