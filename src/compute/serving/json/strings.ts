/** Strings as JSON writes them. */
import { characters, choice, common, type Item, literal, type Ranges, repeat, sequence } from './items.js';

const code = (character: string): number => character.charCodeAt(0);

/** What a string holds as it is: all but quotes, backslashes and control characters. */
const PLAIN: Ranges = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
];

const ESCAPED: readonly (readonly [code: number, written: string])[] = [
  [code('"'), '\\"'],
  [code('\\'), '\\\\'],
  [code('\n'), '\\n'],
  [code('\r'), '\\r'],
  [code('\t'), '\\t'],
];

const QUOTE = literal('"');
export const quoted = (content: Item): Item => sequence(QUOTE, content, QUOTE);

const HEX = characters([
  [code('0'), code('9')],
  [code('A'), code('F')],
  [code('a'), code('f')],
]);

/** Four hexadecimal digits that are no half of a surrogate pair. */
const UNICODE = choice(
  sequence(
    characters([
      [code('0'), code('9')],
      [code('A'), code('C')],
      [code('E'), code('F')],
      [code('a'), code('c')],
      [code('e'), code('f')],
    ]),
    repeat(HEX, 3, 3),
  ),
  sequence(
    characters([
      [code('D'), code('D')],
      [code('d'), code('d')],
    ]),
    characters([[code('0'), code('7')]]),
    repeat(HEX, 2, 2),
  ),
);

/** One character of a string, escaped or not. */
const CHARACTER = choice(
  characters(PLAIN),
  sequence(
    literal('\\'),
    choice(
      characters(['"', '/', '\\', 'b', 'f', 'n', 'r', 't'].map((one) => [code(one), code(one)] as const)),
      sequence(literal('u'), UNICODE),
    ),
  ),
);

/** Any string of so many code points. */
export const anyString = (least = 0, most = Number.POSITIVE_INFINITY): Item =>
  quoted(repeat(CHARACTER, least, most));

/** One character of a class within a string, escaped only where it must be. */
export function stringCharacter(ranges: Ranges): Item {
  const escapes = ESCAPED.filter(([one]) => ranges.some(([from, to]) => one >= from && one <= to));
  return choice(characters(common(ranges, PLAIN)), ...escapes.map(([, written]) => literal(written)));
}

/** Any string of plain characters that is none of the names. */
export function otherStrings(names: readonly string[]): Item {
  const plain = repeat(characters(PLAIN), 0);
  /** What may follow where these are what is left of the names that began so. */
  const after = (rests: readonly string[]): Item => {
    const next = new Map<number, string[]>();
    for (const rest of rests) {
      const first = rest.codePointAt(0);
      if (first === undefined) continue;
      next.set(first, [...(next.get(first) ?? []), rest.slice(String.fromCodePoint(first).length)]);
    }
    const others = without(PLAIN, [...next.keys()]);
    return choice(
      ...(rests.includes('') ? [] : [QUOTE]),
      sequence(characters(others), plain, QUOTE),
      ...[...next].map(([first, left]) => sequence(characters([[first, first]]), after(left))),
    );
  };
  return sequence(QUOTE, after(names));
}

const without = (ranges: Ranges, codes: readonly number[]): Ranges =>
  codes.reduce<Ranges>(
    (left, one) =>
      left.flatMap(([from, to]) => {
        if (one < from || one > to) return [[from, to] as const];
        return (
          [
            [from, one - 1],
            [one + 1, to],
          ] as const
        ).filter(([start, end]) => start <= end);
      }),
    ranges,
  );
