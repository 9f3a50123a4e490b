import { dataError } from '../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { parseFlat } from '../../../language/host/json.js';
import type { FileValue } from '../../../language/ir/program.js';
import { type Row, RowFault } from './parse-row.js';

export type CheckRow = (row: Row) => RowFault | undefined;

/** A check of rows against a JSON Schema. Throws a {@link UserError} if the file is not a schema. */
export async function schemaCheck({ file, text }: FileValue): Promise<CheckRow> {
  const place = { file, line: 0, column: 0 };
  let schema: unknown;
  try {
    schema = parseFlat(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(dataError(place, `\`${file}\` is not JSON: ${why}`, 'fix the JSON Schema'));
  }
  const options = { strict: false, allErrors: false, logger: false } as const;
  const ajv = /2019-09|2020-12/.test(String((schema as Row | null)?.['$schema']))
    ? new (await import('ajv/dist/2020.js')).Ajv2020(options)
    : new (await import('ajv')).Ajv(options);
  try {
    const validate = ajv.compile(schema as object);
    return (row) => {
      if (validate(row) === true) return undefined;
      const [error] = validate.errors ?? [];
      if (error === undefined) return new RowFault('wrong_type', 'the row does not satisfy the schema');
      if (error.keyword === 'required') {
        const name = String(error.params['missingProperty']);
        return new RowFault('missing_column', `${error.instancePath}/${pointer(name)} is missing (${file})`);
      }
      return new RowFault(
        'wrong_type',
        `${error.instancePath === '' ? 'the row' : error.instancePath} ${error.message} (${file})`,
      );
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(dataError(place, `\`${file}\` is not a JSON Schema: ${why}`, 'fix the JSON Schema'));
  }
}

/** A name in a JSON pointer (RFC 6901). */
const pointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
