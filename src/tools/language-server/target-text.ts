/** What a word of a pipeline refers to, in Markdown. */
import { typeNoun } from '../../language/check/nouns.js';
import { PARAM_TYPES } from '../../language/check/params.js';
import { originOf, presetOf } from '../../language/check/stage-settings.js';
import { valueText } from '../../language/check/value-text.js';
import type { Setting, StageSchema } from '../../language/schemas/schema.js';
import { valueAt } from '../../language/schemas/setting-paths.js';
import { budgetMetrics, budgetSettings } from '../../language/schemas/stages/budget.js';
import {
  code,
  ftp,
  functionText,
  headOf,
  kindText,
  metricText,
  paragraphs,
  portText,
  settingFacts,
  settingText,
} from './describe.js';
import { pathText } from './named-files.js';
import { schemaOf } from './names/block-schemas.js';
import type { Declaration, Target } from './names/targets.js';
import { planFacts, plannedOf } from './plans.js';
import { shownPath } from './projects.js';
import type { Session, Spot } from './session.js';

type Of<K extends Target['kind']> = Extract<Target, { kind: K }>;
type Describe<K extends Target['kind']> = (target: Of<K>, spot: Spot, session: Session) => string | undefined;

const DESCRIBE: { readonly [K in Target['kind']]: Describe<K> } = {
  declared: ({ declared }, spot, session) => declaredText(declared, spot, session),
  function: ({ name, schema }) => functionText(name, schema),
  setting: (target, spot, session) => settingAt(target, spot, session),
  argument: ({ callee, path, setting }) =>
    paragraphs(`${code(`${callee}(${path}: …)`)}`, settingText(setting)),
  port: ({ stage, name, port }) => portText(stage.name.text, name, port),
  metric: ({ name, schema, isBaseline, stage }) =>
    metricText(
      [...(isBaseline ? ['baseline'] : stage === undefined ? [] : [stage.name.text]), name].join('.'),
      schema,
    ),
  root: ({ name, doc }) => paragraphs(code(name), doc),
  field: ({ name, doc }) => `${code(name)} · ${doc}`,
  method: ({ name, owner }) =>
    paragraphs(`${code(`using ${name}`)}: a method of ${code(owner)} stages`, schemaOf(owner)?.doc),
  choice: ({ value, of }) => `${code(value)} · one of ${typeNoun(of)}`,
  block_kind: ({ name }) => {
    const schema: StageSchema | undefined = schemaOf(name);
    return schema === undefined ? budgetText() : kindText(schema);
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

const budgetText = (): string =>
  paragraphs(
    '**budget**',
    'Limits that a plan must keep, proved before anything runs.',
    Object.entries({ ...budgetSettings, ...budgetMetrics })
      .map(([name, { doc }]) => `- ${code(name)}: ${doc}`)
      .join('\n'),
  );

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
