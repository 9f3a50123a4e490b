/** The adapter of a train stage: as it is set, or as it is taken from the adapter that the stage continues from. */

import { headConfig } from '../../../compute/models/adapters/classifier.js';
import { prefixConfig } from '../../../compute/models/adapters/prefix.js';
import { promptConfig } from '../../../compute/models/adapters/prompt.js';
import { savableTensors } from '../../../compute/models/adapters/saved.js';
import { type TargetSet, targetsOfSet } from '../../../compute/models/adapters/targets.js';
import type { LoraConfig, ModelConfig } from '../../../compute/models/types.js';
import type { OpenedAdapter } from '../../../compute/packaging/adapter-folder.js';
import { openAdapter } from '../../../compute/packaging/peft/read.js';
import type { Stage, Value } from '../../../language/ir/types.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';
import type { TrainPlan } from '../../../language/schemas/types.js';
import { type NamedAdapter, resolveAdapter } from '../adapters.js';
import type { StageContext } from '../stage.js';
import { bottleneckFields, bottleneckOf } from './bottleneck.js';

export type Place = Pick<StageContext, 'folder' | 'host'>;

/** The static type of the `targets` setting, which the schema's inference can't see through a union of a list. */
export type Targets = TargetSet | readonly string[];

export type Start = NamedAdapter & { readonly opened: OpenedAdapter };

/** The adapter that a stage continues from, if any. Throws a `ModelError` where it cannot be read. */
export function startOf({ start }: Pick<TrainSettings, 'start'>, place: Place): Start | undefined {
  const named = start && resolveAdapter(start, place);
  return named && { ...named, opened: openAdapter(place.host, named.folder) };
}

/** Whether somebody set a value: what an adapter was trained with counts where the file does not say. */
export const isSet = (origins: Stage['origins'], path: string): boolean =>
  (origins[path] ?? 'default') !== 'default';

/** Shape of the adapter over this base; with `labels` a head over them is trained beside it, or alone. */
export function loraOf(
  stage: Pick<Stage, 'settings' | 'origins' | 'preset' | 'kind'>,
  config: ModelConfig,
  start: Start | undefined,
  labels?: readonly string[],
): LoraConfig {
  if (labels === undefined) return adapterOf(stage, config, start);
  return stage.preset === 'head' ? headConfig(labels) : { ...adapterOf(stage, config, start), labels };
}

function adapterOf(
  stage: Pick<Stage, 'kind' | 'settings' | 'origins'>,
  config: ModelConfig,
  start: Start | undefined,
): LoraConfig {
  const { adapter, lora, prefix, prompt } = settingsOf(stage, 'train');
  if (prompt !== undefined) return promptConfig(prompt.tokens);
  if (prefix !== undefined && start === undefined) {
    const { tokens, projection } = prefix;
    return prefixConfig(projection === undefined ? { tokens } : { tokens, projection });
  }
  if (start !== undefined) {
    const taken = start.opened.config;
    const dropout = dropoutSetting(taken);
    const set = taken.bottleneck === undefined ? lora.dropout : adapter?.dropout;
    return isSet(stage.origins, dropout) && set !== undefined ? { ...taken, dropout: set } : taken;
  }
  if (adapter !== undefined) return bottleneckOf(adapter, config);
  return {
    rank: lora.rank,
    alpha: lora.alpha,
    dropout: lora.dropout,
    targets: targetList(lora.targets as Targets, config),
    ...(lora.rslora ? { rslora: true } : {}),
    ...(lora.dora ? { dora: true } : {}),
    ...(lora.layers === undefined ? {} : { layers: lora.layers }),
    ...(lora.rank_pattern === undefined ? {} : { rankPattern: lora.rank_pattern }),
    ...(lora.alpha_pattern === undefined ? {} : { alphaPattern: lora.alpha_pattern }),
    ...(lora.modules_to_save === undefined
      ? {}
      : { modulesToSave: savedModules(lora.modules_to_save, config) }),
    ...(lora.init === 'pissa' ? { pissa: true } : {}),
  };
}

/** By the names that the family has for them. */
export const savedModules = (modules: readonly string[], config: ModelConfig): readonly string[] =>
  savableTensors(config)
    .filter(({ role }) => modules.includes(role === 'head' ? 'lm_head' : 'embed_tokens'))
    .map(({ module }) => module);

export const targetList = (targets: Targets, config: ModelConfig): readonly string[] =>
  typeof targets === 'string' ? targetsOfSet(config, targets) : targets;

/** The adapter that is trained: rank and alpha as chosen, the rest as set. */
export const chosenLora = (
  lora: LoraConfig,
  { rank, alpha }: Pick<TrainPlan, 'rank' | 'alpha'>,
): LoraConfig => ({
  ...lora,
  rank,
  alpha,
});

/** What an adapter says, by the settings that it stands for: `lora.rank`, `adapter.reduction`. */
export function takenSettings(
  lora: LoraConfig,
  config: ModelConfig,
): Readonly<Record<string, Value | undefined>> {
  const [family, fields] =
    lora.bottleneck === undefined
      ? ['lora', loraFields(lora)]
      : ['adapter', bottleneckFields(lora.bottleneck, config)];
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${family}.${name}`, value]));
}

/** Where the dropout of an adapter is set. */
export const dropoutSetting = ({ bottleneck }: LoraConfig): string =>
  bottleneck === undefined ? 'lora.dropout' : 'adapter.dropout';

const loraFields = (lora: LoraConfig): Readonly<Record<string, Value | undefined>> => ({
  rank: lora.rank,
  alpha: lora.alpha,
  targets: lora.targets,
  rslora: lora.rslora ?? false,
  dora: lora.dora ?? false,
  layers: lora.layers,
  rank_pattern: lora.rankPattern,
  alpha_pattern: lora.alphaPattern,
  modules_to_save: lora.modulesToSave,
});
