/** What can go wrong in training: numbers that are not finite, too little memory, a loss that rises. */
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { OutOfMemoryError } from '../tensor/out-of-memory.js';

/** What stopped being a number: seen first in this order. */
type NotFinite = 'loss' | 'gradient norm' | 'validation loss';

/** Whether training stopped because of {@link notFinite}. */
export const isNotFinite = (error: unknown): error is UserError =>
  error instanceof UserError && error.diagnostic.code === NOT_FINITE;

/** Whether training stopped because of {@link notFinite} or {@link diverged}. */
export const isDivergence = (error: unknown): error is UserError =>
  isNotFinite(error) || (error instanceof UserError && error.diagnostic.code === DIVERGED);

const NOT_FINITE = 'FTP0851';
const DIVERGED = 'FTP0854';

/** `why`: what the watch over the loss has seen. */
export const diverged = (why: string, step: number, rate: number): UserError =>
  new UserError({
    code: DIVERGED,
    severity: 'error',
    message: `training has diverged: ${why}`,
    notes: [
      `step ${step} had the learning rate ${rate}`,
      'earlier checkpoints are kept, but a run that resumes from them would diverge in the same way',
    ],
    help: 'lower `rate` (a tenth is a good next try) or lengthen `warmup`; `watch = { divergence: recover(rate: 50%) }` goes back to a good checkpoint with a lower rate, `watch = { divergence: warn }` goes on',
  });

/** The same of a training that has gone back as often as its file allows. */
export const divergedAgain = ({ diagnostic }: UserError, times: number): UserError =>
  new UserError({
    ...diagnostic,
    notes: [
      ...(diagnostic.notes ?? []),
      `it had gone back to a good checkpoint ${times === 1 ? 'once' : `${times} times`}, each time with a lower rate`,
    ],
    help: 'lower `rate` (a tenth is a good next try) or lengthen `warmup`; with more `times` or less of the `rate`, `recover` goes further back',
  });

/** The error of a loss or a norm that is not finite, with what to change. */
export function notFinite(what: NotFinite, value: number, step: number, rate: number): UserError {
  const diagnostic: Diagnostic = {
    code: NOT_FINITE,
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
