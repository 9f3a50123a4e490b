/**
 * Documents: text with the places where it may break, after Wadler ("A prettier printer", 1998). A group is on
 * one line where it fits; else each of its own breaks is taken, and groups inside decide for themselves.
 */

/** Columns that a line has at most, where there is a place to break it. */
const WIDTH = 100;
const INDENT = '  ';

export type Doc =
  | string
  | readonly Doc[]
  /** `flat` where the group is on one line, a line end if it is not. */
  | { readonly kind: 'break'; readonly flat: string }
  /** A line end, which occurs only in a broken group. */
  | { readonly kind: 'line_end' }
  /** One or the other, as the group around it is on one line or not. */
  | { readonly kind: 'choice'; readonly broken: Doc; readonly flat: Doc }
  | { readonly kind: 'indent'; readonly body: Doc }
  | { readonly kind: 'group'; readonly body: Doc; readonly broken: boolean }
  /** Text after everything else on its line, whose width does not count: a comment. */
  | { readonly kind: 'suffix'; readonly text: string };

export const SPACE_OR_BREAK: Doc = { kind: 'break', flat: ' ' };
export const BREAK: Doc = { kind: 'break', flat: '' };
export const LINE_END: Doc = { kind: 'line_end' };

export const indent = (body: Doc): Doc => ({ kind: 'indent', body });
export const choice = (broken: Doc, flat: Doc): Doc => ({ kind: 'choice', broken, flat });
export const suffix = (text: string): Doc => ({ kind: 'suffix', text });

/** A group around a broken group is broken too. */
export const group = (body: Doc, broken = false): Doc => ({
  kind: 'group',
  body,
  broken: broken || isBroken(body),
});

function isBroken(doc: Doc): boolean {
  if (typeof doc === 'string') return false;
  if (!('kind' in doc)) return doc.some(isBroken);
  if (doc.kind === 'indent') return isBroken(doc.body);
  return doc.kind === 'line_end' || (doc.kind === 'group' && doc.broken);
}

interface Piece {
  readonly doc: Doc;
  readonly level: number;
  readonly flat: boolean;
}

/** The text of a document whose first line starts at column `level` × 2; without a line end after the last. */
export function render(document: Doc, level: number): string {
  const lines: string[] = [];
  let line = '';
  let trailing = '';
  let column = level * INDENT.length;
  const todo: Piece[] = [{ doc: document, level, flat: false }];
  for (let piece = todo.pop(); piece !== undefined; piece = todo.pop()) {
    const { doc, flat } = piece;
    if (typeof doc === 'string') {
      line += doc;
      column += doc.length;
    } else if (!('kind' in doc)) {
      for (let i = doc.length - 1; i >= 0; i--) todo.push({ ...piece, doc: doc[i] ?? '' });
    } else if (doc.kind === 'suffix') trailing += doc.text;
    else if (doc.kind === 'choice') todo.push({ ...piece, doc: flat ? doc.flat : doc.broken });
    else if (doc.kind === 'indent') todo.push({ doc: doc.body, level: piece.level + 1, flat });
    else if (doc.kind === 'group') {
      const whole: Piece = { doc: doc.body, level: piece.level, flat: true };
      const stays = flat || (!doc.broken && fits(whole, todo, WIDTH - column));
      todo.push(stays ? whole : { ...whole, flat: false });
    } else if (doc.kind === 'break' && flat) todo.push({ ...piece, doc: doc.flat });
    else {
      lines.push(line + trailing);
      [line, trailing] = [INDENT.repeat(piece.level), ''];
      column = line.length;
    }
  }
  return [...lines, line + trailing].map((text) => text.trimEnd()).join('\n');
}

/** Does a piece, and what follows it up to the next line end, fit into `room` columns? */
function fits(first: Piece, after: readonly Piece[], room: number): boolean {
  const todo: Piece[] = [first];
  let next = after.length - 1;
  let left = room;
  while (left >= 0) {
    const piece = todo.pop() ?? after[next--];
    if (piece === undefined) return true;
    const { doc, flat } = piece;
    if (typeof doc === 'string') left -= doc.length;
    else if (!('kind' in doc))
      for (let i = doc.length - 1; i >= 0; i--) todo.push({ ...piece, doc: doc[i] ?? '' });
    else if (doc.kind === 'indent' || doc.kind === 'group') todo.push({ ...piece, doc: doc.body });
    else if (doc.kind === 'choice') todo.push({ ...piece, doc: flat ? doc.flat : doc.broken });
    else if (doc.kind === 'break' && flat) left -= doc.flat.length;
    else if (doc.kind === 'break' || doc.kind === 'line_end') return true;
  }
  return false;
}
