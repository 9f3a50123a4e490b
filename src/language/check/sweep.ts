/** Matrices of a pipeline: their combinations, and every block once in each that concerns it, under a name of its own. */

import { deployOfMatrix, deployOfTrials } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { withNames } from '../ir/expression.js';
import type { Budget, Requirement, Search, Stage, StageKind } from '../ir/program.js';
import { renamed } from '../ir/search.js';
import { isCall, isList } from '../ir/values.js';
import { isComparisonName } from '../schemas/comparisons.js';
import { schemas } from '../schemas/stages/index.js';
import type { Block, Preset, SourceFile, Word } from '../syntax/ast.js';
import { pathsIn } from '../syntax/references.js';
import type { FolderAccess } from './context.js';
import { Declarations } from './declare.js';
import { axisOf, type Binding, combinations } from './matrix.js';
import type { Module, ModuleLoader } from './modules.js';
import type { Overrides } from './overrides.js';
import { drawnTrials, type SearchSettings, searchOf, trainingsOf } from './search.js';
import type { Blocks, CheckedStage } from './stages.js';
import { isSearch } from './winners.js';

export interface Sweep {
  /** At least one, which is empty if there is no matrix. */
  readonly bindings: readonly Binding[];
  /** Matrices with more than one value, by the stages that they tell apart. */
  readonly axes: Axes;
  /** Matrices with more than one value. */
  readonly open: ReadonlySet<string>;
  /** What chooses the combinations, if anything does. */
  readonly search?: SearchSettings;
  readonly diagnostics: readonly Diagnostic[];
}

const NONE: Sweep = { bindings: [new Map()], axes: new Map(), open: new Set(), diagnostics: [] };

/** Reads the values of the matrices; names mean nothing else meanwhile. */
export function readMatrices(
  main: Module,
  loader: ModuleLoader,
  access: FolderAccess,
  overrides: Overrides,
): Sweep {
  const { tree } = main;
  if (tree.matrices.length === 0) return NONE;
  const declarations = new Declarations(loader, access, overrides, undefined);
  const context = declarations.context(main, true);
  const search = searchOf(tree.matrices, context);
  const axes = tree.matrices
    .filter((declaration) => !isSearch(declaration))
    .map((declaration) => axisOf(declaration, main.source, context, overrides));
  // what is wrong with a search is said once
  const isBroken = search === undefined && tree.matrices.some(isSearch);
  const isDrawn = search !== undefined && search.method !== 'grid';
  const drawn = isBroken
    ? []
    : isDrawn
      ? drawnTrials(axes, search, context)
      : combinations(axes, context, search !== undefined);
  const bindings = drawn.length === 0 ? [new Map()] : drawn;
  const diagnostics = declarations.all().flatMap((declared) => declared.diagnostics);
  const several = axes
    .filter(({ values, drawn: range }) => range !== undefined || values.length > 1)
    .map(({ name }) => name);
  const open = new Set(bindings.length > 1 ? several : []);
  return {
    bindings,
    axes: axesOf(open, main),
    open,
    diagnostics,
    ...(search === undefined ? {} : { search }),
  };
}

const axesOf = (open: ReadonlySet<string>, main: Module): Axes =>
  new Map(
    [...matricesOf(main.tree)].map(([stage, matrices]) => [
      stage,
      matrices.filter((matrix) => open.has(matrix)),
    ]),
  );

/** Every stage in every combination that concerns it, at the place of its block; a release of an open choice is not one. */
export function spread({ axes, bindings }: Sweep, combined: readonly Blocks[]): readonly CheckedStage[] {
  const byName = combined.map(
    ({ stages }) => new Map(stages.map((checked) => [checked.stage.name, checked])),
  );
  return (combined[0]?.stages ?? []).flatMap(({ stage: { kind, name } }) => {
    if (kind === 'deploy' && isOpen(name, axes)) return [];
    const found = new Map<string, CheckedStage>();
    for (const [index, binding] of bindings.entries()) {
      const key = instanceName(name, binding, axes);
      const checked = byName[index]?.get(name);
      if (checked !== undefined && !found.has(key)) found.set(key, asInstance(checked, binding, axes));
    }
    return [...found.values()];
  });
}

/** The search with its trials; none where a single combination is left, which needs no search. */
export function searchIn(sweep: Sweep, stages: readonly CheckedStage[]): Search | undefined {
  const { search, bindings, axes } = sweep;
  if (search === undefined || bindings.length < 2) return undefined;
  const { seed: _, asked: __, bySpan: ___, ...rest } = search;
  const names = [...axes].flatMap(([name, matrices]) => (matrices.length > 0 ? [name] : []));
  const declared = namingStages(stages);
  const open = names.filter((name) => declared.some((stage) => stage.name === name));
  const [training] = trainingsOf(search, declared, (name) => isOpen(name, axes));
  return {
    ...rest,
    ...(search.method === 'halving' && training !== undefined ? { training: training.name } : {}),
    trials: bindings.map((binding) => ({
      at: Object.fromEntries([...binding].map(([matrix, { constant }]) => [matrix, constant.value])),
      stages: Object.fromEntries(open.map((name) => [name, instanceName(name, binding, axes)])),
    })),
  };
}

/** What a search looks at of stages, as they are declared. */
export const namingStages = (stages: readonly CheckedStage[]) =>
  stages.map(({ stage, uses }) => ({
    name: stage.name,
    kind: stage.kind,
    uses,
    validates: stage.settings['validate'] != null,
    measures: measuredBy(stage),
  }));

/** The metrics that a stage lists; `undefined` for stages that measure what they always do. */
function measuredBy({ kind, settings: { metrics } }: Stage): readonly string[] | undefined {
  if (kind !== 'eval' || !isList(metrics)) return undefined;
  return metrics.map((metric) => (isCall(metric) ? metric.call : ''));
}

/** What budgets require, once for each combination that makes it refer to another stage or ask another number. */
export function spreadBudgets({ axes, bindings }: Sweep, combined: readonly Blocks[]): readonly Budget[] {
  return (combined[0]?.budgets ?? []).map((budget, place) => {
    const found = new Map<string, Requirement>();
    for (const [index, binding] of bindings.entries())
      for (const written of combined[index]?.budgets[place]?.requires ?? []) {
        const requirement = requirementOf(written, (name) => instanceName(name, binding, axes));
        const key = JSON.stringify([requirement.span, requirement.condition]);
        if (!found.has(key)) found.set(key, requirement);
      }
    return { ...budget, requires: [...found.values()] };
  });
}

export const isOpen = (stage: string, axes: Axes): boolean => (axes.get(stage) ?? []).length > 0;

/** Releases that are left out, since nothing says which of several models they publish. */
export function leftOut(
  { axes, bindings: [first], search }: Sweep,
  stages: readonly CheckedStage[],
): readonly Diagnostic[] {
  return stages.flatMap(({ stage: { kind, name }, block }) => {
    const open = axes.get(name) ?? [];
    if (kind !== 'deploy' || open.length === 0) return [];
    if (search !== undefined)
      return [deployOfTrials({ ...block.kind.span, end: block.name.span.end }, name, search.name)];
    const pins = open.map((matrix) => `-p ${matrix}=${first?.get(matrix)?.written ?? '…'}`);
    return [deployOfMatrix({ ...block.kind.span, end: block.name.span.end }, name, open, pins.join(' '))];
  });
}

/** Of a declared stage: the matrices that tell its instances apart. */
type Axes = ReadonlyMap<string, readonly string[]>;

/** `adapter@rate=1e-4,rank=8` */
function instanceName(name: string, binding: Binding, axes: Axes): string {
  const at = (axes.get(name) ?? []).map((matrix) => `${matrix}=${binding.get(matrix)?.label ?? ''}`);
  return at.length === 0 ? name : `${name}@${at.join(',')}`;
}

/** The stage in one combination: its own name, and those of the instances that it reads. */
function asInstance(checked: CheckedStage, binding: Binding, axes: Axes): CheckedStage {
  const { stage, uses } = checked;
  const own = axes.get(stage.name) ?? [];
  // of the winner: until it is known, the first trial is meant
  const awaits = own.length === 0 && uses.some((use) => isOpen(use.stage, axes));
  if (own.length === 0 && !awaits) return checked;
  const named = (name: string): string => instanceName(name, binding, axes);
  const at = own.flatMap((matrix) => {
    const value = binding.get(matrix)?.constant.value;
    return value === undefined ? [] : [[matrix, value] as const];
  });
  const settings = Object.entries(stage.settings).map(([key, value]) => [key, renamed(value, named)]);
  return {
    ...checked,
    uses: uses.map((use) => ({ ...use, stage: named(use.stage) })),
    stage: {
      ...stage,
      name: named(stage.name),
      ...(awaits ? { awaitsWinner: true } : { instance: { of: stage.name, at: Object.fromEntries(at) } }),
      settings: Object.fromEntries(settings),
      requires: stage.requires.map((requirement) => requirementOf(requirement, named)),
    },
  };
}

/** A requirement whose metrics are those of instances. */
const requirementOf = (requirement: Requirement, named: (stage: string) => string): Requirement => ({
  ...requirement,
  condition: withNames(requirement.condition, ([first = '', ...rest]) =>
    rest.length === 0 || isComparisonName(first) ? [first, ...rest] : [named(first), ...rest],
  ),
});

type Path = readonly Word[];

/** Matrices by the name of the stage, budget or parameter, in order of declaration; the graph of the names may have cycles. */
function matricesOf(tree: SourceFile): ReadonlyMap<string, readonly string[]> {
  const matrices = tree.matrices.filter((matrix) => !isSearch(matrix)).map(({ name }) => name.text);
  const blocks = new Map(tree.blocks.map((block) => [block.name.text, block]));
  const paths = new Map<string, readonly Path[]>([
    ...tree.params.map(({ name, value }) => [name.text, value === undefined ? [] : pathsIn(value)] as const),
    ...tree.presets.map((preset) => [preset.name.text, pathsOf(preset, preset.target)] as const),
    ...tree.blocks.map((block) => [block.name.text, pathsOf(block, block.kind)] as const),
  ]);
  const mentions = new Map(
    [...paths].map(([name, found]) => [
      name,
      found.filter((path) => isMention(path, blocks)).map(([word]) => word?.text ?? ''),
    ]),
  );
  return new Map(
    [...tree.blocks, ...tree.params].map(({ name }) => {
      const reached = reach(name.text, mentions);
      return [name.text, matrices.filter((matrix) => reached.has(matrix))];
    }),
  );
}

const pathsOf = ({ using, properties, requirements }: Block | Preset, kind: Word): readonly Path[] => [
  ...using.map((word) => [word]),
  ...properties.flatMap(({ value }) => pathsIn(value)),
  ...requirements.flatMap(({ condition }) => pathsIn(condition)).filter((path) => !isMetric(path, kind.text)),
];

/** `require rows >= 500` refers to no stage `rows`. */
const isMetric = ([word, port]: Path, kind: string): boolean =>
  port === undefined &&
  word !== undefined &&
  Object.hasOwn(schemas, kind) &&
  Object.hasOwn(schemas[kind as StageKind].metrics, word.text);

/** `loss_on = all` refers to no stage `all`, unless such a stage outputs something without a port. */
function isMention([word, port]: Path, blocks: ReadonlyMap<string, Block>): boolean {
  const kind = blocks.get(word?.text ?? '')?.kind.text;
  if (kind === undefined || port !== undefined) return true;
  return Object.hasOwn(schemas, kind) && '' in schemas[kind as StageKind].ports;
}

function reach(start: string, mentions: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set([start]);
  // What is added while the set is walked is walked too.
  for (const name of found) for (const next of mentions.get(name) ?? []) found.add(next);
  return found;
}
