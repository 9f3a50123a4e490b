import { isJson, type Json } from '../../../language/host/json.js';
import { SchemaError } from './schema-error.js';

/** One schema that says what two say. Throws a {@link SchemaError} where their words cannot be joined. */
export function merged(one: unknown, other: unknown, at: string): Json {
  if (!isJson(one) || !isJson(other)) throw new SchemaError(`the schemas at \`${at}\` cannot be joined`);
  const conflict = (name: string) =>
    new SchemaError(`\`${name}\` is said twice at \`${at}\`, which cannot be joined`);
  // each closes its objects to all that it does not name itself
  const closed = [one, other].find(({ additionalProperties }) => additionalProperties !== undefined);
  if (closed !== undefined && one['properties'] !== undefined && other['properties'] !== undefined)
    throw conflict('additionalProperties');
  const joined: Record<string, unknown> = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const known = joined[name];
    if (known === undefined || JSON.stringify(known) === JSON.stringify(value)) joined[name] = value;
    else if (name === 'required' && Array.isArray(known) && Array.isArray(value))
      joined[name] = [...new Set<unknown>([...known, ...value])];
    else if (name === 'properties' && isJson(known) && isJson(value)) {
      const twice = Object.keys(value).find((property) => Object.hasOwn(known, property));
      if (twice !== undefined) throw conflict(`properties/${twice}`);
      joined[name] = { ...known, ...value };
    } else if (name !== 'title' && name !== 'description' && name !== 'default') throw conflict(name);
  }
  return joined;
}
