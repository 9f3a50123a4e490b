import type { AdapterConfig } from '../../../../compute/models/adapters/config.js';
import type { ModelConfig } from '../../../../compute/models/types.js';
import { type Diagnostic, isError, UserError } from '../../../../language/diagnostics/types.js';
import type { Stage } from '../../../../language/ir/types.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import { checkTask } from '../row-labels.js';
import type { AdapterCase } from './definition.js';
import { adapterOf, adapterProblems } from './kinds.js';
import { type Place, startOf } from './start.js';
import { startProblems } from './start-problems.js';

/** Throws a `ModelError` where the adapter to continue from does not fit the base. */
export function checkStageAdapter(given: AdapterCase): readonly Diagnostic[] {
  const problems = adapterProblems(given);
  if (problems.length > 0 || given.start === undefined) return problems;
  return startProblems(given, given.start);
}

/**
 * The adapter of a stage, once it is known to go with the base; `labels` are those of its rows. Throws a `UserError` with
 * the first thing that does not, or a `ModelError` where the adapter to continue from cannot be read.
 */
export function checkedAdapter(
  stage: Stage,
  { config: model, label: base }: { readonly config: ModelConfig; readonly label: string },
  place: Place,
  labels?: readonly string[],
): AdapterConfig {
  checkTask(stage, { config: model, label: base }, labels);
  const start = startOf(settingsOf(stage, 'train'), place);
  const adapter = adapterOf(stage, model, start, labels);
  const given = { stage, model, base, adapter, start, at: () => stage.span };
  const problem = checkStageAdapter(given).find(isError);
  if (problem !== undefined) throw new UserError(problem);
  return adapter;
}
