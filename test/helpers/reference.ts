/** The reference in docs/reference, written from the schemas: what the checker checks is what is documented. */
import { UNITS } from '../../grammar/units.js';
import { typeNoun } from '../../src/check/describe.js';
import type { Module } from '../../src/check/modules.js';
import { PARAM_TYPES } from '../../src/check/params.js';
import type { Value } from '../../src/ir/types.js';
import { budgetMetrics } from '../../src/stages/budget.js';
import { functions } from '../../src/stages/functions/index.js';
import type {
  FunctionSchema,
  MetricSchema,
  Setting,
  SettingType,
  StageSchema,
} from '../../src/stages/schema.js';

const GENERATED = '<!-- Written from the schemas by the tests: UPDATE_GOLDEN=1 npm test. -->\n';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\n/g, ' ');

/** A value as it would stand in a file. */
function written(value: Value, type: SettingType): string {
  if (value === null) return 'none';
  if (typeof value === 'string') return type.kind === 'string' ? JSON.stringify(value) : value;
  if (typeof value === 'number')
    return type.kind === 'quantity' ? quantity(value, type.units[0]) : `${value}`;
  if (Array.isArray(value)) return `[${value.map((item) => written(item as Value, type)).join(', ')}]`;
  if (typeof value === 'object' && 'unit' in value) return quantity(Number(value.value), String(value.unit));
  if (typeof value === 'object') return '{ }';
  return `${value}`;
}

function quantity(value: number, unit: string | undefined): string {
  const suffix = { ratio: '%', tokens: 'tok', steps: 'steps', seconds: 's', bytes: 'B' }[unit ?? ''] ?? '';
  return `${unit === 'ratio' ? Number((value * 100).toPrecision(6)) : value}${suffix}`;
}

function range(type: SettingType): string {
  if (type.kind !== 'integer' && type.kind !== 'number' && type.kind !== 'quantity') return '';
  const show = (bound: number): string =>
    type.kind === 'quantity' ? quantity(bound, type.units[0]) : `${bound}`;
  const above = type.kind === 'number' && type.above !== undefined ? `above ${type.above}` : '';
  if (type.min !== undefined && type.max !== undefined) return `, ${show(type.min)} to ${show(type.max)}`;
  if (type.min !== undefined) return `, at least ${show(type.min)}`;
  if (type.max !== undefined) return `, at most ${show(type.max)}`;
  return above === '' ? '' : `, ${above}`;
}

const settingRows = (settings: Readonly<Record<string, Setting>>, prefix = ''): readonly string[][] =>
  Object.entries(settings).flatMap(([name, { type, doc, required, default: value }]) => {
    const standard = required ? 'required' : value === undefined ? '' : `\`${written(value, type)}\``;
    const row = [`\`${prefix}${name}\``, `${typeNoun(type)}${range(type)}`, standard, doc];
    return type.kind === 'record' ? [row, ...settingRows(type.fields, `${prefix}${name}.`)] : [row];
  });

const settingTable = (settings: Readonly<Record<string, Setting>>): string =>
  table(['setting', 'value', 'left out', ''], settingRows(settings));

const metricTable = (metrics: Readonly<Record<string, MetricSchema>>): string =>
  table(
    ['metric', 'in', ''],
    Object.entries(metrics).map(([name, { unit, doc }]) => [`\`${name}\``, unit, doc]),
  );

/** The page of a stage kind. */
export function stagePage({ kind, doc, presets, settings, ports, metrics }: StageSchema): string {
  const parts = [`# \`${kind}\`\n`, GENERATED, `${doc}\n`, `## Settings\n\n${settingTable(settings)}\n`];
  if (presets.length > 0)
    parts.push(
      `## Methods\n\n\`${kind} name using METHOD { … }\` with ${presets.map((name) => `\`${name}\``).join(', ')}, or a preset. Left out, the planner chooses.\n`,
    );
  const portRows = Object.entries(ports).map(([name, port]) => [
    name === '' ? 'the stage itself' : `\`.${name}\``,
    [
      port.type,
      ...Object.entries(port.typeUsing ?? {}).map(([method, type]) => `${type} with \`using ${method}\``),
    ].join(', '),
    port.doc,
  ]);
  if (portRows.length > 0)
    parts.push(`## What others can refer to\n\n${table(['port', 'type', ''], portRows)}\n`);
  parts.push(`## What \`require\` can speak of\n\n${metricTable(metrics)}\n`);
  return parts.join('\n');
}

export function budgetPage(): string {
  const doc =
    'Limits that the planner proves before anything runs, and the run keeps to: only `require` stands in it.';
  return [`# \`budget\`\n`, GENERATED, `${doc}\n`, `${metricTable(budgetMetrics)}\n`].join('\n');
}

function functionPart(name: string, { doc, args, positional }: FunctionSchema): string {
  const signature = [
    ...positional,
    ...Object.keys(args)
      .filter((arg) => !positional.includes(arg))
      .map((arg) => `${arg}:`),
  ];
  const rows =
    Object.keys(args).length === 0 ? '' : `\n\n${settingTable(args).replace('| setting', '| argument')}`;
  return `### \`${name}(${signature.join(', ')})\`\n\n${doc}${rows}\n`;
}

/** Every function, by the module that exports it. */
export function functionsPage(modules: readonly Module[]): string {
  const parts = modules.map(({ name, tree }) => {
    const how = name === 'std/prelude' ? 'Known without an import.' : `\`import { … } from "${name}"\``;
    const natives = tree.natives.flatMap(({ name }) => {
      const schema = functions[name.text];
      return schema === undefined ? [] : [functionPart(name.text, schema)];
    });
    const presets = tree.presets.map(
      ({ name, target, doc }) => `### \`${target.text} … using ${name.text}\`\n\n${doc ?? ''}\n`,
    );
    return `## ${name === 'std/prelude' ? 'Built in' : `\`${name}\``}\n\n${tree.doc ?? ''} ${how}\n\n${[...natives, ...presets].join('\n')}`;
  });
  return [
    '# Functions\n',
    GENERATED,
    'A function without arguments may stand without brackets.\n',
    ...parts,
  ].join('\n');
}

export function unitsPage(): string {
  const units = Object.entries(UNITS).map(([suffix, { measure, factor }]) => [
    `\`${suffix}\``,
    measure,
    `${factor}`,
  ]);
  const types = Object.entries(PARAM_TYPES).map(([name, type]) => [`\`${name}\``, typeNoun(type)]);
  return [
    '# Units and types\n',
    GENERATED,
    `## Units\n\nThey stand right behind the number, and are case-sensitive.\n\n${table(['unit', 'measures', 'in base units'], units)}\n`,
    `## Types of parameters\n\n${table(['type', 'takes'], types)}\n`,
  ].join('\n');
}
