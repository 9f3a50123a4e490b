/** Settings of a stage that contradict the adapter that it continues from. */

import { adaptedProjections } from '../../../compute/models/adapters/layout.js';
import type { LoraConfig, ModelConfig } from '../../../compute/models/types.js';
import { checkAdapter } from '../../../compute/packaging/peft/read.js';
import {
  baseDiffers,
  startContradicts,
  startWithout,
} from '../../../language/diagnostics/catalogue/adapters.js';
import { bottleneckWithout } from '../../../language/diagnostics/catalogue/bottlenecks.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { Value } from '../../../language/ir/types.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { isSet, type Start, savedModules, type Targets, takenSettings, targetList } from './lora.js';
import type { LoraCase } from './lora-case.js';

/** Throws a `ModelError` where the adapter does not fit the base. */
export function startProblems({ stage, config, base, at }: LoraCase, start: Start): readonly Diagnostic[] {
  if (stage.preset === 'full') return [startWithout(at('start'), 'using full', 'it trains no adapter')];
  checkAdapter(start.opened, config, start.opened.path);
  const { lora, adapter } = settingsOf(stage, 'train');
  const taken = start.opened.config;
  const written = (record: Readonly<Record<string, unknown>> | undefined, name: string): readonly string[] =>
    Object.keys(record ?? {})
      .map((field) => `${name}.${field}`)
      .filter((path) => isSet(stage.origins, path));
  if (taken.bottleneck === undefined && adapter !== undefined)
    return [startWithout(at('adapter'), 'adapter', 'the adapter to continue from has no bottlenecks')];
  const [factor] = written(lora, 'lora');
  if (taken.bottleneck !== undefined && factor !== undefined)
    return [bottleneckWithout(at(factor), factor, 'there are no low-rank factors')];
  const family = taken.bottleneck === undefined ? 'lora' : 'adapter';
  if (isSet(stage.origins, `${family}.init`))
    return [startWithout(at(`${family}.init`), 'init', 'the weights are those of the adapter')];
  const values = (family === 'lora' ? lora : (adapter ?? {})) as Readonly<Record<string, Value | undefined>>;
  const same: Readonly<Record<string, (value: Value) => boolean>> = {
    targets: () => sameCover(config, taken, targetList(lora.targets as Targets, config)),
    modules_to_save: () =>
      shown(savedModules(lora.modules_to_save ?? [], config)) === shown(taken.modulesToSave),
    where: () => shown([...(adapter?.where ?? [])].sort()) === shown(taken.bottleneck?.places),
  };
  const contradictions = Object.entries(takenSettings(taken, config)).flatMap(([setting, value]) => {
    const field = setting.slice(family.length + 1);
    const set = values[field];
    if (!isSet(stage.origins, setting) || set === undefined) return [];
    if (same[field]?.(set) ?? shown(set) === shown(value)) return [];
    return [
      startContradicts(at(setting), {
        setting,
        set: shown(set),
        adapter: start.label,
        taken: shown(value),
      }),
    ];
  });
  const own = start.opened.base.name;
  const renamed = own !== null && own !== '' && lastPart(own) !== lastPart(base);
  return [
    ...contradictions,
    ...(renamed ? [baseDiffers(at('start'), { adapter: start.label, own, base })] : []),
  ];
}

/** Whether two lists of targets select the same linear layers. */
function sameCover(config: ModelConfig, taken: LoraConfig, targets: readonly string[]): boolean {
  const cover = (lora: LoraConfig): string =>
    adaptedProjections(config, lora)
      .map(({ path }) => path)
      .join();
  return cover(taken) === cover({ ...taken, targets });
}

const shown = (value: Value | undefined): string =>
  value === undefined
    ? 'none'
    : Array.isArray(value)
      ? `[${value.map((item: Value) => String(item)).join(', ')}]`
      : value !== null && typeof value === 'object'
        ? `{ ${Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, field]) => `${name}: ${String(field)}`)
            .join(', ')} }`
        : String(value);

const lastPart = (name: string): string => (name.replace(/\/+$/, '').split('/').at(-1) ?? '').toLowerCase();
