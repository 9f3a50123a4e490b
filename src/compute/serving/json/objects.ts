import { isJson, type Json } from '../../../language/host/json.js';
import { choice, type Item, NOTHING, repeat, sequence } from './items.js';
import { below, type PlacedSchema, SchemaError } from './schema-error.js';
import { otherStrings } from './strings.js';
import { ANY, ANY_OBJECT, COMMA, empty, enclosed, exactly, property } from './values.js';

const LONGEST_NAME = 500;

interface Property {
  readonly item: Item;
  readonly isRequired: boolean;
}

/**
 * `object`: its properties come in the order of the schema, each at most once; then others, where `additionalProperties`
 * says that there may be some, or no property is named at all.
 */
export function objectItem(schema: Json, at: string, read: (placed: PlacedSchema) => Item): Item {
  const { properties = {}, required = [], additionalProperties: others } = schema;
  if (!isJson(properties)) throw new SchemaError(`\`properties\` at \`${at}\` are no schemas by name`);
  if (!Array.isArray(required) || !required.every((name) => typeof name === 'string'))
    throw new SchemaError(`\`required\` at \`${at}\` is no list of names`);
  const named = Object.keys(properties);
  const names = [...named, ...required.filter((name: string) => !named.includes(name))];
  if (names.length === 0 && (others === undefined || others === true)) return ANY_OBJECT;
  const isOpen = others !== undefined && others !== false;
  const other = isOpen ? read({ schema: others, at: below(at, 'additionalProperties') }) : undefined;
  const long = names.find(({ length }) => length > LONGEST_NAME);
  if (long !== undefined)
    throw new SchemaError(`a name of \`${at}\` has more than ${LONGEST_NAME} characters`);
  const all = names.map((name): Property => {
    const value = Object.hasOwn(properties, name)
      ? read({ schema: properties[name], at: below(at, 'properties', name) })
      : (other ?? ANY);
    if (!Object.hasOwn(properties, name) && others === false)
      throw new SchemaError(
        `\`required\` at \`${at}\` names \`${name}\`, which \`additionalProperties\` forbids`,
      );
    return { item: property(exactly(name), value), isRequired: required.includes(name) };
  });
  const further = other && property(otherStrings(names), other);
  const inner = membersOf(all, further);
  const object = enclosed('{', inner, '}');
  const canBeEmpty = !all.some(({ isRequired }) => isRequired);
  if (all.length === 0 && further === undefined) return empty('{', '}');
  return canBeEmpty ? choice(empty('{', '}'), object) : object;
}

/** One property or more, with commas between them. */
function membersOf(all: readonly Property[], further: Item | undefined): Item {
  // from the last to the first: what follows a property that is there, and what may be the first from here on
  let after: Item = further === undefined ? NOTHING : repeat(sequence(COMMA, further), 0);
  let first: Item | undefined = further && sequence(further, repeat(sequence(COMMA, further), 0));
  for (const { item, isRequired } of all.toReversed()) {
    const here = sequence(item, after);
    first = isRequired || first === undefined ? here : choice(here, first);
    const following = sequence(COMMA, here);
    after = isRequired ? following : choice(following, after);
  }
  return first ?? NOTHING;
}
