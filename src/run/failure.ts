import type { Diagnostic } from '../diagnostics/types.js';
import type { Stage } from '../ir/types.js';
import { userProblem } from '../models/user-problem.js';
import { isOutOfMemory } from '../training/out-of-memory.js';
import { outOfMemory } from './problems.js';

/** The diagnostic of an error that ended a stage; `undefined` for a bug. */
export function diagnosticOf(error: unknown, stage: Stage): Diagnostic | undefined {
  const found = userProblem(error);
  if (found !== undefined) return { at: stage.span, ...found };
  if (error instanceof Error && isOutOfMemory(error))
    return outOfMemory(stage, error.message.split('\n')[0] ?? '');
  return undefined;
}
