/** What can go wrong in training, as diagnostics. */
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';

/** What stopped being a number: seen first in this order. */
type NotFinite = 'loss' | 'gradient norm' | 'validation loss';

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
