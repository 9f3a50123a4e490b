/** A program against the models and adapters that it names, as far as they are here. */

import { type ModelConfig, ModelError } from '../../../compute/models/types.js';
import { userProblem } from '../../../compute/models/user-problem.js';
import type { CheckedStage } from '../../../language/check/stages.js';
import type { Analysis } from '../../../language/compile.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Program, Stage } from '../../../language/ir/program.js';
import { placeOf } from '../../../language/lint/places.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { resolvedConfig } from '../open-models.js';
import { resolveModelCall } from '../resolve-models.js';
import { checkStageAdapter } from './adapters/checked-adapter.js';
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
    const key = JSON.stringify(stage.settings['base']);
    const base = bases.has(key) ? bases.get(key) : quietly(() => baseOf(stage, place));
    bases.set(key, base);
    return base;
  };
  const named = new Map(program.stages.map((stage) => [stage.name, stage]));
  const checks = new Map(analysis.stages.map((checked) => [checked.stage.name, checked]));
  return program.stages
    .flatMap((stage) => {
      const checked = checks.get(stage.name);
      if (checked === undefined) return [];
      if (stage.kind === 'merge') return whatCannotMerge(stage, named, checked, place);
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
    const isOfBase = error instanceof ModelError && error.path.startsWith(base.folder);
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    return isOfBase ? [] : [{ ...problem, at: at('start') }];
  }
}

/** Adapters of some kinds change no weight. */
function whatCannotMerge(
  merge: Stage,
  stages: ReadonlyMap<string, Stage>,
  checked: CheckedStage,
  place: Place,
): readonly Diagnostic[] {
  const reference = settingsOf(merge, 'merge').adapter;
  const trained = stages.get(reference?.stage ?? '');
  if (reference == null || trained?.kind !== 'train') return [];
  const settings = settingsOf(trained, 'train');
  const start = quietly(() => startOf(settings, place))?.opened.config;
  const { unmergeable } = stageAdapter(trainedKind(settings, start));
  return unmergeable === undefined
    ? []
    : [unmergeable(placeOf(checked, 'adapter').span, `${reference.stage}.${reference.port}`)];
}

/** `undefined` for the model of another stage. Throws for one that is not fetched, or cannot be read. */
function baseOf(stage: Stage, place: Place): Base | undefined {
  const { base } = settingsOf(stage, 'train');
  const model = 'call' in base ? resolveModelCall(base, place) : undefined;
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
