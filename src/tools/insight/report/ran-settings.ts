/** What was run: the settings as in the file and as they took effect, the parameters, and where it ran. */

import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { spanText } from '../../../language/source/text.js';
import type { Plan } from '../../../pipeline/planner/plan-json.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { placeText, SHARING } from '../../../pipeline/planner/render/engine.js';
import { code, left, prose, table, together } from '../html/page.js';
import { type Pipeline, type SettingExplanation, toldOnce } from '../settings/explain.js';
import { answerOf, setByText } from '../settings/index.js';
import { writtenIn } from '../settings/setting-places.js';
import type { RanSetting, RanStage, ReportInput, WhatRan } from './input.js';

/** Of a pipeline as it was read and planned for the run. */
export function whatRan(file: string, pipeline: Pipeline): Pick<WhatRan, 'params' | 'stages'> {
  const answer = answerOf(file, undefined, pipeline);
  if (answer.about !== 'pipeline') throw new Error('everything was asked for');
  return {
    params: answer.params.map(({ name, text, from, given, doc }) => ({
      name,
      value: text,
      from: given ?? from,
      doc: doc ?? '',
    })),
    stages: answer.stages.map(({ stage, kind, settings }) => ({
      name: stage,
      kind,
      settings: toldOnce(settings).map((setting) => ranSetting(stage, setting, pipeline)),
    })),
  };
}

function ranSetting(
  stage: string,
  { path, text, setBy, asked, why }: SettingExplanation,
  { analysis, sources }: Pipeline,
): RanSetting {
  const checked = analysis.stages.find((one) => one.stage.name === stage);
  const span = checked === undefined ? undefined : writtenIn(checked, path)?.span;
  const source = span === undefined ? undefined : sources.get(span.file);
  const written =
    span === undefined || source === undefined ? asked : spanText(source, span).replace(/\s+/g, ' ');
  return {
    path,
    ...(written === undefined ? {} : { written }),
    effective: text ?? '',
    from: setBy.from,
    setBy: setByText(setBy),
    ...(why === undefined ? {} : { why }),
  };
}

/** Facts of the run as a whole, then parameters and settings. */
export function ranSettings({ ran, plan, events }: ReportInput): Markup {
  if (ran === undefined) return nothing;
  const started = events.find((event) => event.type === 'run.started');
  const begun = started?.type === 'run.started' ? started : undefined;
  const facts = factsOf(ran, plan, begun);
  return html`<h2>What was run</h2>
<dl class="facts">${facts.map(([title, text]) => html`<dt>${title}</dt><dd>${text}</dd>`)}</dl>
${parameters(ran)}
${ran.stages.map(stageSettings)}`;
}

function parameters({ params }: WhatRan): Markup {
  if (params.length === 0) return nothing;
  const hasDocs = params.some(({ doc }) => doc !== '');
  return html`<h3>Parameters</h3>
${table(
  'Parameters',
  left('parameter', 'value', 'from', ...(hasDocs ? ['what it is'] : [])),
  params.map(({ name, value, from, doc }) => [
    code(name),
    code(value),
    from,
    ...(hasDocs ? [prose(doc)] : []),
  ]),
)}`;
}

type RunStarted = Extract<ReportInput['events'][number], { type: 'run.started' }>;

type Fact = readonly [title: string, text: Markup | string];

function factsOf(
  { machine, system, threads, stages }: WhatRan,
  plan: Plan | undefined,
  begun: RunStarted | undefined,
): readonly Fact[] {
  const devices =
    plan?.machine.devices.map(({ name, memoryBytes }) => `${name}, ${bytes(memoryBytes)}`) ?? [];
  const seeds = seedsOf(stages);
  return [
    ...(begun === undefined ? [] : [['pipeline', code(begun.pipeline)] as const]),
    ...(begun?.commit === undefined ? [] : [['commit', commitText(begun.commit)] as const]),
    [
      'machine',
      together(`${machine.name}: ${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes)}`),
    ],
    ...(devices.length === 0 ? [] : [['devices', together(devices.join('; '))] as const]),
    ...(begun === undefined ? [] : computedBy(begun, threads, plan)),
    ['system', system],
    ...(begun === undefined ? [] : [['ftpc', begun.ftpc] as const]),
    ...(seeds.length === 0 ? [] : [['seeds', html`${seeds}`] as const]),
  ];
}

/** What computed, on which devices, and how they shared each training. */
function computedBy(
  { engine, runtime, ranks }: RunStarted,
  threads: number,
  plan: Plan | undefined,
): readonly Fact[] {
  if (ranks === undefined)
    return [
      ['engine', engine],
      ['runtime', `${runtime}, ${threads} threads`],
    ];
  const shared = (plan?.stages ?? []).flatMap(({ name, chosen }) =>
    chosen?.sharding === undefined ? [] : [`${name}: ${SHARING[chosen.sharding]}`],
  );
  return [
    ['engine', `${engine}: ${placeText(ranks)}`],
    ...(shared.length === 0 ? [] : [['sharding', shared.join('; ')] as const]),
    ['versions', runtime.replace(`${engine} `, '')],
  ];
}

const commitText = ({ id, changed }: { readonly id: string; readonly changed: boolean }): Markup =>
  html`${code(id)}${changed ? ', with changes in the pipeline that were not committed' : ''}`;

/** `17 (clauses.split.seed, adapter.seed)`: each value once. */
function seedsOf(stages: readonly RanStage[]): readonly Markup[] {
  const found = new Map<string, string[]>();
  for (const { name, settings } of stages)
    for (const { path, effective } of settings)
      if (path === 'seed' || path.endsWith('.seed'))
        found.set(effective, [...(found.get(effective) ?? []), `${name}.${path}`]);
  return [...found].map(
    ([value, paths], index) => html`${index === 0 ? '' : '; '}<b>${value}</b> (${paths.join(', ')})`,
  );
}

function stageSettings({ name, kind, settings }: RanStage): Markup {
  const isDefault = ({ from }: RanSetting): boolean => from === 'default';
  const defaults = settings.filter(isDefault);
  const titles = left('setting', 'in the file', 'took effect', 'set by');
  const rows = (some: readonly RanSetting[]) =>
    some.map(({ path, written, effective, from, setBy, why }) => [
      code(path),
      written === undefined ? html`<span class="soft">not set</span>` : code(written),
      code(effective),
      from === 'planner'
        ? html`<b class="planner">${setBy}</b>${why === undefined ? nothing : html`: <span class="soft">${together(why)}</span>`}`
        : html`<span class="soft">${setBy}</span>`,
    ]);
  return html`<h3>${name} <span class="soft">${kind}</span></h3>
${table(`Settings of ${name}`, titles, rows(settings.filter((setting) => !isDefault(setting))))}
${
  defaults.length === 0
    ? nothing
    : html`<details><summary>${defaults.length} more, left at their defaults</summary>
${table(
  `Defaults of ${name}`,
  left('setting', 'took effect'),
  defaults.map(({ path, effective }) => [code(path), code(effective)]),
)}</details>`
}`;
}
