/** Why a schema is not kept to: one clause, with the place in it (`#/properties/name`). */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** A part of a schema, and its place. */
export interface PlacedSchema {
  readonly schema: unknown;
  readonly at: string;
}

/** `name` as a step of a JSON pointer. */
export const below = (at: string, ...names: readonly (string | number)[]): string =>
  [at, ...names.map((name) => String(name).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');

/** A count of a schema. Throws a {@link SchemaError}. */
export function countOf(value: unknown, name: string, at: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new SchemaError(`\`${name}\` at \`${at}\` is no count`);
}
