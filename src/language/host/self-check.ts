/** Records that hold a digest of themselves, so that a flipped bit in them is noticed as one in the files that they list. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { JsonFault, parseJson } from './json.js';

const digestOf = (record: object): string =>
  createHash('sha256').update(JSON.stringify(record)).digest('hex');

/** The text of a record with its digest. */
export const checkedText = (record: object): string =>
  `${JSON.stringify({ ...record, check: digestOf(record) }, null, 2)}\n`;

/**
 * The record of a text. Records of earlier versions have no digest; an unknown field in one of those is damage too, as the
 * name `check` with a flipped bit is an unknown field.
 */
export function parseChecked<const E extends v.ObjectEntries>(
  schema: v.ObjectSchema<E, undefined>,
  text: string,
): v.InferInput<v.ObjectSchema<E, undefined>> | JsonFault {
  const found = parseJson(schema, text);
  if (found instanceof JsonFault) return found;
  const { check, ...record }: Readonly<Record<string, unknown>> = found;
  const unknown = Object.keys(record).find((name) => !Object.hasOwn(schema.entries, name));
  if (check === undefined && unknown !== undefined) return new JsonFault(`it has no \`check\``, found);
  if (check !== undefined && check !== digestOf(record))
    return new JsonFault('it does not have the content that was written', found);
  return v.is(schema, record) ? record : new JsonFault('it has another form', found);
}
