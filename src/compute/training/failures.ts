/** What can go wrong in training: numbers that are not finite, too little memory, a loss that rises. */
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { OutOfMemoryError } from '../tensor/out-of-memory.js';
import type { StepRecord } from './state.js';

/** What stopped being a number: seen first in this order. */
export type NotFinite = 'loss' | 'gradient norm' | 'validation loss';

/** Whether training stopped because of {@link notFinite}. */
export const isNotFinite = (error: unknown): error is UserError =>
  error instanceof UserError && error.diagnostic.code === CODE;

const CODE = 'FTP0851';

export function notFinite(what: NotFinite, value: number, step: number, rate: number): UserError {
  const diagnostic: Diagnostic = {
    code: CODE,
    severity: 'error',
    message: `the ${what} of step ${step} is ${Number.isNaN(value) ? 'not a number' : 'infinite'}: training cannot continue`,
    notes: [
      `the learning rate of that step was ${rate}`,
      'earlier checkpoints are kept, but a run that resumes from them would fail in the same way',
    ],
    help:
      step <= 1
        ? 'check the weights of the base for values that are not finite, then the rows'
        : 'lower `rate` (a tenth is a good next try), lengthen `warmup`, or lower `clip`',
  };
  return new UserError(diagnostic);
}

/** A step that found no memory. The parameters are those of the step before it, so training can continue from there. */
export class StepOutOfMemoryError extends OutOfMemoryError {
  override readonly name = 'StepOutOfMemoryError';
  constructor(
    /** The optimiser step that was being computed, from 1. */
    readonly step: number,
    cause: OutOfMemoryError,
  ) {
    super(`out of memory in step ${step}: ${cause.message.split('\n')[0]}`, {
      ...cause.refused,
      diagnostic: undefined,
      cause,
    });
  }
}

/** Weight of the past in the smoothed loss. */
const MEMORY = 0.9;
/** Steps before anything is said: the smoothed loss is not yet settled. */
const SETTLED = 10;
/** A smoothed loss this much above its lowest value is worth mentioning. */
const FACTOR = 1.5;
const MARGIN = 0.5;

/** Gives, once and again after each new low, a sentence where training runs away; told of every step. */
export function divergenceWatch(
  history: readonly StepRecord[],
): (record: Pick<StepRecord, 'step' | 'loss'>) => string | undefined {
  let [weighted, weight] = [0, 0];
  let lowest = { step: 0, loss: Number.POSITIVE_INFINITY };
  let said = false;
  const look = ({ step, loss }: Pick<StepRecord, 'step' | 'loss'>): string | undefined => {
    weighted = MEMORY * weighted + (1 - MEMORY) * loss;
    weight = MEMORY * weight + (1 - MEMORY);
    const smooth = weighted / weight;
    if (smooth < lowest.loss) {
      lowest = { step, loss: smooth };
      said = false;
    }
    if (said || step < SETTLED || smooth <= lowest.loss * FACTOR + MARGIN) return undefined;
    said = true;
    return (
      `the training loss has risen from ${lowest.loss.toFixed(2)} (step ${lowest.step}) to ${smooth.toFixed(2)}: ` +
      'the learning rate may be too high'
    );
  };
  for (const record of history) look(record);
  return look;
}
