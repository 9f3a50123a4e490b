/** Regular expressions of JSON Schemas (`pattern`) as what a string holds. */
import { RegExpParser } from '@chevrotain/regexp-to-ast';
import { choice, complement, EVERY, type Item, NOTHING, type Ranges, repeat, sequence } from './items.js';
import { stringCharacter } from './strings.js';

/** Why an expression is not kept to. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

type Alternative = ReturnType<RegExpParser['pattern']>['value']['value'][number];
type Term = Alternative['value'][number];

/** Texts that match somewhere, so that anything may be around an expression without anchors. Throws a {@link PatternError}. */
export function patternContent(pattern: string): Item {
  return choice(...alternativesOf(pattern).map(anchored));
}

const LONGEST = 2_000;

function alternativesOf(pattern: string): readonly Alternative[] {
  if (pattern.length > LONGEST) throw new PatternError(`it has more than ${LONGEST} characters`);
  try {
    return new RegExpParser().pattern(`/${pattern.replace(/(?<!\\)((?:\\\\)*)\//g, '$1\\/')}/`).value.value;
  } catch (error) {
    throw new PatternError(
      `it is not a regular expression (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

const ANYTHING = repeat(stringCharacter(EVERY), 0);

function anchored({ value: terms }: Alternative): Item {
  const starts = terms[0]?.type === 'StartAnchor';
  const ends = terms.at(-1)?.type === 'EndAnchor';
  const inner = terms.slice(starts ? 1 : 0, ends ? -1 : undefined).map(itemOf);
  return sequence(starts ? NOTHING : ANYTHING, ...inner, ends ? NOTHING : ANYTHING);
}

function itemOf(term: Term): Item {
  if (term.type === 'Group') return counted(term, choice(...term.value.value.map(inner)));
  if (term.type === 'Character') return counted(term, stringCharacter([[term.value, term.value]]));
  if (term.type === 'Set') {
    const ranges = term.value.map((part): Ranges[number] =>
      typeof part === 'number' ? [part, part] : [part.from, part.to],
    );
    return counted(term, stringCharacter(term.complement ? complement(ranges) : widened(ranges)));
  }
  throw new PatternError(`it has ${NAMES[term.type] ?? 'what only a regular expression can follow'}`);
}

const inner = ({ value }: Alternative): Item => sequence(...value.map(itemOf));

const NAMES: Readonly<Record<string, string>> = {
  StartAnchor: '`^` within it',
  EndAnchor: '`$` within it',
  WordBoundary: '`\\b`',
  NonWordBoundary: '`\\B`',
  Lookahead: 'a lookahead',
  NegativeLookahead: 'a lookahead',
  Lookbehind: 'a lookbehind',
  NegativeLookbehind: 'a lookbehind',
  GroupBackReference: 'a back reference',
};

/** What the parser writes for "all others" ends with the last UTF-16 code unit. */
const widened = (ranges: Ranges): Ranges => ranges.map(([from, to]) => [from, to === 0xffff ? 0x10ffff : to]);

function counted({ quantifier }: Extract<Term, { readonly quantifier?: unknown }>, item: Item): Item {
  if (quantifier === undefined) return item;
  const { atLeast, atMost } = quantifier;
  return repeat(item, atLeast, atMost);
}
