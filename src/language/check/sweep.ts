/** Matrices of a pipeline: their combinations, and every block once in each that concerns it. */
import { deployOfMatrix } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Budget, Requirement } from '../ir/program.js';
import type { Blocks } from './blocks.js';
import type { FolderAccess } from './context.js';
import { Declarations } from './declare.js';
import { type Axes, asInstance, instanceName, requirementOf } from './instances.js';
import { axisOf, type Binding, combinations } from './matrix.js';
import { matricesOf } from './matrix-dependencies.js';
import type { Module, ModuleLoader } from './modules.js';
import type { Overrides } from './overrides.js';
import type { CheckedStage } from './stages.js';

export interface Sweep {
  /** At least one, which is empty if there is no matrix. */
  readonly bindings: readonly Binding[];
  /** Matrices with more than one value, by the stages that they tell apart. */
  readonly axes: Axes;
  /** Matrices with more than one value. */
  readonly open: ReadonlySet<string>;
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
  const axes = tree.matrices.map((declaration) => axisOf(declaration, main.source, context, overrides));
  const bindings = combinations(axes, context);
  const diagnostics = declarations.all().flatMap((declared) => declared.diagnostics);
  const several = axes.filter(({ values }) => values.length > 1).map(({ name }) => name);
  const open = new Set(bindings.length > 1 ? several : []);
  return { bindings, axes: axesOf(open, main), open, diagnostics };
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
  { axes, bindings: [first] }: Sweep,
  stages: readonly CheckedStage[],
): readonly Diagnostic[] {
  return stages.flatMap(({ stage: { kind, name }, block }) => {
    const open = axes.get(name) ?? [];
    if (kind !== 'deploy' || open.length === 0) return [];
    const pins = open.map((matrix) => `-p ${matrix}=${first?.get(matrix)?.written ?? '…'}`);
    return [deployOfMatrix({ ...block.kind.span, end: block.name.span.end }, name, open, pins.join(' '))];
  });
}
