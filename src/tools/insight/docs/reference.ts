/** The reference of the language, written from the schemas: what the checker checks is what is documented. */
import { UNITS } from '../../../../grammar/units.js';
import { type Module, ModuleLoader, PRELUDE } from '../../../language/check/modules.js';
import { typeNoun } from '../../../language/check/nouns.js';
import { PARAM_TYPES } from '../../../language/check/params.js';
import { valueText } from '../../../language/check/value-text.js';
import type { Host } from '../../../language/host/host.js';
import { functionKey, functions } from '../../../language/schemas/functions/index.js';
import type {
  FunctionSchema,
  MetricSchema,
  Setting,
  SettingType,
  StageSchema,
} from '../../../language/schemas/schema.js';
import { alternatives } from '../../../language/schemas/setting-paths.js';
import { budgetMetrics, budgetSettings, checklistMetrics } from '../../../language/schemas/stages/budget.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { machineSettings } from '../../../language/schemas/stages/machine.js';
import { typeText } from '../settings/type-text.js';
import { table } from './markdown-table.js';

const ofChecklist = Object.fromEntries(
  Object.entries(checklistMetrics).map(([name, metric]) => [`checklist.${name}`, metric]),
);

const GENERATED = '<!-- Generated from the schemas of the stages: `ftpc docs`. -->\n';

const settingRows = (settings: Readonly<Record<string, Setting>>, prefix = ''): readonly string[][] =>
  Object.entries(settings).flatMap(([name, { type, doc, required, default: value }]) => {
    const standard = required ? 'required' : value === undefined ? '' : `\`${valueText(value, type)}\``;
    const row = [`\`${prefix}${name}\``, typeText(type), standard, doc];
    return [row, ...alternatives(type).flatMap((each) => fieldRows(each, `${prefix}${name}`))];
  });

/** Of a record, and of the records in a list. */
const fieldRows = (type: SettingType, name: string): readonly string[][] =>
  type.kind === 'record'
    ? settingRows(type.fields, `${name}.`)
    : type.kind === 'list'
      ? fieldRows(type.of, `${name}[]`)
      : [];

const settingTable = (settings: Readonly<Record<string, Setting>>): string =>
  table(['setting', 'value', 'default', ''], settingRows(settings));

const metricTable = (metrics: Readonly<Record<string, MetricSchema>>): string =>
  table(
    ['metric', 'in', ''],
    Object.entries(metrics).map(([name, { unit, doc }]) => [`\`${name}\``, unit, doc]),
  );

/** The page of a stage kind. */
function stagePage({ kind, doc, presets, settings, ports, metrics }: StageSchema): string {
  const parts = [`# \`${kind}\`\n`, GENERATED, `${doc}\n`, `## Settings\n\n${settingTable(settings)}\n`];
  if (presets.length > 0)
    parts.push(
      `## Methods\n\n\`${kind} name using METHOD { … }\` with ${presets.map((name) => `\`${name}\``).join(', ')}, or a preset. Without a method, the planner chooses one.\n`,
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
    parts.push(`## Ports that other stages can refer to\n\n${table(['port', 'type', ''], portRows)}\n`);
  parts.push(`## Metrics for \`require\`\n\n${metricTable(metrics)}\n`);
  return parts.join('\n');
}

function budgetPage(): string {
  const doc =
    'Limits that the planner checks before anything runs and that the run enforces, and what the pipeline needs of the machine.';
  return [
    `# \`budget\`\n`,
    GENERATED,
    `${doc}\n`,
    `## Settings\n\n${settingTable(budgetSettings)}\n`,
    `## Metrics for \`require\`\n\n${metricTable({ ...budgetMetrics, ...ofChecklist })}\n`,
  ].join('\n');
}

/** Machines of the library: the figures are in its file, whose names are what people look for. */
function machinePage(modules: readonly Module[]): string {
  const rows = modules.flatMap(({ tree }) =>
    tree.machines.map(({ name, doc }) => [`\`${name.text}\``, doc ?? '']),
  );
  return [
    '# `machine`\n',
    GENERATED,
    'A machine that a plan can be made for, `ftpc plan --machine NAME`, without being there. `machine NAME using OTHER { … }` goes on from another one, without its price.\n',
    `## Settings\n\n${settingTable(machineSettings)}\n`,
    `## Machines of \`std/machines\`\n\n${table(['machine', ''], rows)}\n`,
  ].join('\n');
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
function functionsPage(modules: readonly Module[]): string {
  const parts = modules.map(({ name, tree }) => {
    const how = name === 'std/prelude' ? 'Available without an import.' : `\`import { … } from "${name}"\``;
    const natives = tree.natives.flatMap(({ name, family }) => {
      const schema = functions[functionKey(name.text, family.text) ?? ''];
      return schema === undefined ? [] : [functionPart(name.text, schema)];
    });
    const presets = tree.presets.map(
      ({ name, target, doc }) => `### \`${target.text} … using ${name.text}\`\n\n${doc ?? ''}\n`,
    );
    return `## ${name === 'std/prelude' ? 'Built in' : `\`${name}\``}\n\n${tree.doc ?? ''} ${how}\n\n${[...natives, ...presets].join('\n')}`;
  });
  return ['# Functions\n', GENERATED, 'Without arguments, the parentheses are optional.\n', ...parts].join(
    '\n',
  );
}

function unitsPage(): string {
  const units = Object.entries(UNITS).map(([suffix, { measure, factor }]) => [
    `\`${suffix}\``,
    measure,
    `${factor}`,
  ]);
  const types = Object.entries(PARAM_TYPES).map(([name, type]) => [`\`${name}\``, typeNoun(type)]);
  return [
    '# Units and types\n',
    GENERATED,
    `## Units\n\nUnits follow the number without a space, and are case-sensitive.\n\n${table(['unit', 'measures', 'in base units'], units)}\n`,
    `## Types of parameters\n\n${table(['type', 'takes'], types)}\n`,
  ].join('\n');
}

/** Every page by its name, as Markdown: `docs/reference` has them as files. */
export function referencePages(host: Host): Readonly<Record<string, string>> {
  const loader = new ModuleLoader(host);
  const modules = [PRELUDE, ...loader.libraryNames()].flatMap((name) => loader.library(name) ?? []);
  return {
    ...Object.fromEntries(Object.values(schemas).map((schema) => [schema.kind, stagePage(schema)])),
    budget: budgetPage(),
    machine: machinePage(modules),
    functions: functionsPage(modules),
    units: unitsPage(),
  };
}
