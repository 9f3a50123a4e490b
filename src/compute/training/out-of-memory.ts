import { OutOfMemoryError } from '../tensor/out-of-memory.js';

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
