/** JSON Schemas as what a text is kept to. */
import { isJson, type Json } from '../../../language/host/json.js';
import { choice, type Item, later } from './items.js';
import { listItem } from './lists.js';
import { merged } from './merge-schemas.js';
import { numberItem } from './number-item.js';
import { objectItem } from './objects.js';
import { areApart } from './one-of.js';
import { below, type PlacedSchema, SchemaError } from './schema-error.js';
import { stringItem } from './string-item.js';
import { ANY, BOOLEAN, exactly, NULL } from './values.js';

/** Keywords that no text is kept to. */
const REFUSED = [
  ...['not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'dependencies'],
  ...['patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'multipleOf'],
  ...['unevaluatedProperties', 'unevaluatedItems', 'contains', 'minContains', 'maxContains'],
  ...['$dynamicRef', '$recursiveRef'],
];

type TypeName = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

/** What a schema without a type means, by what else it says. */
const TYPICAL: readonly (readonly [type: TypeName, keywords: readonly string[]])[] = [
  ['object', ['properties', 'required', 'additionalProperties']],
  ['array', ['items', 'prefixItems', 'minItems', 'maxItems']],
  ['string', ['pattern', 'minLength', 'maxLength', 'format']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']],
];

/** What may only be next to keywords that can be joined with it. */
const COMBINING = ['$ref', 'allOf', 'anyOf', 'oneOf'];

/** Says nothing of a value. */
const SILENT = new Set([
  ...['$schema', '$id', '$anchor', '$comment', '$defs', 'definitions', 'title', 'description', 'default'],
  ...['examples', 'deprecated', 'readOnly', 'writeOnly', 'discriminator', 'nullable', 'strict', 'name'],
]);

const MOST_REFERENCES = 100;
/** Schemas in one another, and all that are read: what contains itself next to other keywords would never end. */
const [DEEPEST, MOST_SCHEMAS] = [100, 20_000];

type TypeItem = (schema: Json, at: string, read: (placed: PlacedSchema) => Item) => Item;

const TYPE_ITEMS: Readonly<Record<TypeName, TypeItem>> = {
  object: objectItem,
  array: listItem,
  string: stringItem,
  number: (schema, at) => numberItem(schema, at, false),
  integer: (schema, at) => numberItem(schema, at, true),
  boolean: () => BOOLEAN,
  null: () => NULL,
};

const isType = (name: unknown): name is TypeName =>
  typeof name === 'string' && Object.hasOwn(TYPE_ITEMS, name);

/** The values that a schema allows, its objects with their properties in the order of the schema. Throws a {@link SchemaError}. */
export const schemaItem = (schema: unknown): Item => new SchemaReader(schema).item({ schema, at: '#' });

class SchemaReader {
  /** What is referred to, by its place; without an item while it is read. */
  private readonly referred = new Map<string, { item?: Item }>();

  private depth = 0;
  private count = 0;

  constructor(private readonly root: unknown) {}

  item(placed: PlacedSchema): Item {
    if (this.depth === DEEPEST || this.count === MOST_SCHEMAS)
      throw new SchemaError(`too many schemas are within one another at \`${placed.at}\``);
    this.depth++;
    this.count++;
    const item = this.read(placed);
    this.depth--;
    return item;
  }

  private read({ schema, at }: PlacedSchema): Item {
    if (schema === true) return ANY;
    if (!isJson(schema)) throw new SchemaError(`\`${at}\` is no schema that anything fits`);
    const refused = REFUSED.find((name) => schema[name] !== undefined && schema[name] !== true);
    if (refused !== undefined) throw new SchemaError(`\`${refused}\` at \`${at}\` cannot be kept to`);
    if (schema['uniqueItems'] === true)
      throw new SchemaError(`\`uniqueItems\` at \`${at}\` cannot be kept to`);
    if ('const' in schema) return exactly(schema['const']);
    if (schema['enum'] !== undefined) return valuesItem(schema, at);
    const combining = COMBINING.find((name) => schema[name] !== undefined);
    return combining === undefined ? this.typed(schema, at) : this.combined(schema, at, combining);
  }

  private typed(schema: Json, at: string): Item {
    const { type = TYPICAL.find(([, names]) => names.some((name) => name in schema))?.[0] } = schema;
    if (type === undefined) return ANY;
    const names = Array.isArray(type) ? type : [type];
    return choice(
      ...names.map((name) => {
        if (!isType(name))
          throw new SchemaError(`\`type\` at \`${at}\` names ${JSON.stringify(name)}, which is no type`);
        return TYPE_ITEMS[name](schema, at, (placed) => this.item(placed));
      }),
    );
  }

  private combined(schema: Json, at: string, keyword: string): Item {
    const { [keyword]: parts, ...others } = schema;
    const says = Object.fromEntries(Object.entries(others).filter(([name]) => !SILENT.has(name)));
    const isAlone = Object.keys(says).length === 0;
    const joined = (part: PlacedSchema): Item =>
      isAlone
        ? this.item(part)
        : this.item({ schema: merged(says, this.resolved(part).schema, at), at: part.at });
    if (keyword === '$ref')
      return isAlone ? this.reference(parts, at) : joined({ schema: { $ref: parts }, at });
    if (!Array.isArray(parts) || parts.length === 0)
      throw new SchemaError(`\`${keyword}\` at \`${at}\` is no list of schemas`);
    const placed = parts.map(
      (part: unknown, index): PlacedSchema => ({ schema: part, at: below(at, keyword, index) }),
    );
    if (keyword === 'allOf') {
      const [only, ...more] = placed;
      if (isAlone && only !== undefined && more.length === 0) return this.item(only);
      const all = placed.map((part) => this.resolved(part).schema);
      return this.item({ schema: all.reduce((sum, part) => merged(sum, part, at), says), at });
    }
    if (keyword === 'oneOf' && !areApart(placed.map((part) => this.resolved(part).schema)))
      throw new SchemaError(
        `\`oneOf\` at \`${at}\` cannot be kept to, as a value may fit several of its schemas (\`anyOf\` can)`,
      );
    return choice(...placed.map(joined));
  }

  /** What a reference leads to, once for all that refer to it: it may contain itself. */
  private reference(ref: unknown, at: string): Item {
    const target = this.target(ref, at);
    const known = this.referred.get(target.at) ?? {};
    if (!this.referred.has(target.at)) {
      this.referred.set(target.at, known);
      known.item = this.item(target);
    }
    return (
      known.item ??
      later(() => {
        if (known.item === undefined) throw new SchemaError(`\`${target.at}\` is nothing but itself`);
        return known.item;
      })
    );
  }

  /** The schema at the end of a chain of references. */
  private resolved(placed: PlacedSchema): PlacedSchema {
    let found = placed;
    for (let count = 0; isJson(found.schema) && found.schema['$ref'] !== undefined; count++) {
      if (count === MOST_REFERENCES) throw new SchemaError(`\`$ref\` at \`${placed.at}\` refers to itself`);
      found = this.target(found.schema['$ref'], found.at);
    }
    return found;
  }

  private target(ref: unknown, at: string): PlacedSchema {
    const unknown = () =>
      new SchemaError(`\`$ref\` at \`${at}\` refers to ${JSON.stringify(ref)}, which is not there`);
    const steps = typeof ref === 'string' ? stepsOf(ref) : undefined;
    if (typeof ref !== 'string' || steps === undefined) throw unknown();
    let schema: unknown = this.root;
    for (const name of steps) {
      const inside: unknown = Array.isArray(schema)
        ? schema[Number(name)]
        : isJson(schema) && Object.hasOwn(schema, name)
          ? schema[name]
          : undefined;
      if (inside === undefined) throw unknown();
      schema = inside;
    }
    return { schema, at: ref };
  }
}

/** Names that a reference within the schema leads through; `undefined` for a text that is no such reference. */
function stepsOf(ref: string): readonly string[] | undefined {
  if (!/^#(?:\/|$)/.test(ref)) return undefined;
  try {
    return ref
      .split('/')
      .slice(1)
      .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch (error) {
    // a `%` that is followed by no character of UTF-8
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** `enum`, without the values that its type leaves out. */
function valuesItem({ enum: values, type }: Json, at: string): Item {
  if (!Array.isArray(values)) throw new SchemaError(`\`enum\` at \`${at}\` is no list`);
  const types = type === undefined ? undefined : Array.isArray(type) ? type : [type];
  const fitting = values.filter(
    (value: unknown) => types === undefined || types.some((name) => typesOf(value).includes(String(name))),
  );
  if (fitting.length === 0) throw new SchemaError(`\`enum\` at \`${at}\` has no value of its type`);
  return choice(...fitting.map(exactly));
}

function typesOf(value: unknown): readonly string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['number', 'integer'] : ['number'];
  return [typeof value];
}
