/** What is wrong where no plan keeps a budget: the least that can be had, what makes it, and what would help. */

import { error, warning } from '../../language/diagnostics/make.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Program, Requirement } from '../../language/ir/program.js';
import { isSamePlan } from '../stages/train-plan/fields.js';
import { plannedText, refersTo, requirementsOf } from './budget.js';
import { largestText } from './memory-budget.js';
import { planText, rejectedText } from './plan-diagnostics.js';
import type { BudgetLine, Peak, PlannedStage } from './plan-json.js';
import { bytes } from './quantities.js';

/** The stages of the plan that comes closest. */
export interface BudgetedPlan {
  readonly stages: readonly PlannedStage[];
  readonly budget: readonly BudgetLine[];
  /** What the file does not list and with which a stage would keep its budget. */
  readonly wouldHelp: ReadonlyMap<string, string>;
  /** The speed of this machine was stored by an earlier run or by this one. */
  readonly isSpeedStored?: boolean;
  /** Times follow from the figures of a machine. */
  readonly isForetold?: boolean;
}

/** One for each line that does not hold. */
export const brokenBudgets = (
  program: Pick<Program, 'budgets'>,
  planned: BudgetedPlan,
): readonly Diagnostic[] =>
  requirementsOf(program).flatMap((requirement, index) => {
    const line = planned.budget[index];
    return line?.holds === false ? [brokenBudget(requirement, line, planned)] : [];
  });

function brokenBudget(requirement: Requirement, line: BudgetLine, planned: BudgetedPlan): Diagnostic {
  const limited = (metric: 'memory' | 'time'): readonly PlannedStage[] =>
    planned.stages.filter(
      ({ action, limits }) => action !== 'cached' && limits?.[metric]?.require === requirement.text,
    );
  if (refersTo(requirement, 'disk')) return tooMuchWritten(requirement, line, planned);
  const slow = line.unit === 'bytes' ? [] : limited('time');
  if (slow.length > 0) return tooSlow(requirement, line, { ...planned, stages: slow });
  const large = limited('memory')
    .filter(({ peak, limits }) => (peak?.bytes ?? 0) > (limits?.memory?.most ?? 0))
    .sort((a, b) => (b.peak?.bytes ?? 0) - (a.peak?.bytes ?? 0));
  const [largest] = large;
  return largest?.peak == null
    ? unplanned(requirement, line)
    : tooLarge(requirement, largest.name, largest.peak, { ...planned, stages: large });
}

/** What is written is given: only what is kept of it can be less. */
function tooMuchWritten(
  requirement: Requirement,
  { value }: BudgetLine,
  { stages }: BudgetedPlan,
): Diagnostic {
  const [most] = [...stages].sort((a, b) => b.diskBytes - a.diskBytes);
  const keeps =
    most?.kind === 'train'
      ? [`keep fewer checkpoints of \`${most.name}\`: \`checkpoint = { keep: 1 }\``]
      : [];
  return broken(requirement, `this plan writes ${bytes(value ?? 0)}`, {
    notes: most === undefined ? [] : [`\`${most.name}\` writes ${bytes(most.diskBytes)} of it`],
    help: [...keeps, 'allow more here'],
  });
}

/** Lines on what a run costs that say nothing, since the price or the time of the machine is not known. */
export const unknownCosts = (
  program: Pick<Program, 'budgets'>,
  lines: readonly BudgetLine[],
  machine: string,
): readonly Diagnostic[] =>
  requirementsOf(program).flatMap((requirement, index) => {
    const isUnknown = lines[index]?.holds === null && refersTo(requirement, 'cost');
    return isUnknown
      ? [
          warning(
            'FTP1924',
            requirement.span,
            `\`require ${requirement.text}\` is not checked: what a run costs is not known`,
            {
              label: `no price, or no time, is known of ${machine}`,
              help: 'say what an hour costs, `--price 2.5`, or plan for a machine with a price: `--machine NAME`',
            },
          ),
        ]
      : [];
  });

/** A condition that limits no stage by itself, such as one on memory and time at once. */
const unplanned = (requirement: Requirement, line: BudgetLine): Diagnostic =>
  broken(requirement, `this plan takes ${takenText(requirement, line)}`, {
    notes: ['the condition limits no stage by itself, so no other plan was looked for'],
    help: ['write one condition on memory and one on time', 'allow more here'],
  });

function tooLarge(requirement: Requirement, largest: string, peak: Peak, planned: BudgetedPlan): Diagnostic {
  const least = bytes(peak.bytes);
  return broken(requirement, `stage \`${largest}\` needs at least ${least}`, {
    label: largestText(peak),
    notes: planned.stages.flatMap(leastNotes),
    help: [...helpOf(planned), `allow ${least} or more here`],
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

const takenText = (requirement: Requirement, line: BudgetLine): string =>
  `${plannedText(line)}${refersTo(requirement, 'gpu_hours') ? ' GPU-hours' : ''}`;

function tooSlow(requirement: Requirement, line: BudgetLine, planned: BudgetedPlan): Diagnostic {
  const trained = planned.stages.flatMap(({ name, chosen, seconds, limits }) =>
    chosen === null || (seconds?.expected ?? 0) <= (limits?.time?.most ?? 0)
      ? []
      : [`the quickest way to train \`${name}\`: ${planText(chosen)}`],
  );
  return broken(requirement, `the quickest plan that was found takes ${takenText(requirement, line)}`, {
    notes: [...trained, planned.isForetold ? FORETOLD : planned.isSpeedStored ? `${BUSY}: ${STORED}` : BUSY],
    help: [...helpOf(planned), 'allow more here'],
  });
}

const BUSY = 'times are estimated from the speed of this machine, which is lower while other programs run';
const FORETOLD = 'times are estimated from what is declared of the machine';
const STORED = 'it is measured again once `.ftp/speed.json` is removed';

const helpOf = ({ stages, wouldHelp }: BudgetedPlan): readonly string[] =>
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
