/** What bottleneck adapters do not go with: other settings, and the base. */

import { readsBehindNorm } from '../../../compute/models/adapters/bottleneck.js';
import type { BottleneckConfig } from '../../../compute/models/types.js';
import { layerUnknown } from '../../../language/diagnostics/catalogue/adapters.js';
import {
  bottleneckWithout,
  reductionTooHigh,
  sumBehindNorm,
} from '../../../language/diagnostics/catalogue/bottlenecks.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { isSet } from './lora.js';
import type { LoraCase } from './lora-case.js';

export function bottleneckProblems(
  { stage, config, at }: LoraCase,
  bottleneck: BottleneckConfig,
): readonly Diagnostic[] {
  const { lora, adapter, optimizer } = settingsOf(stage, 'train');
  const factors = Object.keys(lora).filter((field) => isSet(stage.origins, `lora.${field}`));
  const ratio = 'optimizer.loraplus_ratio';
  const without: readonly (readonly [string, string, string])[] = [
    ...(stage.preset === 'full' ? [['adapter', 'using full', 'it trains every weight'] as const] : []),
    ...factors.map((field) => [`lora.${field}`, `lora.${field}`, 'there are no low-rank factors'] as const),
    ...(Number(optimizer.args['loraplus_ratio'] ?? 1) === 1
      ? []
      : [[ratio, 'loraplus_ratio', 'there are no low-rank factors'] as const]),
  ];
  const contradictions = without.map(([path, setting, why]) => bottleneckWithout(at(path), setting, why));
  if (contradictions.length > 0) return contradictions;
  const { reduction } = bottleneck;
  return [
    ...(adapter?.layers ?? []).flatMap((layer, index) =>
      layer < config.layers ? [] : [layerUnknown(at(`adapter.layers.${index}`), layer, config.layers)],
    ),
    ...(reduction > config.hiddenSize
      ? [reductionTooHigh(at('adapter.reduction'), reduction, config.hiddenSize)]
      : []),
    ...(readsBehindNorm(config, bottleneck) ? [sumBehindNorm(at('adapter.kind'), config.architecture)] : []),
  ];
}
