/** A comparison as a comment of a pull request: the headline in sight, the details folded, never longer than allowed. */

import { createHash } from 'node:crypto';
import { counted } from '../../../language/diagnostics/make.js';
import type { DiagnosticJson } from '../../../language/diagnostics/render/json.js';
import { isError } from '../../../language/diagnostics/types.js';
import { NOMINAL_SPEED } from '../../../pipeline/prepare/index.js';
import type { Comparison } from '../types.js';
import { baseName, headline, noteCells } from './headline.js';
import { type Cell, code, type ForeignText, visible } from './pieces.js';
import { type Row, type Section, sectionsOf } from './sections.js';

/** Ends without a line break. */
export function renderMarkdown(comparison: Comparison): string {
  const head = headOf(comparison.pipeline, headline(comparison));
  const foot = footer(comparison);
  return [head, ...foldedSections(sectionsOf(comparison), [head, foot]), foot].join('\n\n');
}

/** Of a pipeline that cannot be planned as it is. */
export function renderFailure(pipeline: string, found: readonly DiagnosticJson[]): string {
  const errors = found.filter(isError);
  const section: Section = {
    title: 'Errors',
    head: ['code', 'where', 'message'],
    rows: errors.map(({ code: id, file, line, column, message }) => ({
      tone: 'bad',
      cells: [[code(id)], [code(line === 0 ? file : `${file}:${line}:${column}`)], [code(message)]],
    })),
  };
  const head = headOf(pipeline, [`cannot be planned, ${counted(errors.length, 'error')}`]);
  return [head, ...foldedSections([section], [head])].join('\n\n');
}

const headOf = (pipeline: string, lines: readonly string[]): string =>
  [marker(pipeline), `**${foreign(code(pipeline))}**: ${lines.join('<br>\n')}`].join('\n');

function footer(comparison: Comparison): string {
  const { machine, notes, totals, stages } = comparison;
  const size = machine.memoryBytes === null ? '' : ` with ${machine.memoryBytes / 2 ** 20} MiB`;
  const name = machine.name === null ? 'the machine that compares' : foreign(code(machine.name));
  const timed = [...totals, ...stages.flatMap(({ figures }) => figures)].some(
    ({ figure }) => figure === 'seconds',
  );
  return [
    ...noteCells(notes).map((note) => `Note: ${cellText(note)}.`),
    `<sub>Against ${foreign(code(baseName(comparison)))}, planned for ${name}${size}.${timed ? ` Times are those of a processor that multiplies ${NOMINAL_SPEED / 1e9} GFLOP/s.` : ''}</sub>`,
  ].join('\n\n');
}

/** Characters; GitHub takes 65,536 at most. */
export const LONGEST_COMMENT = 65_000;

/** The sections as Markdown, in so much room that with `others` they make one comment. */
function foldedSections(sections: readonly Section[], others: readonly string[]): readonly string[] {
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

/** A bot finds its own comment by it. */
export function marker(pipeline: string): string {
  const name = encodeURIComponent(pipeline.replace(/\p{Cs}/gu, '\ufffd'))
    .replace(/%2F/g, '/')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/-(?=-|$)/g, '%2D');
  return `<!-- ftpc-plan: ${name.length <= LONGEST_NAME ? name : shortened(name)} -->`;
}

const LONGEST_NAME = 200;
const shortened = (name: string): string =>
  `${name.slice(0, LONGEST_NAME - 17).replace(/%.?$/, '')}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;

const cellText = (cell: Cell): string =>
  cell.map((piece) => (typeof piece === 'string' ? piece : foreign(piece))).join('');

/** Nothing in it is markup, a mention, a reference or an address: a code span, where that is certain to hold. */
function foreign({ code: text }: ForeignText): string {
  const shown = visible(text);
  if (shown !== '' && TAME.test(shown) && !/<[a-z!/?]/i.test(shown) && shown.trim() === shown)
    return `\`${shown}\``;
  const entities = shown.replace(/[^\p{L}\p{N} ]/gu, (char) => `&#${char.codePointAt(0)};`);
  return `<code>${entities}</code>`;
}

/** No backtick, bar or backslash; a tag would be safe too, but not every reader of comments is that exact. */
const TAME = /^[\p{L}\p{N} .,:;()%+*/=<>!?"'[\]{}@#$&~^_…→–-]+$/u;
