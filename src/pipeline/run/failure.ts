import { userProblem } from '../../compute/models/user-problem.js';
import { isOutOfMemory } from '../../compute/training/out-of-memory.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Stage } from '../../language/ir/types.js';
import { outOfMemory } from './problems.js';

/** The diagnostic of an error that ended a stage; `undefined` for a bug. */
export function diagnosticOf(error: unknown, stage: Stage): Diagnostic | undefined {
  const found = userProblem(error);
  if (found !== undefined) return { at: stage.span, ...found };
  if (error instanceof Error && isOutOfMemory(error))
    return outOfMemory(stage, error.message.split('\n')[0] ?? '');
  return undefined;
}
