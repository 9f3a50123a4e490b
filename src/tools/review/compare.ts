/** Two plans of a pipeline → what changed between them. */
import { EMBEDDED } from '../../language/ir/engines.js';
import { figureChanges, totalsOf } from './figures.js';
import { matchStages, renamesOf, type StageMatch } from './match-stages.js';
import { rerunOf, settingChanges } from './stage-changes.js';
import type {
  Base,
  BudgetChange,
  BudgetOutline,
  Comparison,
  ComputingChange,
  ComputingOutline,
  DiagnosticSummary,
  ListChange,
  MachineRequest,
  Note,
  PlanOutline,
  StageChange,
} from './types.js';

interface ComparisonInput {
  readonly pipeline: string;
  readonly base: Base;
  readonly machine: MachineRequest;
  /** `undefined`: there was none, and everything is new. */
  readonly before: PlanOutline | undefined;
  readonly after: PlanOutline;
  readonly notes?: readonly Note[];
}

export function compare({ pipeline, base, machine, before, after, notes }: ComparisonInput): Comparison {
  const pairs = matchStages(before?.stages ?? [], after.stages);
  const renames = renamesOf(pairs);
  const made = new Set((before?.stages ?? []).flatMap(({ identity }) => identity?.key ?? []));
  const isKept = base.kind === 'snapshot';
  const stages = pairs.map((pair) => stageChange(pair, renames, made, isKept));
  const budget = budgetChanges(before?.budget ?? [], after.budget);
  const diagnostics = foundChange(before?.diagnostics ?? [], after.diagnostics, renames);
  const computing = before === undefined ? [] : computingChanges(before.computing, after.computing);
  const differs =
    diagnostics.added.length + diagnostics.removed.length + budget.length + computing.length > 0;
  return {
    version: 1,
    pipeline,
    base,
    machine,
    changed: differs || before === undefined || stages.some(({ status }) => status !== 'unchanged'),
    isNew: before === undefined,
    valid: after.valid,
    ...(computing.length === 0 ? {} : { computing }),
    stages,
    totals: figureChanges(totalsOf(before?.stages ?? []), totalsOf(after.stages)),
    budget,
    diagnostics,
    notes: notes ?? [],
  };
}

const EMBEDDED_ALONE: ComputingOutline = { engine: EMBEDDED.name };

const computingChanges = (
  before: ComputingOutline = EMBEDDED_ALONE,
  after: ComputingOutline = EMBEDDED_ALONE,
): readonly ComputingChange[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((setting) => ({ setting, before: before[setting] ?? null, after: after[setting] ?? null }))
    .filter((change) => change.before !== change.after);

const NOTHING: ListChange = { added: [], removed: [] };

function stageChange(
  { before, after }: StageMatch,
  renames: ReadonlyMap<string, string>,
  made: ReadonlySet<string>,
  isKept: boolean,
): StageChange {
  if (before === undefined || after === undefined) {
    const { name, kind, figures } = after ?? before ?? missing();
    const isNew = after !== undefined;
    return {
      name,
      kind,
      status: isNew ? 'added' : 'removed',
      settings: [],
      requires: NOTHING,
      figures: isNew ? figureChanges({}, figures) : figureChanges(figures, {}),
      reruns: isNew ? true : null,
      reasons: [],
      because: [],
    };
  }
  const settings = settingChanges(before.settings, after.settings, renames).filter(
    // a later ftpc has more settings: those that nobody set change nothing
    (change) => !(isKept && change.before === null && change.from === 'default'),
  );
  const requires = listChange(before.requires, after.requires, (text) => text);
  const figures = figureChanges(before.figures, after.figures);
  const rerun = rerunOf(before, after, renames, made);
  const sizes = settings.length + requires.added.length + requires.removed.length + figures.length;
  return {
    name: after.name,
    kind: after.kind,
    status: sizes > 0 || rerun.reruns === true ? 'changed' : 'unchanged',
    ...(before.name === after.name ? {} : { renamedFrom: before.name }),
    settings,
    requires,
    figures,
    ...rerun,
  };
}

function missing(): never {
  throw new Error('a pair of stages has neither');
}

/** What is only in one of two lists, each as often as it is there more often; in the order of its list. */
function listChange<T>(before: readonly T[], after: readonly T[], key: (item: T) => string): ListChange<T> {
  const only = (items: readonly T[], others: readonly T[]): readonly T[] => {
    const left = others.map(key);
    return items.filter((item) => {
      const at = left.indexOf(key(item));
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  };
  return { added: only(after, before), removed: only(before, after) };
}

const foundKey = ({ code, severity, message }: DiagnosticSummary): string => `${code} ${severity} ${message}`;

/** A finding about a stage under its new name is not new; instances of a matrix may be referred to as one. */
function foundChange(
  before: readonly DiagnosticSummary[],
  after: readonly DiagnosticSummary[],
  renames: ReadonlyMap<string, string>,
): ListChange<DiagnosticSummary> {
  const { added, removed } = listChange(before, after, foundKey);
  return listChange(
    removed.map((found) => underNewNames(found, renames)),
    added,
    foundKey,
  );
}

function underNewNames(found: DiagnosticSummary, renames: ReadonlyMap<string, string>): DiagnosticSummary {
  const message = found.message.replace(/`([^`]+)`/g, (whole, name: string) => {
    const renamed = renames.get(name);
    return renamed === undefined ? whole : `\`${renamed}\``;
  });
  return { ...found, message };
}

/** Sorted by what is required. */
function budgetChanges(
  before: readonly BudgetOutline[],
  after: readonly BudgetOutline[],
): readonly BudgetChange[] {
  const { added, removed } = listChange(before, after, ({ require }) => require);
  const changes: readonly BudgetChange[] = [
    ...added.map((line) => ({ ...line, change: 'added' as const })),
    ...removed.map((line) => ({ ...line, change: 'removed' as const })),
    ...after.flatMap((line): readonly BudgetChange[] => {
      const was = before.find(({ require }) => require === line.require);
      if (was === undefined || was.holds === line.holds || line.holds === null) return [];
      return line.holds
        ? was.holds === false
          ? [{ ...line, change: 'kept' }]
          : []
        : [{ ...line, change: 'broken' }];
    }),
  ];
  return [...changes].sort((a, b) => (a.require < b.require ? -1 : a.require > b.require ? 1 : 0));
}
