/** A program and its plan as what a reviewer compares. */
import { relative, resolve, sep } from 'node:path';
import { formatQuantity } from '../../language/check/units.js';
import { valueText } from '../../language/check/value-text.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { expressionText } from '../../language/ir/expression-text.js';
import type { Expression, Origin, Program, Stage, StageKind, Value } from '../../language/ir/program.js';
import { isCall, isFile, isRecord, isReference } from '../../language/ir/values.js';
import type { Setting, SettingType } from '../../language/schemas/schema.js';
import { functionNamed, recordFields, settingTypeAt } from '../../language/schemas/setting-paths.js';
import { lookUp } from '../../language/source/look-up.js';
import { budgetLines } from '../../pipeline/planner/budget.js';
import { PLANNED_SETTINGS } from '../../pipeline/planner/effective.js';
import type { Plan, PlannedStage } from '../../pipeline/planner/plan-json.js';
import { figuresOf } from './figures.js';
import type { BudgetOutline, DiagnosticSummary, PlanOutline, SettingOutline, StageOutline } from './types.js';

/** `diagnostics` are those of the compilation; the plan has its own. `cwd`: what paths in the program start from. */
export function planOutline(
  program: Program,
  plan: Plan,
  diagnostics: readonly Diagnostic[],
  cwd: string,
): PlanOutline {
  const moduleName = (module: string): string =>
    module.startsWith('std/') ? module : relative(program.folder, resolve(cwd, module)).split(sep).join('/');
  const planned = new Map(plan.stages.map((stage) => [stage.name, stage]));
  return {
    ...computingOf(plan),
    stages: program.stages.flatMap((stage) => {
      const found = planned.get(stage.name);
      return found === undefined ? [] : [reviewedStage(stage, found, moduleName)];
    }),
    budget: budgetOf(program, plan),
    diagnostics: [...diagnostics, ...plan.diagnostics].map(diagnosticSummary),
    valid: plan.valid,
  };
}

function computingOf({ engine, ranks }: Plan): Pick<PlanOutline, 'computing'> {
  if (ranks === undefined) return {};
  const { devices, nodes, sharding } = ranks;
  return { computing: { engine, devices: `${devices}`, nodes: `${nodes}`, sharding } };
}

function reviewedStage(
  stage: Stage,
  planned: PlannedStage,
  moduleName: (module: string) => string,
): StageOutline {
  return {
    name: stage.name,
    kind: stage.kind,
    settings: settingOutlines(stage, planned, moduleName),
    requires: stage.requires.map(({ condition }) => requirementText(condition)).sort(),
    figures: figuresOf(planned),
    identity: { key: planned.key, parts: planned.parts },
  };
}

/** Time is known on the machine that runs it, so that a limit on it is neither kept nor broken here. */
function budgetOf(program: Program, { totals }: Plan): readonly BudgetOutline[] {
  const lines = budgetLines(program, { peak_memory: totals.peakBytes ?? undefined });
  const requirements = program.budgets.flatMap(({ requires }) => requires);
  return lines.map(({ holds }, index) => {
    const condition = requirements[index]?.condition;
    return { require: condition === undefined ? '' : requirementText(condition), holds };
  });
}

/** Without its place: a mistake that only moved is not new. */
export const diagnosticSummary = ({ code, severity, message }: Diagnostic): DiagnosticSummary => ({
  code,
  severity,
  message,
});

type Settings = Readonly<Record<string, SettingOutline>>;

/** Sorted by path. `moduleName`: what a module is called, wherever the command runs. */
function settingOutlines(
  stage: Stage,
  planned: PlannedStage,
  moduleName: (module: string) => string,
): Settings {
  const found: Record<string, SettingOutline> = {};
  const leaf = (path: string, text: string, from: Origin, refers?: SettingOutline['refers']): void => {
    const preset = from === 'preset' ? stage.presets?.[path] : undefined;
    found[path] = {
      text,
      from,
      ...(preset === undefined ? {} : { preset: { ...preset, module: moduleName(preset.module) } }),
      ...(refers === undefined ? {} : { refers }),
    };
  };
  const add = (path: string, value: Value, type: SettingType | undefined, from: Origin): void => {
    if (isReference(value)) leaf(path, valueText(value), from, value);
    else if (isFile(value)) leaf(path, `${valueText(value)} sha256:${value.sha256.slice(0, 12)}`, from);
    else if (isCall(value)) {
      leaf(path, value.call, from);
      addAll(path, value.args, functionNamed(value.call)?.args, from);
    } else if (isRecord(value) && !('unit' in value)) addAll(path, value, recordFields(type), from);
    else leaf(path, valueText(value, type), from);
  };
  const addAll = (
    path: string,
    fields: Readonly<Record<string, Value>>,
    types: Readonly<Record<string, Setting>> | undefined,
    from: Origin,
  ): void => {
    for (const [name, field] of Object.entries(fields)) {
      const inner = `${path}.${name}`;
      add(inner, field, types?.[name]?.type, stage.origins[inner] ?? from);
    }
  };
  for (const [path, { value, from }] of Object.entries(planned.effective))
    add(path, value, typeAt(stage.kind, path), from);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const typeAt = (kind: StageKind, path: string): SettingType | undefined =>
  lookUp(PLANNED_SETTINGS, path)?.type ?? settingTypeAt(kind, path);

/** `exact_match - baseline.exact_match >= 20%` */
export const requirementText = (condition: Expression): string => expressionText(condition, formatQuantity);
