/**
 * Whether a path matches a pattern of `*` (within a folder's name), `**` (over folders), `?` (one character) and plain text.
 * Every way of matching is followed at once, one character at a time: the cost is the product of the two lengths.
 */

/** What one place of a pattern takes: a character, any but a slash once or often, anything, or folders with their slashes. */
type Place = { readonly character: string } | 'one' | 'within' | 'anything' | 'folders';

const PARTS = /\*\*\/|\*\*|\*|\?|[^*?]/gs;
const PLACES: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['**/', 'folders'],
  ['**', 'anything'],
  ['*', 'within'],
  ['?', 'one'],
]);

/** What matches a pattern. */
export function wildcard(pattern: string): (path: string) => boolean {
  const places = (pattern.match(PARTS) ?? []).map((part): Place => PLACES.get(part) ?? { character: part });
  return (path) => {
    let here = reached(places, new Set([0]));
    // within the name of a folder that `**/` takes
    let inside: ReadonlySet<number> = new Set();
    for (let at = 0; at < path.length; at++) {
      const character = path.charAt(at);
      const next = new Set<number>();
      const nextInside = new Set<number>();
      for (const place of here) step(places[place], place, character, next, nextInside);
      for (const place of inside) (character === '/' ? next : nextInside).add(place);
      here = reached(places, next);
      inside = nextInside;
      if (here.size === 0 && inside.size === 0) return false;
    }
    return here.has(places.length);
  };
}

function step(
  place: Place | undefined,
  index: number,
  character: string,
  next: Set<number>,
  inside: Set<number>,
): void {
  if (place === undefined) return;
  if (typeof place === 'object') {
    if (place.character === character) next.add(index + 1);
  } else if (place === 'anything') next.add(index);
  else if (character === '/') return;
  else if (place === 'folders') inside.add(index);
  else next.add(place === 'one' ? index + 1 : index);
}

/** The places with those after them that may take nothing. */
function reached(places: readonly Place[], from: ReadonlySet<number>): ReadonlySet<number> {
  const all = new Set(from);
  for (const index of all) {
    const place = places[index];
    if (place !== undefined && typeof place !== 'object' && place !== 'one') all.add(index + 1);
  }
  return all;
}
