/** The names that an expectation can refer to: tables, from which types, values and messages come. */

import { isError } from '../../language/diagnostics/types.js';
import type { StageSummary } from '../../language/ir/events.js';
import type { SettingType } from '../../language/schemas/schema.js';
import type { PlannedStage } from '../../pipeline/planner/types.js';
import { FIELDS, fieldValue } from '../../pipeline/stages/train-plan/fields.js';
import { settingName } from '../../pipeline/stages/train-plan/old-names.js';
import type { Facts, Kind, Need, Ran, Scalar } from './types.js';

export interface Field<T> {
  readonly kind: Kind;
  /** What a text can be. */
  readonly words?: readonly string[];
  /** `undefined` or `null`: not known. */
  readonly read: (from: T) => Scalar | undefined;
}

export type Fields<T> = Readonly<Record<string, Field<T>>>;

const hasError = ({ diagnostics }: Pick<Facts, 'diagnostics'>): boolean => diagnostics.some(isError);

/** `plan.…` of the pipeline as a whole. */
export const PLAN: Fields<Facts> = {
  valid: { kind: 'boolean', read: ({ plan }) => plan?.valid ?? false },
  peak_memory: { kind: 'bytes', read: ({ plan }) => plan?.totals.peakBytes },
  wall_time: { kind: 'seconds', read: ({ plan }) => plan?.totals.seconds?.expected },
  disk: { kind: 'bytes', read: ({ plan }) => plan?.totals.diskBytes },
  machine: { kind: 'text', read: ({ plan }) => plan?.machine.name },
  memory: { kind: 'bytes', read: ({ plan }) => plan?.machine.memoryBytes },
  /** No limit is broken; one that is known only after a run is not. */
  within_budget: { kind: 'boolean', read: ({ plan }) => plan?.budget.every(({ holds }) => holds !== false) },
};

/** `plan.STAGE.…` */
export const PLANNED_STAGE: Fields<PlannedStage> = {
  kind: { kind: 'text', read: ({ kind }) => kind },
  action: { kind: 'text', words: ['run', 'resume', 'cached'], read: ({ action }) => action },
  peak_memory: { kind: 'bytes', read: ({ peak }) => peak?.measured ?? peak?.bytes },
  wall_time: { kind: 'seconds', read: ({ seconds }) => seconds?.expected },
  disk: { kind: 'bytes', read: ({ diskBytes }) => diskBytes },
  rows: { kind: 'number', read: ({ scale }) => scale?.rows },
  tokens: { kind: 'tokens', read: ({ scale }) => scale?.tokens },
  supervised_tokens: { kind: 'tokens', read: ({ scale }) => scale?.supervisedTokens },
  tokens_seen: { kind: 'tokens', read: ({ scale }) => scale?.tokensSeen },
  steps: { kind: 'steps', read: ({ scale }) => scale?.steps },
  trainable_parameters: { kind: 'number', read: ({ scale }) => scale?.trainableParameters },
  total_parameters: { kind: 'number', read: ({ scale }) => scale?.totalParameters },
};

/** `plan.STAGE.chosen.…`: what the planner decided for a train stage. */
export const CHOSEN: Fields<PlannedStage> = Object.fromEntries(
  FIELDS.map((field): [string, Field<PlannedStage>] => [
    settingName(field.name),
    {
      ...kindOf(field.type),
      read: ({ chosen }) => (chosen === null ? undefined : fieldValue(field, chosen)),
    },
  ]),
);

function kindOf(type: SettingType): Pick<Field<PlannedStage>, 'kind' | 'words'> {
  if (type.kind === 'enum') return { kind: 'text', words: type.values };
  if (type.kind === 'quantity') return { kind: type.units[0] === 'tokens' ? 'tokens' : 'number' };
  return { kind: type.kind === 'boolean' ? 'boolean' : 'number' };
}

/** `program.…` */
export const PROGRAM: Fields<Facts> = {
  valid: { kind: 'boolean', read: (facts) => !hasError(facts) },
  stages: { kind: 'number', read: ({ compiled }) => compiled.program?.stages.length },
};

const RUN_STATUS = ['done', 'failed', 'gate_failed', 'budget_exceeded', 'interrupted'] as const;

/** `run.…` of the run as a whole. */
export const RUN: Fields<Ran> = {
  status: { kind: 'text', words: RUN_STATUS, read: ({ status }) => status },
  wall_time: { kind: 'seconds', read: ({ seconds }) => seconds },
  peak_memory: {
    kind: 'bytes',
    read: ({ stages }) => Math.max(0, ...stages.map(({ peakMemoryBytes }) => peakMemoryBytes)),
  },
};

/** `run.STAGE.…`, besides what the stage measures. */
export const RUN_STAGE: Fields<StageSummary> = {
  status: { kind: 'text', words: ['done', 'cached', 'failed', 'blocked'], read: ({ status }) => status },
  wall_time: { kind: 'seconds', read: ({ seconds }) => seconds },
  peak_memory: { kind: 'bytes', read: ({ peakMemoryBytes }) => peakMemoryBytes },
};

/** The first words of names: what an expectation can look at. */
export const ROOTS: readonly Need[] = ['program', 'plan', 'run'];
