/** Types and expressions in words, for messages. */
import { typeMismatch } from '../diagnostics/catalogue/values.js';
import { clipped, named, withArticle } from '../diagnostics/make.js';
import { isCall } from '../ir/values.js';
import type { Family, PortType, SettingType } from '../schemas/schema.js';
import type { Expression } from '../syntax/ast.js';
import type { Context } from './context.js';
import type { Constant } from './scope.js';
import { formatNumber, formatQuantity, unitNoun } from './units.js';

export const SYMBOL_NOUNS = {
  param: 'parameter',
  matrix: 'matrix',
  secret: 'secret',
  budget: 'budget',
  preset: 'preset',
  machine: 'machine',
  function: 'function',
  search: 'search',
} as const;

const PORTS: Readonly<Record<PortType, string>> = {
  Data: 'rows of a `data` stage',
  Dialogs: 'a split of a `format` stage',
  Adapter: 'an adapter',
  Model: 'a model',
  Gate: 'a gate',
  Metric: 'a metric',
};

export const portNoun = (types: readonly PortType[]): string => types.map((type) => PORTS[type]).join(' or ');

export const FAMILY_NOUNS: Readonly<Record<Family, string>> = {
  model: 'model',
  source: 'source',
  template: 'template',
  dedupe: 'kind of repetition',
  optimizer: 'optimizer',
  schedule: 'schedule',
  objective: 'objective',
  fallback: 'fallback',
  answer: 'answer to a divergence',
  metric: 'metric',
  endpoint: 'endpoint',
  target: 'target',
  adapter: 'adapter',
  search: 'search',
  range: 'range',
  tracker: 'tracker',
};

const NOUNS: {
  readonly [K in SettingType['kind']]: (type: Extract<SettingType, { kind: K }>) => string;
} = {
  boolean: () => '`true` or `false`',
  integer: () => 'a whole number',
  number: () => 'a number',
  string: () => 'a string',
  quantity: (type) => type.units.map(unitNoun).join(' or '),
  enum: (type) => named(type.values),
  list: (type) => `a list of ${plural(type.of)}`,
  record: () => 'a record `{ … }`',
  map: (type) => `a record \`{ name: … }\` of ${plural(type.of)}`,
  call: (type) => withArticle(FAMILY_NOUNS[type.family]),
  file: ({ library }) =>
    library === undefined ? '`file("…")`' : `${named(library.names)}, or \`file("…")\``,
  secret: () => 'the name of a secret',
  port: (type) => portNoun(type.accepts),
  none: () => '`none`',
  union: ({ of }) =>
    [
      ...new Set(
        of.flatMap((one) => (one.kind === 'port' ? one.accepts.map((port) => PORTS[port]) : typeNoun(one))),
      ),
    ].join(' or '),
};

export function typeNoun(type: SettingType): string {
  // The table has one entry a kind: the entry found for `type.kind` takes `type`.
  return (NOUNS[type.kind] as (type: SettingType) => string)(type);
}

const plural = (type: SettingType): string => {
  if (type.kind === 'call') return FAMILY_NOUNS[type.family].replace(/(^\w+)(?= of|$)/, '$1s');
  if (type.kind === 'union') return type.of.map(plural).join(' or ');
  return type.kind === 'enum' ? typeNoun(type) : typeNoun(type).replace(/^an? /, '').concat('s');
};

/** Reports an expression that is no value of a type. */
export const wrongType = (
  expression: Expression,
  type: SettingType,
  context: Context,
  help?: string,
): undefined =>
  context.report(typeMismatch(expression.span, typeNoun(type), expressionNoun(expression), { help }));

/** What was written, by its form alone. */
export function expressionNoun(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return `the number \`${formatNumber(expression.value)}\``;
    case 'quantity':
      return `\`${expression.value}${expression.suffix}\``;
    case 'bad_quantity':
      return `\`${expression.digits}${expression.suffix}\``;
    case 'string':
      return 'a string';
    case 'boolean':
      return `\`${expression.value}\``;
    case 'none':
      return '`none`';
    case 'list':
      return 'a list';
    case 'record':
      return 'a record';
    case 'reference':
      return `\`${clipped(expression.path.map((word) => word.text).join('.'))}\``;
    case 'call':
      return `a call of \`${expression.callee.text}\``;
    case 'binary':
      return /^(and|or|[<>!=].*)$/.test(expression.operator) ? 'a condition' : 'a computed number';
    case 'unary':
      return expression.operator === 'not' ? 'a condition' : 'a computed number';
    default:
      return 'an expression';
  }
}

export function constantNoun({ value, unit, written }: Constant): string {
  if (written !== undefined) return `\`${written}\``;
  if (typeof value === 'number')
    return `${unit === undefined ? 'the number ' : ''}\`${formatQuantity(value, unit)}\``;
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return `\`${value}\``;
  if (value === null) return '`none`';
  return isCall(value) ? `a call of \`${value.call}\`` : 'a value';
}
