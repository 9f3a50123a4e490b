/** What the page of a pipeline says, gathered once for every format. */
import { relative } from 'node:path';
import type { ParamValues } from '../../../language/check/overrides.js';
import type { Analysis, CompileResult } from '../../../language/compile.js';
import { counted } from '../../../language/diagnostics/make.js';
import type { Host } from '../../../language/host/host.js';
import type { Program, Stage, StageKind } from '../../../language/ir/program.js';
import type { LintReport } from '../../../language/lint/index.js';
import { shellWord } from '../../../language/source/shell-word.js';
import type { Plan, PlannedStage } from '../../../pipeline/planner/plan-json.js';
import { bytes, duration, scaleText } from '../../../pipeline/planner/quantities.js';
import { NOMINAL_SPEED } from '../../../pipeline/prepare/index.js';
import { type Graph, graphOf } from '../graph/index.js';
import type { PipelineAnswer } from '../settings/answer.js';
import { type SettingExplanation, toldOnce } from '../settings/explain.js';
import { answerOf, setByText } from '../settings/index.js';

interface PageSetting {
  readonly path: string;
  readonly text: string;
  readonly setBy: string;
  readonly doc: string;
}

export interface PageStage {
  readonly name: string;
  readonly kind: StageKind;
  readonly doc: string | undefined;
  /** What it works on, needs and takes, in words. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  /** What someone, or the planner, decided. */
  readonly settings: readonly PageSetting[];
  /** The defaults, where nobody set anything else. */
  readonly defaults: readonly PageSetting[];
  readonly requires: readonly string[];
  readonly findings: readonly string[];
}

interface PageSource {
  readonly stage: string;
  readonly pattern: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

interface PageBudget {
  readonly name: string;
  readonly require: string;
  /** The totals of the plan, in words. */
  readonly value: string;
  readonly holds: boolean | null;
}

export interface Page {
  readonly name: string;
  readonly file: string;
  readonly doc: string | undefined;
  readonly commands: readonly (readonly [line: string, what: string])[];
  readonly params: PipelineAnswer['params'];
  readonly secrets: PipelineAnswer['secrets'];
  readonly graph: Graph;
  readonly stages: readonly PageStage[];
  readonly sources: readonly PageSource[];
  readonly budgets: readonly PageBudget[];
  readonly machine: string;
  /** The whole plan in a sentence. */
  readonly totals: string;
}

interface PageContext {
  readonly host: Host;
  readonly file: string;
  readonly program: Program;
  readonly analysis: Analysis;
  readonly compiled: CompileResult;
  readonly plan: Plan;
  readonly lints: LintReport;
  readonly params: ParamValues;
}

export function pageOf(world: PageContext): Page {
  const { program, file, analysis, compiled, plan, lints, params } = world;
  const answer = answerOf(file, undefined, { analysis, sources: compiled.sources, plan, lints, params });
  if (answer.about !== 'pipeline') throw new Error('everything was asked for');
  const graph = graphOf(program, { inputs: true });
  return {
    name: program.name,
    file,
    doc: program.doc,
    commands: commandsOf(file, answer),
    params: answer.params,
    secrets: answer.secrets,
    graph,
    stages: program.stages.map((stage) => pageStage(stage, answer, plan)),
    sources: sourcesOf(graph, world),
    budgets: budgetsOf(program, plan),
    machine: machineText(plan),
    totals: totalsText(plan),
  };
}

function commandsOf(file: string, { params }: PipelineAnswer): Page['commands'] {
  const needed = params.filter((param) => param.default === null).map(({ name }) => ` -p ${name}=…`);
  const line = (command: string): string => `ftpc ${command} ${shellWord(file)}${needed.join('')}`;
  return [
    [line('plan'), 'what would run, what it needs and why'],
    [line('run'), 'runs it; what has run before is not run again'],
    [line('graph'), 'the picture of it'],
  ];
}

function pageStage(stage: Stage, answer: PipelineAnswer, plan: Plan): PageStage {
  const found = answer.stages.find((one) => one.stage === stage.name);
  const all = found?.settings ?? [];
  const leaves = toldOnce(all);
  const isDefault = ({ setBy }: SettingExplanation): boolean => setBy.from === 'default';
  return {
    name: stage.name,
    kind: stage.kind,
    doc: stage.doc,
    facts: factsOf(
      stage,
      plan.stages.find(({ name }) => name === stage.name),
    ),
    settings: leaves.filter((setting) => !isDefault(setting)).map(pageSetting),
    defaults: leaves.filter(isDefault).map(pageSetting),
    requires: stage.requires.map(({ text }) => text),
    findings: (found?.lints ?? []).map(
      ({ code, message, allowed }) =>
        `${code}: ${message}${allowed === undefined ? '' : ` (allowed: ${allowed})`}`,
    ),
  };
}

const pageSetting = ({ path, text, setBy, doc }: SettingExplanation): PageSetting => ({
  path,
  text: text ?? '',
  // Without its place: a page that is in a repository should not change with every line.
  setBy: setByText(setBy, false),
  doc,
});

function factsOf({ inputs }: Stage, planned: PlannedStage | undefined): PageStage['facts'] {
  const scale = planned === undefined ? '' : scaleText(planned.scale);
  const peak = planned?.peak ?? null;
  return [
    ...(inputs.length === 0 ? [] : [['reads', inputs.join(', ')] as const]),
    ...(scale === '' ? [] : [['works on', scale] as const]),
    ...(peak === null ? [] : [['peak memory', `${bytes(peak.bytes)}, at most ${bytes(peak.high)}`] as const]),
    ...(planned === undefined || planned.diskBytes === 0
      ? []
      : [['writes', `about ${bytes(planned.diskBytes)}`] as const]),
  ];
}

function sourcesOf({ inputs, edges }: Graph, { host, program }: PageContext): readonly PageSource[] {
  return inputs
    .filter(({ kind }) => kind === 'files')
    .flatMap(({ name }) =>
      edges
        .filter((edge) => edge.input === true && edge.from === name)
        .map(({ to }) => ({
          stage: to,
          pattern: name,
          files: host.glob(name, program.folder).map((path) => ({
            name: relative(program.folder, path),
            bytes: host.stat(path)?.size ?? 0,
          })),
        })),
    );
}

function budgetsOf({ budgets }: Program, { budget }: Plan): readonly PageBudget[] {
  return budgets.flatMap(({ name, requires }) =>
    requires.map(({ text }) => {
      const line = budget.find(({ require }) => require === text);
      return { name, require: text, value: valueText(text, line?.value ?? null), holds: line?.holds ?? null };
    }),
  );
}

function valueText(require: string, value: number | null): string {
  if (value === null) return 'known after a run';
  return require.includes('time') ? duration(value) : bytes(value);
}

function machineText({ machine }: Plan): string {
  const { name, memoryBytes, availableBytes, devices } = machine;
  const on = devices.length === 0 ? name : `${name}, ${devices.length} × ${devices[0]?.name}`;
  return `${on}: ${bytes(memoryBytes)}, of which ${bytes(availableBytes)} can be planned with`;
}

function totalsText({ stages, totals, valid }: Plan): string {
  const peak = totals.peakBytes === null ? 'unknown' : bytes(totals.peakBytes);
  const fits = valid ? 'It fits.' : 'It cannot run there as it is.';
  return `${counted(stages.length, 'stage')}, at most ${peak} at a time, about ${bytes(totals.diskBytes)} on disk. ${fits} Times are those of a nominal machine of ${NOMINAL_SPEED / 1e9} GFLOP/s, so that this page is the same wherever it is written.`;
}
