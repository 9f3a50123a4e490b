import type { Diagnostic } from '../diagnostics/types.js';
import type { Stage } from '../ir/types.js';
import { userProblem } from '../models/user-problem.js';
import { outOfMemory } from './problems.js';

/** How native code and V8 say that an allocation failed. */
const NO_MEMORY = /bad_alloc|failed to allocate memory|Array buffer allocation failed|ENOMEM|out of memory/i;

/** The diagnostic of an error that ended a stage; `undefined` for a bug. */
export function diagnosticOf(error: unknown, stage: Stage): Diagnostic | undefined {
  const found = userProblem(error);
  if (found !== undefined) return { at: stage.span, ...found };
  if (error instanceof Error && NO_MEMORY.test(error.message))
    return outOfMemory(stage, error.message.split('\n')[0] ?? '');
  return undefined;
}
