import { distance } from 'fastest-levenshtein';
import type { Span } from '../source/span.js';
import { named, rewrite } from './make.js';
import type { Hint } from './types.js';

/** The known name that is probably meant: it differs only in case, `_` and `-`, or in at most a third of its letters. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (candidate === name) continue;
    if (plain(candidate) === plain(name) || isShortened(candidate, name)) return candidate;
    const away = isSwapped(name.toLowerCase(), candidate.toLowerCase())
      ? 1
      : distance(name.toLowerCase(), candidate.toLowerCase());
    // A short name is close to everything: with all its letters changed, it is another word.
    if (away < bestDistance && away < candidate.length) {
      best = candidate;
      bestDistance = away;
    }
  }
  return best;
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

/** Help and fix for an unknown name. */
export function suggestion(name: string, span: Span, known: readonly string[]): Hint {
  const meant = nearest(name, known);
  if (meant !== undefined) return { ...instead(meant, span), help: `did you mean \`${meant}\`?` };
  return known.length === 0 || known.length > LISTED
    ? {}
    : { help: `known: ${named([...known].sort(), 'and')}` };
}
