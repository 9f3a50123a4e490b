import { distance } from 'fastest-levenshtein';
import type { Span } from '../source/span.js';
import { named, rewrite, withinQuotes } from './make.js';
import type { Hint } from './types.js';

/** The known name that is probably meant: it differs only in case, `_` and `-`, or in at most a third of its letters. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const away = candidate === name ? Number.POSITIVE_INFINITY : distanceOf(name, candidate);
    if (away >= bestDistance) continue;
    best = candidate;
    bestDistance = away;
  }
  return best;
}

/** A name of which the beginning is written, or which is the beginning of what is written: farther than one letter. */
const SHORTENED = 1.5;

function distanceOf(name: string, candidate: string): number {
  if (plain(candidate) === plain(name)) return 0;
  const [a, b] = [name.toLowerCase(), candidate.toLowerCase()];
  const away = isSwapped(a, b) ? 1 : distance(a, b);
  // A short name is close to everything: with all its letters changed, it is another word.
  const letters = away < candidate.length ? away : Number.POSITIVE_INFINITY;
  return isShortened(candidate, name) ? Math.min(letters, SHORTENED) : letters;
}

const plain = (name: string): string => name.toLowerCase().replace(/[_-]/g, '');

/** `qlroa` for `qlora`: two swapped neighbours, the most common typo. */
function isSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}

const SHORTEST = 3;

/** `Boolean` for `Bool`, `epoch` for `epochs`. */
const isShortened = (a: string, b: string): boolean =>
  Math.min(a.length, b.length) >= SHORTEST &&
  (plain(a).startsWith(plain(b)) || plain(b).startsWith(plain(a)));

const LISTED = 16;

/** Help and fix for something that has another spelling here. */
export const instead = (meant: string, at: Span): Hint => ({
  help: `write \`${meant}\``,
  fixes: [rewrite(at, meant)],
});

/** The same for a path in quotes, which is not there; `meant` is. */
export const otherPath = (at: Span, meant: string | undefined): Hint =>
  meant === undefined
    ? {}
    : { help: `did you mean \`${meant}\`?`, fixes: [rewrite(withinQuotes(at), meant)] };

/** Help and fix for an unknown name. */
export function suggestion(name: string, span: Span, known: readonly string[]): Hint {
  const meant = nearest(name, known);
  if (meant !== undefined) return { ...instead(meant, span), help: `did you mean \`${meant}\`?` };
  return known.length === 0 || known.length > LISTED
    ? {}
    : { help: `known: ${named([...known].sort(), 'and')}` };
}
