import { type IToken, tokenMatcher } from '../../../grammar/chevrotain.js';
import { layout } from '../../../grammar/layout.js';
import { lexer, VOCABULARY } from '../../../grammar/tokens.js';
import type { Form } from './form.js';
import { rules } from './model.js';

const forms = new Map(rules().map(({ name, form }) => [name, form]));
const tokenTypes = new Map(VOCABULARY.map((type) => [type.name, type]));

/** Is a text a sentence of the written grammar? By trying everything: slow, obvious, and not by the parser's code. */
export function isSentence(text: string): boolean {
  const { tokens } = layout(lexer.tokenize(text).tokens);
  const program: Form = { kind: 'name', name: 'program' };
  return endsOf(program, 0, tokens, new Map()).has(tokens.length);
}

type Ends = ReadonlySet<number>;
type Known = Map<string, Ends>;

/** Where what starts at `start` may end. */
function endsOf(form: Form, start: number, tokens: readonly IToken[], known: Known): Ends {
  const then = (starts: Iterable<number>, next: Form): Ends =>
    new Set([...starts].flatMap((at) => [...endsOf(next, at, tokens, known)]));
  switch (form.kind) {
    case 'text':
      return new Set(tokens[start]?.image === form.text ? [start + 1] : []);
    case 'characters':
      throw new Error('characters stand only in tokens');
    case 'name': {
      const type = tokenTypes.get(form.name);
      const token = tokens[start];
      if (type !== undefined)
        return new Set(token !== undefined && tokenMatcher(token, type) ? [start + 1] : []);
      const key = `${form.name} ${start}`;
      const ends = known.get(key) ?? endsOf(forms.get(form.name) ?? form, start, tokens, known);
      known.set(key, ends);
      return ends;
    }
    case 'sequence':
      return form.items.reduce<Ends>(then, new Set([start]));
    case 'choice':
      return new Set(form.items.flatMap((item) => [...endsOf(item, start, tokens, known)]));
    case 'optional':
      return new Set([start, ...endsOf(form.item, start, tokens, known)]);
    case 'repeated': {
      const all = new Set<number>(form.atLeastOnce ? [] : [start]);
      for (let ends = then([start], form.item); ends.size > 0; ends = then(ends, form.item)) {
        ends = new Set([...ends].filter((end) => !all.has(end)));
        for (const end of ends) all.add(end);
      }
      return all;
    }
    case 'list': {
      const rest: Form = { kind: 'sequence', items: [form.separator, form.item] };
      const items = then(endsOf(form.item, start, tokens, known), {
        kind: 'repeated',
        item: rest,
        atLeastOnce: false,
      });
      return new Set([...items, ...then(items, form.separator)]);
    }
  }
}
