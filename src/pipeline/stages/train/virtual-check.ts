/** What does not go with virtual tokens: a prompt, or a prefix. */
import {
  prefixTooLong,
  prefixWithout,
  promptTooLong,
  promptWithout,
  startContradicts,
  startWithout,
} from '../../../language/diagnostics/catalogue/adapters.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { isSet } from './lora.js';
import type { LoraCase } from './lora-case.js';

/** Nothing of a stage that trains none. */
export function virtualProblems(given: LoraCase): readonly Diagnostic[] {
  const { prompt, prefix } = settingsOf(given.stage, 'train');
  if ((prompt ?? given.lora.virtualTokens) !== undefined) return promptProblems(given);
  return (prefix ?? given.lora.prefix) === undefined ? [] : prefixProblems(given);
}

/** A prompt excludes low-rank factors, and every text needs its own. It may come from an adapter to continue from. */
function promptProblems({ stage, config, lora: taken, at }: LoraCase): readonly Diagnostic[] {
  const { lora, prompt, batch, start } = settingsOf(stage, 'train');
  const own = prompt === undefined ? 'start' : 'prompt';
  const tokens = taken.virtualTokens ?? 0;
  const factors = Object.keys(lora).filter((field) => isSet(stage.origins, `lora.${field}`));
  const without: readonly (readonly [string, string, string])[] = [
    ...(stage.preset === 'full' ? [[own, 'using full', 'it trains every weight'] as const] : []),
    ...(start === undefined || prompt === undefined
      ? []
      : [['start', 'start', 'a prompt starts untrained'] as const]),
    ...(batch.packing
      ? [['batch.packing', 'batch.packing', 'every text has the virtual tokens before it'] as const]
      : []),
    ...factors.map((field) => [`lora.${field}`, `lora.${field}`, 'there are no low-rank factors'] as const),
  ];
  const contradictions = without.map(([path, setting, why]) => promptWithout(at(path), setting, why));
  if (contradictions.length > 0) return contradictions;
  return tokens < config.maxPositions
    ? []
    : [promptTooLong(at(prompt === undefined ? own : 'prompt.tokens'), tokens, config.maxPositions)];
}

/** A prefix excludes them, too. It may continue from another prefix, whose keys and values are then trained themselves. */
function prefixProblems({
  stage,
  config,
  lora: { prefix: taken },
  start,
  at,
}: LoraCase): readonly Diagnostic[] {
  const { lora, prefix } = settingsOf(stage, 'train');
  const has = (path: string): boolean => isSet(stage.origins, path);
  const own = prefix === undefined ? 'start' : 'prefix';
  const ownTensors = 'the keys and values are those of the adapter';
  const without: readonly (readonly [string, string])[] = [
    ...(stage.preset === 'full' ? [['using full', 'it trains every weight'] as const] : []),
    ...Object.keys(lora)
      .filter((field) => has(`lora.${field}`))
      .map((field) => [`lora.${field}`, 'there are no low-rank factors'] as const),
    ...(taken === undefined ? [['start', 'the adapter to continue from is not one'] as const] : []),
    ...(start === undefined
      ? []
      : ['prefix.projection', 'prefix.init'].filter(has).map((path) => [path, ownTensors] as const)),
  ];
  if (without.length > 0)
    return without.map(([setting, why]) => {
      const place = setting === 'using full' ? own : setting;
      return setting.startsWith('prefix.')
        ? startWithout(at(place), setting, why)
        : prefixWithout(at(place), setting, why);
    });
  const tokens = taken?.tokens ?? 0;
  if (start !== undefined && prefix !== undefined && has('prefix.tokens') && prefix.tokens !== tokens)
    return [
      startContradicts(at('prefix.tokens'), {
        setting: 'prefix.tokens',
        set: String(prefix.tokens),
        adapter: start.label,
        taken: String(tokens),
      }),
    ];
  return tokens < config.maxPositions
    ? []
    : [prefixTooLong(at(prefix === undefined ? own : 'prefix.tokens'), tokens, config.maxPositions)];
}
