import { userProblem } from '../../compute/models/user-problem.js';
import { OutOfMemoryError, translateHostError } from '../../compute/tensor/out-of-memory.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Stage } from '../../language/ir/program.js';
import { outOfMemory } from './run-diagnostics.js';

/** The diagnostic of an error that ended a stage; `undefined` for a bug. */
export function diagnosticOf(error: unknown, stage: Stage): Diagnostic | undefined {
  const found = userProblem(error);
  if (found !== undefined) return { at: stage.span, ...found };
  const failure = translateHostError(error);
  if (failure instanceof OutOfMemoryError) return outOfMemory(stage, failure.message.split('\n')[0] ?? '');
  return undefined;
}
