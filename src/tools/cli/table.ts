import { columns } from '../../pipeline/planner/render/columns.js';

export interface Column {
  readonly title: string;
  /** Of numbers, which end under each other. */
  readonly right?: boolean;
}

/** Titles, and the rows below them. */
export const tableLines = (
  titles: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] =>
  columns([titles.map(({ title }) => title), ...rows], {
    right: titles.flatMap(({ right }, index) => (right === true ? [index] : [])),
  });
