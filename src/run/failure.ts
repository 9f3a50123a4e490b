import { type Diagnostic, UserError } from '../diagnostics/types.js';
import type { Stage } from '../ir/types.js';
import { ModelError } from '../models/types.js';
import { HostError } from '../source/host.js';
import { cannotRead, modelProblem, outOfMemory } from './problems.js';

/** How native code and V8 say that an allocation failed. */
const NO_MEMORY = /bad_alloc|failed to allocate memory|Array buffer allocation failed|ENOMEM|out of memory/i;

/** The diagnostic of an error that a user can cause, in any command; `undefined` for a bug. */
export function userProblem(error: unknown): Diagnostic | undefined {
  if (error instanceof UserError) return error.diagnostic;
  if (error instanceof ModelError) return modelProblem(error);
  if (error instanceof HostError) return cannotRead(error);
  return undefined;
}

/** The same of an error that ended a stage. */
export function diagnosticOf(error: unknown, stage: Stage): Diagnostic | undefined {
  const found = userProblem(error);
  if (found !== undefined) return { at: stage.span, ...found };
  if (error instanceof Error && NO_MEMORY.test(error.message))
    return outOfMemory(stage, error.message.split('\n')[0] ?? '');
  return undefined;
}
