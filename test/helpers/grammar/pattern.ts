/** Patterns of tokens as forms of the grammar; what only looks ahead is left out. */
import {
  type Set as CharacterClass,
  type Disjunction,
  RegExpParser,
  type Term,
} from '@chevrotain/regexp-to-ast';
import { choice, type Form, sequence } from './form.js';

export const fromPattern = (pattern: RegExp): Form =>
  simplified(fromDisjunction(new RegExpParser().pattern(pattern.toString()).value));

const fromDisjunction = ({ value }: Disjunction): Form =>
  choice(value.map((alternative) => sequence(alternative.value.flatMap(fromTerm))));

function fromTerm(term: Term): readonly Form[] {
  const item = atom(term);
  if (item === undefined) return [];
  const quantifier = 'quantifier' in term ? term.quantifier : undefined;
  if (quantifier === undefined) return [item];
  const { atLeast, atMost } = quantifier;
  if (atMost === 1) return [{ kind: 'optional', item }];
  if (atMost !== Number.POSITIVE_INFINITY || atLeast > 1) throw new Error('no form for a counted repetition');
  return [{ kind: 'repeated', item, atLeastOnce: atLeast === 1 }];
}

function atom(term: Term): Form | undefined {
  switch (term.type) {
    case 'Character':
      return { kind: 'text', text: String.fromCodePoint(Number(term.value)) };
    case 'Set':
      return characters(term as CharacterClass);
    case 'Group':
      return fromDisjunction(term.value as Disjunction);
    default:
      return undefined;
  }
}

const characters = ({ complement, value }: CharacterClass): Form => {
  const parts = ranges(value).map(({ from, to }) =>
    from === to ? character(from) : `${character(from)}-${character(to)}`,
  );
  // a dash between two characters would be a range
  const text = [...parts.filter((part) => part !== '-'), ...parts.filter((part) => part === '-')].join('');
  return { kind: 'characters', text: `[${complement ? '^' : ''}${text}]` };
};

/** Single characters that follow one another, such as those of `\\d`, as ranges. */
function ranges(value: CharacterClass['value']): readonly { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const part of value) {
    const last = found.at(-1);
    if (typeof part !== 'number') found.push({ ...part });
    else if (last?.to === part - 1) last.to = part;
    else found.push({ from: part, to: part });
  }
  return found;
}

/** As itself, or `#xA` where it would not be seen or mean something else. */
const character = (code: number): string =>
  code > 32 && code < 127 && !'[]^'.includes(String.fromCodePoint(code))
    ? String.fromCodePoint(code)
    : `#x${code.toString(16).toUpperCase()}`;

/** Texts that follow one another are one text. */
function simplified(form: Form): Form {
  if (form.kind === 'choice') return choice(form.items.map(simplified));
  if (form.kind === 'optional' || form.kind === 'repeated') return { ...form, item: simplified(form.item) };
  if (form.kind !== 'sequence') return form;
  const items: Form[] = [];
  for (const item of form.items.map(simplified)) {
    const last = items.at(-1);
    if (last?.kind === 'text' && item.kind === 'text')
      items[items.length - 1] = { kind: 'text', text: last.text + item.text };
    else items.push(item);
  }
  return sequence(items);
}
