/** What is wrong where no plan keeps a budget: the least that can be had, what makes it, and what would help. */

import { error } from '../../language/diagnostics/make.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Program, Requirement } from '../../language/ir/program.js';
import { isSamePlan } from '../stages/train-plan/fields.js';
import { figureOf, refersTo, requirementsOf } from './budget.js';
import { largestText } from './memory-budget.js';
import { planText, rejectedText } from './plan-diagnostics.js';
import type { BudgetLine, PlannedStage } from './plan-json.js';
import { bytes } from './quantities.js';

/** The stages of the plan that comes closest. */
export interface BudgetedPlan {
  readonly stages: readonly PlannedStage[];
  readonly budget: readonly BudgetLine[];
  /** What the file does not list and with which a stage would keep its budget. */
  readonly wouldHelp: ReadonlyMap<string, string>;
  /** The speed of this machine was stored by an earlier run or by this one. */
  readonly isSpeedStored?: boolean;
}

/** One for each line that does not hold. */
export const brokenBudgets = (
  program: Pick<Program, 'budgets'>,
  planned: BudgetedPlan,
): readonly Diagnostic[] =>
  requirementsOf(program).flatMap((requirement, index) => {
    const line = planned.budget[index];
    if (line?.holds !== false) return [];
    return [
      refersTo(requirement, 'wall_time')
        ? tooSlow(requirement, line, planned)
        : tooLarge(requirement, line, planned),
    ];
  });

function tooLarge(requirement: Requirement, line: BudgetLine, planned: BudgetedPlan): Diagnostic {
  const { text } = requirement;
  const beyond = planned.stages
    .filter(({ action, limits, peak }) => {
      const limit = action === 'cached' ? undefined : limits?.memory;
      return limit?.require === text && (peak?.bytes ?? 0) > limit.most;
    })
    .sort((a, b) => (b.peak?.bytes ?? 0) - (a.peak?.bytes ?? 0));
  const [most] = beyond;
  if (most?.peak == null)
    return broken(requirement, `the run needs ${figureOf(requirement, line.value ?? 0)}`, {});
  const least = bytes(most.peak.bytes);
  return broken(requirement, `stage \`${most.name}\` needs at least ${least}`, {
    label: largestText(most.peak),
    notes: beyond.flatMap(leastNotes),
    help: [...helpOf(beyond, planned), `allow ${least} or more here`],
  });
}

/** What makes the least, and what was tried on the way. */
const leastNotes = ({ name, chosen, peak, rejected }: PlannedStage): readonly string[] =>
  chosen === null
    ? [`\`${name}\` needs ${bytes(peak?.bytes ?? 0)}, with nothing left to choose`]
    : [
        `\`${name}\` needs ${bytes(peak?.bytes ?? 0)} with ${planText(chosen)}`,
        ...rejected
          .filter((plan) => !isSamePlan(plan, chosen))
          .map((plan) => `rejected: ${rejectedText(plan)}`),
      ];

function tooSlow(requirement: Requirement, line: BudgetLine, planned: BudgetedPlan): Diagnostic {
  const limited = planned.stages.filter(({ limits }) => limits?.time?.require === requirement.text);
  const trained = limited.flatMap(({ name, chosen, seconds, limits }) =>
    chosen === null || (seconds?.expected ?? 0) <= (limits?.time?.most ?? 0)
      ? []
      : [`the quickest way to train \`${name}\`: ${planText(chosen)}`],
  );
  return broken(requirement, `at least ${figureOf(requirement, line.value ?? 0)} are needed`, {
    notes: [...trained, planned.isSpeedStored ? `${BUSY}: ${STORED}` : BUSY],
    help: [...helpOf(limited, planned), 'allow more here'],
  });
}

const BUSY = 'times are estimated from the speed of this machine, which is lower while other programs run';
const STORED = 'it is measured again once `.ftp/speed.json` is removed';

const helpOf = (stages: readonly PlannedStage[], { wouldHelp }: BudgetedPlan): readonly string[] =>
  stages.flatMap(({ name }) => {
    const listed = wouldHelp.get(name);
    return listed === undefined
      ? []
      : [`add \`${listed}\` to \`fallback\` of \`${name}\`: it would keep the budget`];
  });

interface Details {
  readonly label?: string;
  readonly notes?: readonly string[];
  readonly help?: readonly string[];
}

const broken = (
  { text, span }: Requirement,
  why: string,
  { label, notes, help = ['allow more here'] }: Details,
): Diagnostic =>
  error('FTP0825', span, `no plan keeps the budget \`require ${text}\`: ${why}`, {
    ...(label === undefined ? {} : { label }),
    ...(notes === undefined ? {} : { notes }),
    help: `nothing was run; ${help.join(', or ')}`,
  });
