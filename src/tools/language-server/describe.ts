/** What things are, in Markdown: for hovers and next to completions. */
import { FAMILY_NOUNS, portNoun, typeNoun } from '../../language/check/nouns.js';
import { PARAM_TYPES } from '../../language/check/params.js';
import { originOf, presetOf } from '../../language/check/stage-settings.js';
import { suffixesOf, unitNoun } from '../../language/check/units.js';
import { valueText } from '../../language/check/value-text.js';
import type {
  FunctionSchema,
  MetricSchema,
  Port,
  Setting,
  StageSchema,
} from '../../language/schemas/schema.js';
import { valueAt } from '../../language/schemas/setting-paths.js';
import { budgetMetrics, budgetSettings } from '../../language/schemas/stages/budget.js';
import { typeText, unitsOf } from '../insight/settings/type-text.js';
import { pathText } from './named-files.js';
import { schemaOf, settingsIn } from './names/block-schemas.js';
import type { Declaration, Target } from './names/targets.js';
import { planFacts, plannedOf } from './plans.js';
import { shownPath } from './projects.js';
import type { Session, Spot } from './session.js';

export const code = (text: string): string => `\`${text}\``;

export const ftp = (text: string): string => `\`\`\`ftp\n${text}\n\`\`\``;

export const paragraphs = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n');

/** Type, units and default of a setting, on one line. */
function settingFacts({ type, required, default: value }: Setting): string {
  const units = unitsOf(type);
  return [
    typeText(type),
    ...(units.length === 0 ? [] : [`units: ${units.map(code).join(' ')}`]),
    ...(required
      ? ['required']
      : value === undefined
        ? ['optional']
        : [`default: ${code(valueText(value, type))}`]),
  ].join(' · ');
}

export const settingText = (setting: Setting): string => paragraphs(setting.doc, settingFacts(setting));

/** `near(threshold: a number, above 0) : kind of repetition` */
export function signature(name: string, { args, family }: FunctionSchema): string {
  return `${name}(${parameters(args).join(', ')}): ${FAMILY_NOUNS[family]}`;
}

export const parameters = (args: Readonly<Record<string, Setting>>): readonly string[] =>
  Object.entries(args).map(([arg, { required, default: value, type }]) => {
    const standard = value === undefined ? '' : ` = ${valueText(value, type)}`;
    return `${arg}${required ? '' : value === undefined ? '?' : standard}`;
  });

/** What a function does and takes. */
export function functionDoc({ doc, args }: FunctionSchema): string {
  const rows = Object.entries(args).map(
    ([arg, setting]) => `- ${code(arg)}: ${setting.doc} *${settingFacts(setting)}*`,
  );
  return paragraphs(doc, rows.join('\n'));
}

export const functionText = (name: string, schema: FunctionSchema): string =>
  paragraphs(ftp(signature(name, schema)), functionDoc(schema));

export const metricText = (name: string, { doc, unit, known }: MetricSchema): string =>
  paragraphs(
    `${code(name)} · ${unit === 'number' || unit === 'boolean' ? unit : unitNoun(unit)} · known when it is ${known === 'plan' ? 'planned' : 'run'}`,
    doc,
    unit === 'number' || unit === 'boolean' ? undefined : `units: ${suffixesOf([unit]).map(code).join(' ')}`,
  );

export const portText = (stage: string, name: string, { type, doc }: Port): string =>
  paragraphs(ftp(`${stage}.${name}`), `${portNoun([type])}: ${doc}`);

export function kindText({ kind, doc, ports, presets }: StageSchema): string {
  const named = Object.keys(ports).filter((port) => port !== '');
  return paragraphs(
    `**${kind}** stage`,
    doc,
    presets.length === 0 ? undefined : `methods: ${presets.map(code).join(' ')}`,
    named.length === 0 ? undefined : `ports: ${named.map((port) => code(`.${port}`)).join(' ')}`,
  );
}

/** The head of a declaration as it is in the file. */
export function headOf(declared: Declaration): string {
  const { node, module } = declared;
  const text = module.source.text.slice(node.span.start, node.span.end);
  return 'properties' in node ? text.slice(0, Math.max(0, text.indexOf('{'))).trimEnd() : text;
}

type Of<K extends Target['kind']> = Extract<Target, { kind: K }>;
type Describe<K extends Target['kind']> = (target: Of<K>, spot: Spot, session: Session) => string | undefined;

const DESCRIBE: { readonly [K in Target['kind']]: Describe<K> } = {
  declared: ({ declared }, spot, session) => declaredText(declared, spot, session),
  function: ({ name, schema }) => functionText(name, schema),
  setting: (target, spot, session) => settingAt(target, spot, session),
  argument: ({ callee, path, setting }) =>
    paragraphs(`${code(`${callee}(${path}: …)`)}`, settingText(setting)),
  port: ({ stage, name, port }) => portText(stage.name.text, name, port),
  metric: ({ name, schema, comparison, stage }) =>
    metricText([comparison ?? stage?.name.text ?? [], name].flat().join('.'), schema),
  root: ({ name, doc }) => paragraphs(code(name), doc),
  field: ({ name, doc }) => `${code(name)} · ${doc}`,
  method: ({ name, owner }) =>
    paragraphs(`${code(`using ${name}`)}: a method of ${code(owner)} stages`, schemaOf(owner)?.doc),
  choice: ({ value, of }) => `${code(value)} · one of ${typeNoun(of)}`,
  block_kind: ({ name }) => {
    const schema: StageSchema | undefined = schemaOf(name);
    return schema === undefined ? OTHER_BLOCKS[name]?.() : kindText(schema);
  },
  param_type: ({ name }) => {
    const type = PARAM_TYPES[name];
    return type === undefined ? undefined : `${code(name)}: ${typeNoun(type)}`;
  },
  module: ({ name, module }) =>
    module === undefined ? undefined : paragraphs(`module ${code(name)}`, module.tree.doc),
  path: (target, { view }, session) => pathText(target, view, session),
};

export function describeTarget(target: Target, spot: Spot, session: Session): string | undefined {
  // The table has one entry per kind: the entry found for `target.kind` takes `target`.
  return (DESCRIBE[target.kind] as Describe<Target['kind']>)(target as never, spot, session);
}

const machineText = (): string =>
  paragraphs(
    '**machine**',
    'A machine that a plan can be made for: `ftpc plan --machine NAME`.',
    Object.entries(settingsIn('machine'))
      .map(([name, { doc }]) => `- ${code(name)}: ${doc}`)
      .join('\n'),
  );

const budgetText = (): string =>
  paragraphs(
    '**budget**',
    'Limits that a plan must keep, proved before anything runs.',
    Object.entries({ ...budgetSettings, ...budgetMetrics })
      .map(([name, { doc }]) => `- ${code(name)}: ${doc}`)
      .join('\n'),
  );

/** Blocks that are no stages. */
const OTHER_BLOCKS: Readonly<Record<string, () => string>> = { budget: budgetText, machine: machineText };

function declaredText(declared: Declaration, { view }: Spot, { plans }: Session): string {
  const { node, name, module } = declared;
  const isStage = declared.what === 'stage';
  const planned = isStage ? plannedOf(plans.of(view.compiled.path), name.text) : [];
  const schema = isStage ? schemaOf(declared.node.kind.text) : undefined;
  const ports = Object.keys(schema?.ports ?? {}).filter((port) => port !== '');
  const facts = planned.map((stage) =>
    planned.length > 1 || stage.name !== name.text
      ? `**${stage.name}**\n${planFacts(stage)}`
      : planFacts(stage),
  );
  return paragraphs(
    ftp(headOf(declared)),
    'doc' in node ? node.doc : undefined,
    module === view.module ? undefined : `from ${code(shownPath(view.compiled, module.path))}`,
    ports.length === 0 ? undefined : `ports: ${ports.map((port) => code(`.${port}`)).join(' ')}`,
    facts.length === 0 ? undefined : `On this machine:\n\n${facts.join('\n\n')}`,
  );
}

const FROM: Readonly<Record<string, string>> = {
  author: 'set here',
  default: 'the default',
  planner: 'chosen by the planner',
  param: 'from a parameter',
};

/** A setting, with the value that it has in this stage and who set it. */
function settingAt({ path, setting, stage, owner }: Of<'setting'>, { view }: Spot, session: Session): string {
  const head = code(stage === undefined ? `${owner}.${path}` : `${stage}.${path}`);
  return paragraphs(
    head,
    setting.doc,
    settingFacts(setting),
    effectiveText(path, stage, setting, view, session),
  );
}

function effectiveText(
  path: string,
  name: string | undefined,
  { type }: Setting,
  { analysis, compiled }: Spot['view'],
  { plans }: Session,
): string | undefined {
  const checked = analysis.stages.filter(({ block }) => block.name.text === name);
  const lines = checked.flatMap(({ stage }) => {
    const planned = plannedOf(plans.of(compiled.path), stage.name).find((one) => one.name === stage.name);
    const effective = planned?.effective[path];
    const value = effective?.value ?? valueAt(stage.settings, path);
    if (value === undefined) return [];
    const from = effective?.from ?? originOf({ stage }, path);
    const preset = presetOf({ stage }, path);
    const who =
      from === 'preset' && preset !== undefined
        ? `preset ${code(preset.preset)} of ${code(preset.module)}`
        : (FROM[from] ?? from);
    const of = checked.length > 1 ? `${code(stage.name)}: ` : '';
    return [`${of}value: ${code(valueText(value, type))}, ${who}`];
  });
  return lines.length === 0 ? undefined : lines.join('  \n');
}
