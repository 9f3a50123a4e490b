/** What texts are kept to, as a grammar over characters. */

/** Code points, both ends included, ascending. */
export type Ranges = readonly (readonly [from: number, to: number])[];

export type Item =
  | { readonly kind: 'class'; readonly ranges: Ranges }
  /** `from`: those before were read. */
  | { readonly kind: 'sequence'; readonly items: readonly Item[]; readonly from?: number }
  | { readonly kind: 'choice'; readonly items: readonly Item[] }
  | { readonly kind: 'repeat'; readonly item: Item; readonly least: number; readonly most: number }
  /** What may contain itself. */
  | { readonly kind: 'later'; readonly item: () => Item }
  | { readonly kind: 'number'; readonly bounds: NumberBounds; readonly text: string };

/** A decimal number within bounds, written without an exponent. */
export interface NumberBounds {
  readonly isInteger: boolean;
  readonly least: number;
  readonly most: number;
  /** Whether the bounds themselves are left out. */
  readonly aboveLeast: boolean;
  readonly belowMost: boolean;
}

/** Every character that UTF-8 has. */
export const EVERY: Ranges = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

export const characters = (ranges: Ranges): Item => ({ kind: 'class', ranges });
export const sequence = (...items: readonly Item[]): Item => ({ kind: 'sequence', items });
export const choice = (...items: readonly Item[]): Item => ({ kind: 'choice', items });
export const repeat = (item: Item, least: number, most = Number.POSITIVE_INFINITY): Item => ({
  ...{ kind: 'repeat', item, least, most },
});
export const optional = (item: Item): Item => repeat(item, 0, 1);
export const later = (item: () => Item): Item => ({ kind: 'later', item });

export const NOTHING: Item = sequence();

/** A text as it is. */
export const literal = (text: string): Item =>
  sequence(
    ...Array.from(text, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return characters([[code, code]]);
    }),
  );

/** What is in both. */
export function common(some: Ranges, others: Ranges): Ranges {
  return some.flatMap(([from, to]) =>
    others.flatMap(([start, end]) => {
      const both = [Math.max(from, start), Math.min(to, end)] as const;
      return both[0] <= both[1] ? [both] : [];
    }),
  );
}

/** Every character that is in none of the ranges, which may overlap. */
export function complement(ranges: Ranges): Ranges {
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  const gaps: (readonly [number, number])[] = [];
  let next = 0;
  for (const [from, to] of sorted) {
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  gaps.push([next, 0x10ffff]);
  return common(
    gaps.filter(([from, to]) => from <= to),
    EVERY,
  );
}
