import {
  promptMerged,
  promptTooLong,
  promptWithout,
} from '../../../../language/diagnostics/catalogue/adapters.js';
import type { Diagnostic } from '../../../../language/diagnostics/types.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import { type AdapterCase, factorSettings, NO_FACTORS, type StageAdapter } from './definition.js';

/** A prompt may come from an adapter to continue from. */
export const prompt: StageAdapter<'prompt'> = {
  setting: 'prompt',
  config: ({ prompt: settings }) => ({ kind: 'prompt', tokens: settings?.tokens ?? 0 }),
  init: ({ prompt: settings }) => settings?.init,
  contradictions,
  problems: (given, { tokens }) =>
    tokens < given.model.maxPositions
      ? []
      : [promptTooLong(given.at(placeOf(given, 'prompt.tokens')), tokens, given.model.maxPositions)],
  fields: ({ tokens }) => ({ tokens }),
  unmergeable: promptMerged,
};

const placeOf = ({ stage }: AdapterCase, setting: string): string =>
  settingsOf(stage, 'train').prompt === undefined ? 'start' : setting;

/** A prompt excludes low-rank factors, and every text needs its own. */
function contradictions(given: AdapterCase): readonly Diagnostic[] {
  const { stage, start, at } = given;
  const settings = settingsOf(stage, 'train');
  const without: readonly (readonly [path: string, setting: string, why: string])[] = [
    ...(stage.preset === 'full'
      ? [[placeOf(given, 'prompt'), 'using full', 'it trains every weight'] as const]
      : []),
    ...(start === undefined || settings.prompt === undefined
      ? []
      : [['start', 'start', 'a prompt starts untrained'] as const]),
    ...(settings.batch.packing
      ? [['batch.packing', 'batch.packing', 'every text has the virtual tokens before it'] as const]
      : []),
    ...factorSettings(stage).map((path) => [path, path, NO_FACTORS] as const),
  ];
  return without.map(([path, setting, why]) => promptWithout(at(path), setting, why));
}
