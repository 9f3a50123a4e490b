import type { ErrorObject } from 'ajv';
import { dataError } from '../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../language/diagnostics/types.js';
import { parseFlat } from '../../language/host/json.js';
import type { FileValue } from '../../language/ir/program.js';

/** The first thing in which a value differs from the schema; `undefined` if it satisfies it. */
export type ValidateJson = (value: unknown) => Partial<ErrorObject> | undefined;

/** A JSON Schema of draft 7, 2019-09 or 2020-12. Throws a {@link UserError} if the file is not one. */
export async function openSchema({ file, text }: FileValue): Promise<ValidateJson> {
  const place = { file, line: 0, column: 0 };
  let schema: unknown;
  try {
    schema = parseFlat(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(dataError(place, `\`${file}\` is not JSON: ${why}`, 'fix the JSON Schema'));
  }
  const options = { strict: false, allErrors: false, logger: false } as const;
  const draft = (schema as Readonly<Record<string, unknown>> | null)?.['$schema'];
  const ajv = /2019-09|2020-12/.test(String(draft))
    ? new (await import('ajv/dist/2020.js')).Ajv2020(options)
    : new (await import('ajv')).Ajv(options);
  try {
    const validate = ajv.compile(schema as object);
    return (value) => (validate(value) === true ? undefined : (validate.errors?.[0] ?? {}));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(dataError(place, `\`${file}\` is not a JSON Schema: ${why}`, 'fix the JSON Schema'));
  }
}
