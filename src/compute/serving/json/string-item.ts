import type { Json } from '../../../language/host/json.js';
import type { Item } from './items.js';
import { PatternError, patternContent } from './pattern.js';
import { countOf, SchemaError } from './schema-error.js';
import { anyString, quoted } from './strings.js';

const DATE = String.raw`(?:\d{3}[1-9]|\d{2}[1-9]\d|\d[1-9]\d{2}|[1-9]\d{3})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))`;
const TIME = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)`;
const HEX = '[0-9a-f]';
const BYTE = String.raw`(?:25[0-5]|2[0-4]\d|1\d{2}|[1-9]?\d)`;
const NAME = '[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,2}';
const HOST = String.raw`(?:${NAME}\.){1,3}[a-z]{2,12}`;

/** Formats as expressions; some texts of a format are left out, none of another is let through. */
const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  uuid: `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`,
  email: String.raw`[A-Za-z0-9](?:[A-Za-z0-9_+-]|\.[A-Za-z0-9]){0,40}@${HOST}`,
  hostname: HOST,
  ipv4: String.raw`${BYTE}(?:\.${BYTE}){3}`,
  uri: `https?://${HOST}(?:/[A-Za-z0-9._~-]{1,60}){0,8}/?`,
};

/** `string`, by its length, its pattern or its format. */
export function stringItem(schema: Json, at: string): Item {
  const { pattern, format } = schema;
  const least = countOf(schema['minLength'], 'minLength', at);
  const most = countOf(schema['maxLength'], 'maxLength', at);
  if (pattern === undefined && format === undefined) return anyString(least, most);
  const [name, other] = ['pattern', 'format', 'minLength', 'maxLength'].filter(
    (key) => schema[key] !== undefined,
  );
  if (other !== undefined)
    throw new SchemaError(`\`${name}\` and \`${other}\` at \`${at}\` cannot both be kept to`);
  if (format !== undefined) {
    const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (known === undefined)
      throw new SchemaError(
        `the \`format\` ${JSON.stringify(format)} at \`${at}\` is none of ${Object.keys(FORMATS).join(', ')}`,
      );
    return quoted(patternContent(`^(?:${known})$`));
  }
  if (typeof pattern !== 'string') throw new SchemaError(`\`pattern\` at \`${at}\` is no text`);
  try {
    return quoted(patternContent(pattern));
  } catch (error) {
    if (error instanceof PatternError) throw new SchemaError(`\`pattern\` at \`${at}\`: ${error.message}`);
    throw error;
  }
}
