import { hostError, modelError } from '../../language/diagnostics/catalogue/files.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { HostError } from '../../language/host/host.js';
import { OutOfMemoryError } from '../tensor/out-of-memory.js';
import { ModelError } from './types.js';

/** The diagnostic of an error that a user can cause, in any command or stage; `undefined` for a bug. */
export function userProblem(error: unknown): Diagnostic | undefined {
  if (error instanceof UserError) return error.diagnostic;
  if (error instanceof OutOfMemoryError) return error.refused.diagnostic;
  if (error instanceof ModelError) return modelError(error);
  if (error instanceof HostError) return hostError(error);
  return undefined;
}
