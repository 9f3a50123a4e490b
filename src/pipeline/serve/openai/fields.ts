/**
 * Fields of a request: one table per endpoint says of each whether it is used, has no effect on an answer, or asks for what
 * there is not. Nothing that a client asks for is ignored silently.
 */
import * as v from 'valibot';
import { nearest } from '../../../language/diagnostics/did-you-mean.js';
import { checkJson, isJson, type Json, JsonFault } from '../../../language/host/json.js';
import { ApiError, badField } from './api-error.js';

/** `noEffect`: for OpenAI's own records and prices. */
type FieldUse<S extends v.GenericSchema = v.GenericSchema> =
  | { readonly use: 'used'; readonly schema: S }
  | { readonly use: 'noEffect' }
  | {
      readonly use: 'refused';
      /** Values that ask for nothing. */
      readonly unless?: readonly unknown[];
      readonly why: string;
    };

type FieldTable = Readonly<Record<string, FieldUse>>;

export const used = <const S extends v.GenericSchema>(schema: S) => ({ use: 'used', schema }) as const;
export const noEffect = { use: 'noEffect' } as const;
export const refused = (why: string, unless: readonly unknown[] = []) =>
  ({ use: 'refused', why, unless }) as const;

/** What a table's used fields are; each may be left out, or null. */
export type FieldsOf<T extends FieldTable> = {
  readonly [K in keyof T as T[K] extends { readonly use: 'used' } ? K : never]?: T[K] extends {
    readonly schema: infer S extends v.GenericSchema;
  }
    ? v.InferInput<S>
    : never;
};

/** The used fields of a body, checked. Throws an `ApiError`. */
export function readFields<const T extends FieldTable>(table: T, body: unknown): FieldsOf<T> {
  if (!isJson(body))
    throw new ApiError(400, 'the body of the request must be a JSON object', { code: 'invalid_type' });
  const found = Object.entries(body).filter(([name, value]) => {
    if (!Object.hasOwn(table, name)) throw unknownField(name, Object.keys(table));
    return value !== null && value !== undefined && isUsed(name, table[name], value);
  });
  const fields: Json = Object.fromEntries(found);
  for (const [name, value] of found) checkField(name, table[name], value);
  return fields as FieldsOf<T>;
}

function isUsed(name: string, field: FieldUse | undefined, value: unknown): boolean {
  if (field?.use !== 'refused') return field?.use === 'used';
  const asksForNothing = (field.unless ?? []).some((one) => JSON.stringify(one) === JSON.stringify(value));
  if (!asksForNothing)
    throw badField(name, `\`${name}\` is not supported: ${field.why}`, 'unsupported_parameter');
  return false;
}

function checkField(name: string, field: FieldUse | undefined, value: unknown): void {
  if (field?.use !== 'used') return;
  // as a field of an object, so that the message names it
  const checked = checkJson(v.object({ [name]: field.schema }), { [name]: value });
  if (checked instanceof JsonFault) throw badField(name, checked.detail);
}

function unknownField(name: string, known: readonly string[]): ApiError {
  const near = nearest(name, known);
  const hint = near === undefined ? '' : `: did you mean \`${near}\`?`;
  return badField(
    name.slice(0, 100),
    `unrecognized request argument supplied: ${JSON.stringify(name.slice(0, 100))}${hint}`,
    'unknown_parameter',
  );
}
