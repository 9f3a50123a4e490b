import { adaptedProjections } from '../../../../compute/models/adapters/branches.js';
import type { LoraConfig } from '../../../../compute/models/adapters/config.js';
import { plainAdapter } from '../../../../compute/models/adapters/pissa.js';
import { type TargetSet, targetsOfSet } from '../../../../compute/models/adapters/targets.js';
import { savableTensors } from '../../../../compute/models/adapters/whole.js';
import type { ModelConfig } from '../../../../compute/models/types.js';
import type { StageAdapter } from './definition.js';
import { loraProblems } from './lora-problems.js';

/** Low-rank factors, which are trained where nothing else is asked for. */
export const lora: StageAdapter<'lora'> = {
  setting: 'lora',
  config: ({ lora: settings }, model, labels) => ({
    kind: 'lora',
    rank: settings.rank,
    alpha: settings.alpha,
    dropout: settings.dropout,
    targets: targetList(settings.targets as Targets, model),
    ...(settings.rslora ? { rslora: true } : {}),
    ...(settings.dora ? { dora: true } : {}),
    ...(settings.layers === undefined ? {} : { layers: settings.layers }),
    ...(settings.rank_pattern === undefined ? {} : { rankPattern: settings.rank_pattern }),
    ...(settings.alpha_pattern === undefined ? {} : { alphaPattern: settings.alpha_pattern }),
    ...(settings.modules_to_save === undefined
      ? {}
      : { modulesToSave: savedModules(settings.modules_to_save, model) }),
    ...(settings.init === 'pissa' ? { pissa: true } : {}),
    ...(labels === undefined ? {} : { labels }),
  }),
  init: ({ lora: { init } }) => (init === 'pissa' ? undefined : init),
  contradictions: () => [],
  problems: loraProblems,
  fields: (adapter) => ({
    rank: adapter.rank,
    alpha: adapter.alpha,
    dropout: adapter.dropout,
    targets: adapter.targets,
    rslora: adapter.rslora ?? false,
    dora: adapter.dora ?? false,
    layers: adapter.layers,
    rank_pattern: adapter.rankPattern,
    alpha_pattern: adapter.alphaPattern,
    modules_to_save: adapter.modulesToSave,
  }),
  agrees: {
    targets: ({ lora: { targets } }, taken, model) =>
      coverOf(model, taken) === coverOf(model, { ...taken, targets: targetList(targets as Targets, model) }),
    modules_to_save: ({ lora: { modules_to_save = [] } }, { modulesToSave = [] }, model) =>
      savedModules(modules_to_save, model).join() === modulesToSave.join(),
  },
  unmergeable: undefined,
  saved: (trained, { first }) => plainAdapter(trained, first),
};

/** The static type of the `targets` setting, which the schema's inference can't see through a union of a list. */
type Targets = TargetSet | readonly string[];

const targetList = (targets: Targets, model: ModelConfig): readonly string[] =>
  typeof targets === 'string' ? targetsOfSet(model, targets) : targets;

/** By the names that the family has for them. */
const savedModules = (modules: readonly string[], model: ModelConfig): readonly string[] =>
  savableTensors(model)
    .filter(({ role }) => modules.includes(role === 'head' ? 'lm_head' : 'embed_tokens'))
    .map(({ module }) => module);

/** The linear layers that targets select: different lists may select the same. */
const coverOf = (model: ModelConfig, adapter: LoraConfig): string =>
  adaptedProjections(model, adapter)
    .map(({ path }) => path)
    .join();
