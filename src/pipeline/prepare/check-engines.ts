/** What `ftpc check` says of engines: which of them can compute with each model, and what the one of this file cannot take. */
import { ModelError, type ModelErrorCode } from '../../compute/models/types.js';
import { userProblem } from '../../compute/models/user-problem.js';
import type { CompileResult } from '../../language/compile.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { ENGINE_NAMES, type EngineName } from '../../language/ir/engines.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { isCall } from '../../language/ir/values.js';
import { repositoryOf } from '../../language/schemas/repositories.js';
import { valueAt } from '../../language/schemas/setting-paths.js';
import type { Span } from '../../language/source/span.js';
import { modelSettings, type NamedModel, namedModel } from './named-models.js';
import { engineRefusals, settingSpan } from './refusals.js';

/** A model that a stage names, as far as its files say what can compute with it. */
export interface ModelEngines {
  readonly stage: string;
  readonly setting: string;
  /** As the file has it. */
  readonly model: string;
  /** ftpc's name for the family or, where it has no graph, `model_type`. */
  readonly architecture: string;
  readonly engines: readonly EngineName[];
  /** The one that this file is computed by on this machine. */
  readonly engine: EngineName;
  readonly at: Span;
}

interface EngineCheck {
  /** Each place in the text once. */
  readonly models: readonly ModelEngines[];
  readonly diagnostics: readonly Diagnostic[];
}

type Checked = Required<Pick<CompileResult, 'program' | 'analysis'>>;

/** Nothing is asked of a Python where the file says which engine it wants. */
export async function checkEngines({ program, analysis }: CompileResult, host: Host): Promise<EngineCheck> {
  if (program === undefined || analysis === undefined) return { models: [], diagnostics: [] };
  const checked = { program, analysis };
  const found = lookAtModels(checked, host);
  const problems = found.flatMap(({ problem }) => problem ?? []);
  const named = found.flatMap(({ model, ...place }) => (model === undefined ? [] : [{ ...place, model }]));
  const isPlain = named.every(({ model }) => model.config.foreign === undefined) && !asksForEngine(program);
  if (isPlain) return { models: named.map((one) => enginesOf(one, 'embedded')), diagnostics: problems };
  const { engineOfFile } = await import('./engine.js');
  const { engine, isAsked } = await engineOfFile(host, checked);
  const refused = engineRefusals({ ...checked, host, engine, isAsked });
  return { models: named.map((one) => enginesOf(one, engine.name)), diagnostics: [...problems, ...refused] };
}

const asksForEngine = ({ budgets }: Program): boolean =>
  budgets.some(({ settings }) => settings['engine'] !== undefined);

interface Place {
  readonly stage: Stage;
  readonly setting: string;
  readonly at: Span;
}

type Look = Place & { readonly model?: NamedModel; readonly problem?: Diagnostic };

/** A model that is not here is no mistake yet; one that is here, and that no engine can read, is. */
function lookAtModels({ program, analysis }: Checked, host: Host): readonly Look[] {
  const seen = new Set<string>();
  return program.stages.flatMap((stage) =>
    modelSettings(stage).flatMap((setting): readonly Look[] => {
      const at = settingSpan(analysis, stage, setting);
      const place = `${setting} ${at.file} ${at.start} ${JSON.stringify(valueAt(stage.settings, setting))}`;
      if (seen.has(place)) return [];
      seen.add(place);
      return [{ stage, setting, at, ...readOrProblem(stage, setting, { program, host, at }) }];
    }),
  );
}

/** Of what is wrong with a model's own description. */
const UNREADABLE: ReadonlySet<ModelErrorCode> = new Set([
  'model_config',
  'model_unsupported',
  'gguf_invalid',
  'gguf_unsupported',
]);

function readOrProblem(
  { name, settings }: Stage,
  setting: string,
  { program, host, at }: { readonly program: Program; readonly host: Host; readonly at: Span },
): Pick<Look, 'model' | 'problem'> {
  const value = valueAt(settings, setting);
  try {
    const model = namedModel(value, { program, host });
    return model === undefined ? {} : { model };
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    // what the cache has of the Hub is verified, and fetched again, by who plans
    const isTheirs = isCall(value) && repositoryOf(value) === undefined;
    return isTheirs && error instanceof ModelError && UNREADABLE.has(error.code)
      ? {
          problem: {
            ...problem,
            related: [{ at, message: `the ${setting.split('.').at(-1)} of \`${name}\`` }],
          },
        }
      : {};
  }
}

function enginesOf(
  { stage, setting, at, model }: Place & { readonly model: NamedModel },
  engine: EngineName,
): ModelEngines {
  const { label, isMade, config } = model;
  const { architecture, foreign } = config;
  return {
    ...{ stage: stage.name, setting, model: label, at, engine },
    architecture: foreign?.modelType ?? architecture,
    engines: ENGINE_NAMES.filter((name) => foreign === undefined || (name === 'accelerate' && !isMade)),
  };
}
