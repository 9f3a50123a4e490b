/** Fixes into text. */
import type { Span } from '../source/span.js';
import type { Fix } from './types.js';

type Edit = Fix['edits'][number];

const BYTE_ORDER_MARK = '\ufeff';

/**
 * The text with its edits made; they must not overlap. New lines get the line end that the text has, and nothing
 * ends up before a byte-order mark.
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

/** As many fixes as go together, the earlier ones first: none touches what another one touches. */
export function together<T extends { readonly fix: Fix }>(wanted: readonly T[]): readonly T[] {
  const taken: Span[] = [];
  return wanted.filter(({ fix }) => {
    const spans = fix.edits.map(({ span }) => span);
    if (spans.some((span) => taken.some((other) => touch(span, other)))) return false;
    taken.push(...spans);
    return true;
  });
}

/** Two insertions at one place touch too: their order would be chance. */
const touch = (a: Span, b: Span): boolean => a.file === b.file && a.start <= b.end && b.start <= a.end;
