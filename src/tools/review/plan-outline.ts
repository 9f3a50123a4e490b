/** A program and its plan as what a reviewer compares. */
import { relative, resolve, sep } from 'node:path';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { budgetLines } from '../../pipeline/planner/budget.js';
import type { Plan, PlannedStage } from '../../pipeline/planner/types.js';
import { requirementText } from './requirement-text.js';
import { settingOutlines } from './setting-outlines.js';
import type { BudgetOutline, DiagnosticSummary, Figures, PlanOutline, StageOutline } from './types.js';

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
    stages: program.stages.flatMap((stage) => {
      const found = planned.get(stage.name);
      return found === undefined ? [] : [reviewedStage(stage, found, moduleName)];
    }),
    budget: budgetOf(program, plan),
    diagnostics: [...diagnostics, ...plan.diagnostics].map(diagnosticSummary),
    valid: plan.valid,
  };
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

function figuresOf({ scale, peak, seconds }: PlannedStage): Figures {
  return {
    rows: scale?.rows ?? null,
    tokens: scale?.tokens ?? null,
    steps: scale?.steps ?? null,
    tokensSeen: scale?.tokensSeen ?? null,
    trainableParameters: scale?.trainableParameters ?? null,
    totalParameters: scale?.totalParameters ?? null,
    peakBytes: peak?.bytes ?? null,
    seconds: seconds?.expected ?? null,
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
