/** A program against the models and adapters that it names, as far as they are here. */

import { type ModelConfig, ModelError } from '../../../compute/models/types.js';
import { userProblem } from '../../../compute/models/user-problem.js';
import { openAdapter } from '../../../compute/packaging/adapters.js';
import { checkAdapter, checkOverForeign } from '../../../compute/packaging/check-base.js';
import type { CheckedStage } from '../../../language/check/stages.js';
import type { Analysis } from '../../../language/compile.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Program, Stage, Value } from '../../../language/ir/program.js';
import { isCall, isReference } from '../../../language/ir/values.js';
import { placeOf } from '../../../language/lint/places.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { resolvedConfig } from '../open-models.js';
import { resolveAdapter, resolveModelCall } from '../resolve-models.js';
import { checkStageAdapter, otherBase } from './adapters/checked-adapter.js';
import { type Place, startOf } from './adapters/definition.js';
import { adapterOf, stageAdapter, trainedKind } from './adapters/kinds.js';

/** A base that is not here yet is no mistake: what goes with it is looked at once it is. */
export function checkTraining(
  { program, analysis }: { readonly program?: Program; readonly analysis?: Analysis },
  host: Host,
): readonly Diagnostic[] {
  if (program === undefined || analysis === undefined) return [];
  const place = { folder: program.folder, host };
  const said = new Set<string>();
  // Most stages train the same base.
  const bases = new Map<string, Base | undefined>();
  const baseFor = (stage: Stage): Base | undefined => {
    const value = stage.settings[stage.kind === 'eval' ? 'model' : 'base'];
    const key = JSON.stringify(value);
    const base = bases.has(key) ? bases.get(key) : quietly(() => baseOf(value, place));
    bases.set(key, base);
    return base;
  };
  const named = new Map(program.stages.map((stage) => [stage.name, stage]));
  const checks = new Map(analysis.stages.map((checked) => [checked.stage.name, checked]));
  return program.stages
    .flatMap((stage) => {
      const checked = checks.get(stage.name);
      if (checked === undefined) return [];
      if (stage.kind === 'merge')
        return [
          ...whatCannotMerge(stage, named, checked, place),
          ...folderProblems(stage, baseFor(stage), checked, place),
        ];
      if (stage.kind === 'eval') return folderProblems(stage, baseFor(stage), checked, place);
      return stage.kind === 'train' ? stageProblems(stage, baseFor(stage), checked, place) : [];
    })
    .filter((problem) => {
      const key = JSON.stringify([problem.code, problem.at, problem.message]);
      const isNew = !said.has(key);
      said.add(key);
      return isNew;
    });
}

interface Base {
  readonly model: ModelConfig;
  readonly base: string;
  /** Absolute. */
  readonly folder: string;
}

function stageProblems(
  stage: Stage,
  base: Base | undefined,
  checked: CheckedStage,
  place: Place,
): readonly Diagnostic[] {
  if (base === undefined) return [];
  const at = (path: string) => placeOf(checked, path).span;
  try {
    const start = startOf(settingsOf(stage, 'train'), place);
    const adapter = adapterOf(stage, base.model, start);
    return checkStageAdapter({ stage, ...base, adapter, start, at });
  } catch (error) {
    // so is a base whose config is here and whose weights are not
    const isOfBase = isIn(error, base.folder);
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    return isOfBase ? [] : [{ ...problem, at: at('start') }];
  }
}

/** What is wrong with the adapter of a folder that a merge or an evaluation names, or does not go with its base. */
function folderProblems(
  stage: Stage,
  base: Base | undefined,
  checked: CheckedStage,
  place: Place,
): readonly Diagnostic[] {
  const { adapter } = stage.settings;
  const named = isCall(adapter) ? resolveAdapter(adapter, place) : undefined;
  if (named === undefined) return [];
  const at = placeOf(checked, 'adapter').span;
  try {
    const opened = openAdapter(place.host, named.folder);
    const { unmergeable } = stageAdapter(opened.config.kind);
    if (unmergeable !== undefined && stage.kind === 'merge') return [unmergeable(at, named.label)];
    if (base === undefined) return [];
    const { foreign } = base.model;
    if (foreign === undefined) checkAdapter(opened, base.model, opened.path);
    // codes have no shapes to compare
    else if (base.model.isInFourBits !== true) checkOverForeign(opened, foreign, opened.path);
    return otherBase(at, { ...named, opened }, base.base);
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    // one of the two folders may be in the other
    const folders = [base?.folder, named.folder].sort((a = '', b = '') => b.length - a.length);
    const found = folders.find((folder) => isIn(error, folder));
    return found !== undefined && found === base?.folder ? [] : [{ ...problem, at }];
  }
}

/** Whether what is wrong is so with a file of a folder. */
const isIn = (error: unknown, folder: string | undefined): boolean =>
  error instanceof ModelError && folder !== undefined && error.path.startsWith(folder);

/** Adapters of some kinds change no weight. */
function whatCannotMerge(
  merge: Stage,
  stages: ReadonlyMap<string, Stage>,
  checked: CheckedStage,
  place: Place,
): readonly Diagnostic[] {
  const { adapter: reference } = settingsOf(merge, 'merge');
  if (!isReference(reference)) return [];
  const trained = stages.get(reference.stage);
  if (trained?.kind !== 'train') return [];
  const settings = settingsOf(trained, 'train');
  const start = quietly(() => startOf(settings, place))?.opened.config;
  const { unmergeable } = stageAdapter(trainedKind(settings, start));
  return unmergeable === undefined
    ? []
    : [unmergeable(placeOf(checked, 'adapter').span, `${reference.stage}.${reference.port}`)];
}

/** `undefined` for the model of another stage. Throws for one that is not fetched, or cannot be read. */
function baseOf(value: Value | undefined, place: Place): Base | undefined {
  const model = isCall(value) ? resolveModelCall(value, place) : undefined;
  return model && { model: resolvedConfig(place.host, model), base: model.label, folder: model.folder };
}

/** What keeps a base from being read is told by the plan, which needs it. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (userProblem(error) === undefined) throw error;
    return undefined;
  }
}
