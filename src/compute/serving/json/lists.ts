import type { Json } from '../../../language/host/json.js';
import { choice, type Item, NOTHING, optional, repeat, sequence } from './items.js';
import { below, countOf, type PlacedSchema, SchemaError } from './schema-error.js';
import { ANY, COMMA, empty, enclosed } from './values.js';

const MOST_FIRST = 500;

/** `array`: its first entries have schemas of their own, the others a common one. */
export function listItem(schema: Json, at: string, read: (placed: PlacedSchema) => Item): Item {
  const { items: rest, prefixItems: first = [] } = schema;
  if (!Array.isArray(first) || Array.isArray(rest))
    throw new SchemaError(`the entries at \`${at}\` need \`prefixItems\`, a list, and \`items\`, a schema`);
  if (first.length > MOST_FIRST)
    throw new SchemaError(`\`prefixItems\` at \`${at}\` has more than ${MOST_FIRST} schemas`);
  const heads = first.map((schemaOf: unknown, index) =>
    read({ schema: schemaOf, at: below(at, 'prefixItems', index) }),
  );
  const more =
    rest === undefined ? ANY : rest === false ? undefined : read({ schema: rest, at: below(at, 'items') });
  const least = countOf(schema['minItems'], 'minItems', at) ?? 0;
  const longest = countOf(schema['maxItems'], 'maxItems', at) ?? Number.POSITIVE_INFINITY;
  const most = more === undefined ? Math.min(longest, heads.length) : longest;
  if (least > most) throw new SchemaError(`no list is as long as \`minItems\` at \`${at}\` says`);
  if (most === 0) return empty('[', ']');
  const entries = entriesFrom(0);
  return least > 0 ? enclosed('[', entries, ']') : choice(empty('[', ']'), enclosed('[', entries, ']'));

  /** The entry of this index, and those after it. */
  function entriesFrom(index: number): Item {
    const head = heads[index];
    if (head === undefined) return more === undefined ? NOTHING : othersFrom(index, more);
    if (index + 1 >= most) return head;
    const others = sequence(COMMA, entriesFrom(index + 1));
    const ends = index + 1 >= heads.length && more === undefined;
    return sequence(head, ends ? NOTHING : index + 1 >= least ? optional(others) : others);
  }

  function othersFrom(index: number, item: Item): Item {
    return sequence(item, repeat(sequence(COMMA, item), Math.max(0, least - index - 1), most - index - 1));
  }
}
