/** Applies fixes to a text. */
import type { Span } from '../source/span.js';
import type { Fix } from './types.js';

type Edit = Fix['edits'][number];

const BYTE_ORDER_MARK = '\ufeff';

/**
 * The edits must not overlap. New lines get the line ends of the text, and nothing is inserted before a byte-order
 * mark.
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const first = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  const lineEnd = /\r?\n/.exec(text)?.[0] ?? '\n';
  let done = '';
  let at = 0;
  for (const { span, text: put } of [...edits].sort(byPlace)) {
    const start = Math.max(first, span.start);
    done += text.slice(at, start) + put.replace(/\r?\n/g, lineEnd);
    at = Math.max(start, span.end);
  }
  return done + text.slice(at);
}

const byPlace = (a: Edit, b: Edit): number => a.span.start - b.span.start || a.span.end - b.span.end;

/** Fixes that can be applied together, the earlier ones first: none touches the text of another. */
export function together<T extends { readonly fix: Fix }>(wanted: readonly T[]): readonly T[] {
  const taken: Span[] = [];
  return wanted.filter(({ fix }) => {
    const spans = fix.edits.map(({ span }) => span);
    if (spans.some((span) => taken.some((other) => touch(span, other)))) return false;
    taken.push(...spans);
    return true;
  });
}

/** Two insertions at the same place also touch: their order would be arbitrary. */
const touch = (a: Span, b: Span): boolean => a.file === b.file && a.start <= b.end && b.start <= a.end;
