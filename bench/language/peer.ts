/**
 * The peer of the checker: what a tool does whose pipelines are YAML. The same settings as YAML, read by the `yaml`
 * package into a document with places, as a tool needs that names lines, and held against a JSON Schema by ajv. It
 * looks at keys and kinds of values, one stage at a time; names, ports, units, files and wiring it knows nothing of.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import { parseDocument, stringify } from 'yaml';
import type { SettingType, StageSchema } from '../../src/language/schemas/schema.js';
import { schemas } from '../../src/language/schemas/stages/index.js';
import { sourceText } from '../../src/language/source/text.js';
import type { Expression } from '../../src/language/syntax/ast.js';
import { parse } from '../../src/language/syntax/parse.js';

/** A pipeline as YAML: `clauses: { kind: data, source: { jsonl: [data/*.jsonl] }, … }`. */
export function asYaml(text: string): string {
  const { blocks } = parse(sourceText('pipeline.ftp', text)).tree;
  const stages = blocks
    .filter(({ kind }) => Object.hasOwn(schemas, kind.text))
    .map(({ kind, name, properties, requirements }) => [
      name.text,
      {
        kind: kind.text,
        ...Object.fromEntries(properties.map(({ key, value }) => [key.text, plain(value)])),
        require: requirements.map(({ span }) => text.slice(span.start, span.end)),
      },
    ]);
  return stringify(Object.fromEntries(stages));
}

function plain(value: Expression): unknown {
  switch (value.kind) {
    case 'number':
    case 'string':
    case 'boolean':
      return value.value;
    case 'quantity':
      return `${value.value}${value.suffix}`;
    case 'none':
      return null;
    case 'list':
      return value.items.map(plain);
    case 'record':
      return Object.fromEntries(value.entries.map(({ key, value }) => [key.text, plain(value)]));
    case 'reference':
      return value.path.map(({ text }) => text).join('.');
    case 'call':
      return { [value.callee.text]: value.args.map(({ value }) => plain(value)) };
    case 'conditional':
      return plain(value.whenFalse);
    default:
      return 0;
  }
}

export class YamlChecker {
  private readonly validate: ValidateFunction;

  constructor() {
    const kinds = Object.values(schemas).map(stageSchema);
    this.validate = new Ajv({ allErrors: true, discriminator: true }).compile({
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['kind'],
        discriminator: { propertyName: 'kind' },
        oneOf: kinds,
      },
    });
  }

  /** Whether the text is valid; throws if it is not one of ours, so that the benchmark measures what it says. */
  check(yaml: string): void {
    const document = parseDocument(yaml);
    if (document.errors.length > 0 || !this.validate(document.toJS()))
      throw new Error(`the peer finds a mistake: ${JSON.stringify(this.validate.errors?.slice(0, 3))}`);
  }
}

const stageSchema = ({ kind, settings }: StageSchema): object => ({
  properties: {
    kind: { const: kind },
    require: { type: 'array', items: { type: 'string' } },
    ...Object.fromEntries(Object.entries(settings).map(([key, { type }]) => [key, valueSchema(type)])),
  },
  required: Object.entries(settings).flatMap(([key, { required }]) => (required ? [key] : [])),
  additionalProperties: false,
});

/** References and calls may stand for any value. */
const REFERENCE = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_.]*$' };
const CALL = { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: { type: 'array' } };

function valueSchema(type: SettingType): object {
  switch (type.kind) {
    case 'boolean':
      return { anyOf: [{ type: 'boolean' }, REFERENCE] };
    case 'integer':
    case 'number':
      return { anyOf: [{ type: type.kind, minimum: type.min, maximum: type.max }, REFERENCE] };
    case 'quantity':
      return { anyOf: [{ type: 'string', pattern: '^[0-9.e+-]+(%|[A-Za-z]+)$' }, REFERENCE] };
    case 'string':
      return { type: 'string' };
    case 'enum':
      return { anyOf: [{ enum: type.values }, REFERENCE] };
    case 'list':
      return { type: 'array', items: valueSchema(type.of) };
    case 'record':
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(type.fields).map(([key, field]) => [key, valueSchema(field.type)]),
        ),
        additionalProperties: false,
      };
    case 'union':
      return { anyOf: type.of.map(valueSchema) };
    case 'none':
      return { type: 'null' };
    default:
      return { anyOf: [CALL, REFERENCE] };
  }
}
