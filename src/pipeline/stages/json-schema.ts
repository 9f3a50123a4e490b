import type { Ajv, ErrorObject } from 'ajv';
import { dataError } from '../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../language/diagnostics/types.js';
import { parseFlat } from '../../language/host/json.js';
import type { FileValue } from '../../language/ir/program.js';

/** The first thing in which a value differs from the schema; `undefined` if it satisfies it. */
type ValidateJson = (value: unknown) => Partial<ErrorObject> | undefined;

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
  let why: string | undefined;
  for (const open of draftsOf(schema)) {
    const found = await compiled(schema, open);
    if (typeof found !== 'string') return found;
    why ??= found;
  }
  throw new UserError(dataError(place, `\`${file}\` is not a JSON Schema: ${why}`, 'fix the JSON Schema'));
}

type OpenAjv = () => Promise<Pick<Ajv, 'compile'>>;

const OPTIONS = { strict: false, allErrors: false, logger: false } as const;

const DRAFT_7: OpenAjv = async () => new (await import('ajv')).Ajv(OPTIONS);
const DRAFT_2019: OpenAjv = async () => new (await import('ajv/dist/2019.js')).Ajv2019(OPTIONS);
const DRAFT_2020: OpenAjv = async () => new (await import('ajv/dist/2020.js')).Ajv2020(OPTIONS);

/** By what `$schema` says; draft 7 for others, which ajv knows or refuses. */
const DRAFTS: readonly (readonly [draft: RegExp, open: OpenAjv])[] = [
  [/2020-12/, DRAFT_2020],
  [/2019-09/, DRAFT_2019],
  [/(?:)/, DRAFT_7],
];

/** A schema that names no draft is of 2020-12, as pydantic writes them, unless only draft 7 can be meant: `items` as a list. */
function draftsOf(schema: unknown): readonly OpenAjv[] {
  const draft = (schema as Readonly<Record<string, unknown>> | null)?.['$schema'];
  if (draft === undefined) return [DRAFT_2020, DRAFT_7];
  return DRAFTS.flatMap(([name, open]) => (name.test(String(draft)) ? [open] : [])).slice(0, 1);
}

/** What validates by the schema, or why nothing does. */
async function compiled(schema: unknown, open: OpenAjv): Promise<ValidateJson | string> {
  try {
    const validate = (await open()).compile(schema as object);
    return (value) => (validate(value) === true ? undefined : (validate.errors?.[0] ?? {}));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
