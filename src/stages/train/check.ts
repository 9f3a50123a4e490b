/** A program against the models and adapters that it names, as far as they are here. */
import type { Analysis } from '../../compile.js';
import { prefixMerged, promptMerged } from '../../diagnostics/catalogue/adapters.js';
import { bottleneckMerged } from '../../diagnostics/catalogue/bottlenecks.js';
import type { Diagnostic } from '../../diagnostics/types.js';
import type { Program, Reference, Stage } from '../../ir/types.js';
import { placeOf } from '../../lint/places.js';
import { configAt } from '../../models/config-at.js';
import type { ModelConfig } from '../../models/types.js';
import { userProblem } from '../../models/user-problem.js';
import type { Host } from '../../source/host.js';
import { resolveModelCall } from '../model-places.js';
import { loraOf, startOf } from './lora.js';
import { loraProblems } from './lora-check.js';
import { trainSettings } from './schema.js';

/** A base that is not here yet is no mistake: what goes with it is looked at once it is. */
export function checkTraining(
  { program, analysis }: { readonly program?: Program; readonly analysis?: Analysis },
  host: Host,
): readonly Diagnostic[] {
  if (program === undefined || analysis === undefined) return [];
  const said = new Set<string>();
  // Most stages train the same base.
  const bases = new Map<string, Base | undefined>();
  const baseFor = (stage: Stage): Base | undefined => {
    const key = JSON.stringify(stage.settings['base']);
    if (!bases.has(key))
      bases.set(
        key,
        quietly(() => baseOf(stage, { folder: program.folder, host })),
      );
    return bases.get(key);
  };
  return program.stages
    .flatMap((stage) => {
      if (stage.kind === 'merge') return whatCannotMerge(stage, program, analysis, host);
      return stage.kind === 'train' ? stageProblems(stage, baseFor(stage), program, analysis, host) : [];
    })
    .filter((problem) => {
      const key = JSON.stringify([problem.code, problem.at, problem.message]);
      const isNew = !said.has(key);
      said.add(key);
      return isNew;
    });
}

interface Base {
  readonly config: ModelConfig;
  readonly base: string;
}

function stageProblems(
  stage: Stage,
  base: Base | undefined,
  { folder }: Program,
  analysis: Analysis,
  host: Host,
): readonly Diagnostic[] {
  const place = { folder, host };
  const checked = analysis.stages.find((candidate) => candidate.stage.name === stage.name);
  if (checked === undefined || base === undefined) return [];
  const at = (path: string) => placeOf(checked, path).span;
  try {
    const start = startOf(trainSettings(stage), place);
    const lora = loraOf(stage, base.config, start);
    return loraProblems({ stage, ...base, lora, start, at });
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    return [{ ...problem, at: at('start') }];
  }
}

/** Virtual tokens change no weight, and bottleneck adapters are not linear. */
function whatCannotMerge(
  merge: Stage,
  program: Program,
  analysis: Analysis,
  host: Host,
): readonly Diagnostic[] {
  const reference = merge.settings['adapter'] as Reference | null | undefined;
  const trained = program.stages.find(({ name }) => name === reference?.stage);
  const checked = analysis.stages.find(({ stage }) => stage.name === merge.name);
  if (reference == null || trained?.kind !== 'train' || checked === undefined) return [];
  const { prompt, prefix, adapter, ...settings } = trainSettings(trained);
  const start = quietly(() => startOf(settings, { folder: program.folder, host }))?.opened.config;
  const said = [placeOf(checked, 'adapter').span, `${reference.stage}.${reference.port}`] as const;
  if ((prompt ?? start?.virtualTokens) !== undefined) return [promptMerged(...said)];
  if ((prefix ?? start?.prefix) !== undefined) return [prefixMerged(...said)];
  return (adapter ?? start?.bottleneck) === undefined ? [] : [bottleneckMerged(...said)];
}

/** `undefined` for the model of another stage. Throws for one that is not fetched, or cannot be read. */
function baseOf(stage: Stage, place: { readonly folder: string; readonly host: Host }): Base | undefined {
  const { base } = trainSettings(stage);
  const model = 'call' in base ? resolveModelCall(base, place) : undefined;
  return model && { config: configAt(place.host, model.folder), base: model.label };
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
