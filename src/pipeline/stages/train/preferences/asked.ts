/** What is asked of the reference, before anything is trained. */
import { globalBatches, hasReference, type TrainingSettings } from '../../../../compute/training/index.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import type { LearnedPreferences } from '../train-task.js';
import type { PreferenceSplit } from './preference-rows.js';

export interface AskedOfReference {
  readonly name: 'train' | 'valid';
  readonly source: PreferenceSplit;
  /** Rows whose own answers are asked for. */
  readonly rows: Iterable<number>;
  /** Batches whose prompts are asked for with the answers of their neighbours; gone through once. */
  readonly batches: Iterable<Uint32Array>;
  /** Texts that are asked for, at most. */
  readonly total: number;
}

/** `undefined` where an objective has no reference. */
export function askedOfReference(
  { objective, rows, validation }: LearnedPreferences,
  settings: TrainingSettings,
): { readonly train: AskedOfReference; readonly valid?: AskedOfReference } | undefined {
  if (!hasReference(objective)) return undefined;
  const withOthers = objective.kind === 'kto';
  const batches = globalBatches({ ...settings, rows: rows.count, lengthOf: (row) => rows.lengthOf(row) });
  const visited = () => steps(settings.totalSteps, (step) => batches.rowsOf(step));
  const own = new Set<number>();
  for (const batch of visited()) for (const row of batch) own.add(row);
  const train: AskedOfReference = {
    ...{ name: 'train', source: rows, rows: [...own].sort((a, b) => a - b) },
    batches: withOthers ? visited() : [],
    total: withOthers ? own.size + settings.totalSteps * settings.globalBatch : 2 * own.size,
  };
  if (validation === undefined) return { train };
  const held = Uint32Array.from({ length: validation.count }, (_, row) => row);
  const valid: AskedOfReference = {
    ...{ name: 'valid', source: validation, rows: held },
    batches: withOthers ? [held] : [],
    total: 2 * held.length,
  };
  return { train, valid };
}

/** `at` counts from 1. */
function* steps<T>(count: number, at: (step: number) => T): Iterable<T> {
  for (let step = 1; step <= count; step++) yield at(step);
}

/** Name of what is kept of it: a choice that is changed for want of memory may change the rows and the base. */
export const keptName = (
  { method, maxLength }: TrainPlan,
  { name }: Pick<AskedOfReference, 'name'>,
): string => `${method}-${maxLength}-${name}`;
