import type { FileValue } from '../../../language/ir/program.js';
import { openSchema } from '../json-schema.js';
import { type Row, RowFault } from './parse-row.js';

export type CheckRow = (row: Row) => RowFault | undefined;

/** A check of rows against a JSON Schema. Throws a `UserError` if the file is not a schema. */
export async function schemaCheck(schema: FileValue): Promise<CheckRow> {
  const validate = await openSchema(schema);
  const { file } = schema;
  return (row) => {
    const error = validate(row);
    if (error === undefined) return undefined;
    const { keyword, instancePath = '', params, message = 'does not satisfy the schema' } = error;
    if (keyword === 'required') {
      const name = String(params?.['missingProperty']);
      return new RowFault('missing_column', `${instancePath}/${pointer(name)} is missing (${file})`);
    }
    return new RowFault(
      'wrong_type',
      `${instancePath === '' ? 'the row' : instancePath} ${message} (${file})`,
    );
  };
}

/** A name in a JSON pointer (RFC 6901). */
const pointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
