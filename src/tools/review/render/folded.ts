/** Tables that are folded away, and cut where a comment would be longer than allowed. */
import { cellText } from './escape.js';
import type { Row, Section } from './sections.js';

/** Characters; GitHub takes 65,536 at most. */
export const LONGEST_COMMENT = 65_000;

/** The sections as Markdown, in so much room that with `others` they make one comment. */
export function foldedSections(sections: readonly Section[], others: readonly string[]): readonly string[] {
  const all = sections.map(folded);
  const fixed = [...others, ...all.flatMap(({ open, close }) => [open, close])];
  const room = LONGEST_COMMENT - fixed.reduce((sum, text) => sum + text.length + 2, 0);
  return fitted(all, room);
}

interface FoldedTable {
  readonly open: string;
  readonly close: string;
  readonly rows: readonly string[];
  readonly columns: number;
}

function folded({ title, head, rows }: Section): FoldedTable {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return {
    open: [
      `<details><summary>${title} (${rows.length})</summary>`,
      '',
      line(head),
      line(head.map(() => '---')),
    ].join('\n'),
    close: '</details>',
    rows: rows.map(({ cells }: Row) => line(cells.map(cellText))),
    columns: head.length,
  };
}

/** Characters that are kept free in a table for the row that says how many are left out. */
const REST = 60;

/** What is too long is cut where it is longest, so that a short table stays whole. */
function fitted(sections: readonly FoldedTable[], room: number): readonly string[] {
  const sizes = sections.map(({ rows }) => rows.reduce((sum, row) => sum + row.length + 1, 0));
  const most = level(sizes, room - REST * sections.length);
  return sections.map(({ open, close, rows, columns }, index) => {
    if ((sizes[index] ?? 0) <= most) return [open, ...rows, '', close].join('\n');
    let left = most;
    const kept = rows.filter((row) => {
      left -= row.length + 1;
      return left >= 0;
    });
    const rest = `| … and ${rows.length - kept.length} more${' |'.repeat(columns)}`;
    return [open, ...kept, rest, '', close].join('\n');
  });
}

/** The size above which sizes are cut, so that together they are `room` at most. */
function level(sizes: readonly number[], room: number): number {
  const sorted = [...sizes].sort((a, b) => a - b);
  let left = room;
  for (const [index, size] of sorted.entries()) {
    const share = Math.max(0, left / (sorted.length - index));
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}
