/** What a training is watched by: the loss of rows that it does not train on, and what it answers to them. */

import type { Decoder } from '../models/decoder/types.js';
import type { TokenRows } from './batch.js';
import { notFinite } from './failures.js';
import { preferenceLoss } from './objectives/batch-loss.js';
import type { PreferenceLearning } from './objectives/learning.js';
import type { AnswersMeasured, PreferenceFigures, RunningState, TrainingState, Validation } from './state.js';
import { validationLoss } from './step.js';

export interface ValidationSettings {
  readonly every: number;
  /** Steps between two validations; there is one after the last step too. Default: `every`. */
  readonly validateEvery?: number;
  /** What the best validation is best by; default: the loss, of which less is better. */
  readonly best?: { readonly metric: string; readonly higherIsBetter: boolean };
  /** Training ends when answers repeat themselves. Default: it goes on. */
  readonly endsRepeating?: boolean;
  readonly totalSteps: number;
}

/** Throws `signal`'s reason. `loss`: of the same validation. */
export type MeasureAnswers = (loss: number) => Promise<AnswersMeasured>;

export const validatesAt = (
  step: number,
  { every, validateEvery = every }: Pick<ValidationSettings, 'every' | 'validateEvery'>,
): boolean => step % validateEvery === 0;

interface ValidateOptions {
  readonly decoder: Decoder;
  readonly validation?: TokenRows;
  readonly preferences?: PreferenceLearning;
  readonly measureAnswers?: MeasureAnswers;
  readonly padId: number;
  readonly settings: ValidationSettings & { readonly microBatch: number; readonly rate: number };
  emit(event: { readonly type: 'validation'; readonly best: boolean } & Validation): void;
}

/** Validates the state as it is now. Throws a `UserError` for a loss that is not finite. */
export async function validate(
  options: ValidateOptions,
  state: RunningState,
  pause: () => Promise<void>,
): Promise<void> {
  const { measureAnswers, settings, emit } = options;
  const found = await measuredLoss(options, pause);
  if (found === undefined) return;
  const { step } = state;
  const { loss } = found;
  if (!Number.isFinite(loss))
    throw notFinite('validation loss', loss, step, state.steps.at(-1)?.learningRate ?? settings.rate);
  const measured: Validation = { step, ...found, ...(await measureAnswers?.(loss)) };
  emit({ type: 'validation', ...measured, best: takeIn(state, measured, settings) });
}

/** `undefined` where there is nothing to watch. */
async function measuredLoss(
  { decoder, validation, preferences, padId, settings: { microBatch } }: ValidateOptions,
  pause: () => Promise<void>,
): Promise<Omit<Validation, 'step'> | undefined> {
  const input = { decoder, microBatch, padId, pause };
  if (preferences === undefined) {
    if (validation === undefined || validation.count === 0) return undefined;
    return { loss: await validationLoss({ ...input, source: validation }) };
  }
  const { objective, validation: source, validationReferences: references } = preferences;
  if (source === undefined || source.count === 0) return undefined;
  const all = Uint32Array.from({ length: source.count }, (_, row) => row);
  const { loss, preference } = await preferenceLoss({ ...input, objective, source, references }, all);
  return { loss, metrics: named(preference) };
}

/** As metrics of the validation are called. */
const named = ({ chosen, rejected, accuracy, kl }: PreferenceFigures): Readonly<Record<string, number>> => ({
  ...(chosen !== undefined && { reward_chosen: chosen }),
  ...(rejected !== undefined && { reward_rejected: rejected }),
  ...(accuracy !== undefined && { reward_accuracy: accuracy }),
  ...(kl !== undefined && { kl }),
});

/** Adds a validation to the state; whether it is the best so far. Answers that end a training are never the best. */
export function takeIn(
  state: RunningState,
  measured: Validation,
  settings: Pick<ValidationSettings, 'best' | 'endsRepeating'>,
): boolean {
  const counts = settings.endsRepeating !== true || measured.repetition?.tooMuch !== true;
  const best = counts && (state.best === null || isBetter(measured, state.best, settings));
  state.validations.push(measured);
  state.best = best ? measured : state.best;
  state.stale = best ? 0 : state.stale + 1;
  return best;
}

function isBetter(one: Validation, other: Validation, { best }: Pick<ValidationSettings, 'best'>): boolean {
  if (best === undefined) return one.loss < other.loss;
  const [a, b] = [one, other].map(({ metrics }) => metrics?.[best.metric] ?? Number.NaN) as [number, number];
  return best.higherIsBetter ? a > b : a < b;
}

/** Whether a training ends as its answers repeat themselves: in two validations in a row, or in the last one. */
export function repeats(
  { validations, step }: TrainingState,
  { endsRepeating, totalSteps }: ValidationSettings,
): boolean {
  if (endsRepeating !== true) return false;
  const [last, before] = [validations.at(-1), validations.at(-2)].map(
    (each) => each?.repetition?.tooMuch === true,
  );
  return last === true && (before === true || step >= totalSteps);
}
