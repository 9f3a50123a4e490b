/** The names that an expectation can refer to: tables, from which types, values and messages come. */

import { isError } from '../../language/diagnostics/types.js';
import type { StageSummary } from '../../language/ir/events.js';
import type { Scalar, ValueType } from '../../language/ir/program.js';
import type { SettingType } from '../../language/schemas/schema.js';
import type { PlannedStage } from '../../pipeline/planner/plan-json.js';
import { FIELDS, fieldValue, settingName } from '../../pipeline/stages/train-plan/fields.js';
import type { Facts, Need, RunResult } from './types.js';

export interface Field<T> {
  readonly type: ValueType;
  /** What a text can be. */
  readonly words?: readonly string[];
  /** `undefined` or `null`: not known. */
  readonly read: (from: T) => Scalar | undefined;
}

export type Fields<T> = Readonly<Record<string, Field<T>>>;

const hasError = ({ diagnostics }: Pick<Facts, 'diagnostics'>): boolean => diagnostics.some(isError);

/** `plan.…` of the pipeline as a whole. */
export const PLAN: Fields<Facts> = {
  valid: { type: 'boolean', read: ({ plan }) => plan?.valid ?? false },
  peak_memory: { type: 'bytes', read: ({ plan }) => plan?.totals.peakBytes },
  wall_time: { type: 'seconds', read: ({ plan }) => plan?.totals.seconds?.expected },
  disk: { type: 'bytes', read: ({ plan }) => plan?.totals.diskBytes },
  machine: { type: 'text', read: ({ plan }) => plan?.machine.name },
  memory: { type: 'bytes', read: ({ plan }) => plan?.machine.memoryBytes },
  /** Of the production checklist: what something written in the file would close. */
  open_checklist_items: { type: 'number', read: ({ checklist }) => checklist?.open },
  /** No limit is broken; one that is known only after a run is not. */
  within_budget: { type: 'boolean', read: ({ plan }) => plan?.budget.every(({ holds }) => holds !== false) },
};

/** `plan.STAGE.…` */
export const PLANNED_STAGE: Fields<PlannedStage> = {
  kind: { type: 'text', read: ({ kind }) => kind },
  action: { type: 'text', words: ['run', 'resume', 'cached'], read: ({ action }) => action },
  peak_memory: { type: 'bytes', read: ({ peak }) => peak?.measured ?? peak?.bytes },
  wall_time: { type: 'seconds', read: ({ seconds }) => seconds?.expected },
  disk: { type: 'bytes', read: ({ diskBytes }) => diskBytes },
  rows: { type: 'number', read: ({ scale }) => scale?.rows },
  tokens: { type: 'tokens', read: ({ scale }) => scale?.tokens },
  supervised_tokens: { type: 'tokens', read: ({ scale }) => scale?.supervisedTokens },
  tokens_seen: { type: 'tokens', read: ({ scale }) => scale?.tokensSeen },
  steps: { type: 'steps', read: ({ scale }) => scale?.steps },
  trainable_parameters: { type: 'number', read: ({ scale }) => scale?.trainableParameters },
  total_parameters: { type: 'number', read: ({ scale }) => scale?.totalParameters },
};

/** `plan.STAGE.chosen.…`: what the planner decided for a train stage. */
export const CHOSEN: Fields<PlannedStage> = Object.fromEntries(
  FIELDS.map((field): [string, Field<PlannedStage>] => [
    settingName(field.name),
    {
      ...typeOf(field.type),
      read: ({ chosen }) => (chosen === null ? undefined : fieldValue(field, chosen)),
    },
  ]),
);

function typeOf(type: SettingType): Pick<Field<PlannedStage>, 'type' | 'words'> {
  if (type.kind === 'enum') return { type: 'text', words: type.values };
  if (type.kind === 'quantity') return { type: type.units[0] === 'tokens' ? 'tokens' : 'number' };
  return { type: type.kind === 'boolean' ? 'boolean' : 'number' };
}

/** `program.…` */
export const PROGRAM: Fields<Facts> = {
  valid: { type: 'boolean', read: (facts) => !hasError(facts) },
  stages: { type: 'number', read: ({ compiled }) => compiled.program?.stages.length },
};

const RUN_STATUS = ['done', 'failed', 'gate_failed', 'budget_exceeded', 'interrupted'] as const;

/** `run.…` of the run as a whole. */
export const RUN: Fields<RunResult> = {
  status: { type: 'text', words: RUN_STATUS, read: ({ status }) => status },
  wall_time: { type: 'seconds', read: ({ seconds }) => seconds },
  peak_memory: {
    type: 'bytes',
    read: ({ stages }) => Math.max(0, ...stages.map(({ peakMemoryBytes }) => peakMemoryBytes)),
  },
};

/** `run.STAGE.…`, besides what the stage measures. */
export const RUN_STAGE: Fields<StageSummary> = {
  status: {
    type: 'text',
    words: ['done', 'cached', 'failed', 'blocked', 'ended'],
    read: ({ status }) => status,
  },
  wall_time: { type: 'seconds', read: ({ seconds }) => seconds },
  peak_memory: { type: 'bytes', read: ({ peakMemoryBytes }) => peakMemoryBytes },
};

/** The first words of names: what an expectation can look at. */
export const ROOTS: readonly Need[] = ['program', 'plan', 'run'];
