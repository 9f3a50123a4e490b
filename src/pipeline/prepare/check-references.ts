/** Models that answers are compared with, as far as they are here: they know the tokens of the base, and write. */
import { userProblem } from '../../compute/models/user-problem.js';
import type { CompileResult } from '../../language/compile.js';
import { writesNothing } from '../../language/diagnostics/catalogue/references.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { isCall } from '../../language/ir/values.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import type { Span } from '../../language/source/span.js';
import { rootModel } from '../planner/stage-models.js';
import { openAnyResolved } from '../stages/open-models.js';
import { otherTokens, referenceSetting } from '../stages/train/preferences/reference-model.js';
import { settingSpan } from './refusals.js';

/** One that is not here yet is no mistake: its stage looks at it. */
export function checkReferences(
  { program, analysis }: Pick<CompileResult, 'program' | 'analysis'>,
  host: Host,
): readonly Diagnostic[] {
  if (program === undefined || analysis === undefined) return [];
  const found = new Map<string, Diagnostic>();
  for (const stage of program.stages) {
    if (stage.kind !== 'train') continue;
    const at = settingSpan(analysis, stage, 'objective.reference');
    // a matrix makes several stages of one block
    const key = JSON.stringify([at, stage.settings['base'], stage.settings['objective']]);
    const problem = found.has(key) ? undefined : problemOf(stage, program, host, at);
    if (problem !== undefined) found.set(key, problem);
  }
  return [...found.values()];
}

function problemOf(stage: Stage, program: Program, host: Host, at: Span): Diagnostic | undefined {
  const settings = settingsOf(stage, 'train');
  const setting = referenceSetting(settings);
  if (setting === undefined) return undefined;
  try {
    const [base, reference] = [settings.base, setting].map((value) => rootModel(program, value, host)?.model);
    if (base === undefined || reference === undefined) return undefined;
    // of what another stage makes, its rows say whether it writes
    if (isCall(setting) && openAnyResolved(host, reference).facts.labels !== undefined)
      return writesNothing(at, reference.label);
    return otherTokens(host, base, reference, at);
  } catch (error) {
    if (userProblem(error) === undefined) throw error;
    return undefined;
  }
}
