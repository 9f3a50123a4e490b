/** In which order rows are taken where not all are: by their content and the seed alone. */
import { unitHash } from './hashes.js';
import type { RowTable } from './row-table.js';

export type Order = (row: number) => number;

export const orderIn =
  (table: RowTable, seed: number): Order =>
  (row) =>
    unitHash(seed, table.content(row).join(' '));

export function lowestFirst(rows: readonly number[], order: Order): readonly number[] {
  const places = Float64Array.from(rows, order);
  const sorted = Uint32Array.from(rows.keys()).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0) || a - b);
  return Array.from(sorted, (index) => rows[index] ?? 0);
}
