import { plainPrefix } from '../../../../compute/models/decoder/prefix.js';
import {
  prefixMerged,
  prefixTooLong,
  prefixWithout,
  startWithout,
} from '../../../../language/diagnostics/catalogue/adapters.js';
import type { Diagnostic } from '../../../../language/diagnostics/types.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import { type AdapterCase, factorSettings, isSet, NO_FACTORS, type StageAdapter } from './definition.js';

/** A prefix may continue from another one, whose keys and values are then trained themselves. */
export const prefix: StageAdapter<'prefix'> = {
  setting: 'prefix',
  config: ({ prefix: { tokens, projection } = { tokens: 0 } }) => ({
    kind: 'prefix',
    tokens,
    ...(projection === undefined ? {} : { projection }),
  }),
  init: ({ prefix: settings }) => settings?.init,
  contradictions,
  problems: (given, { tokens }) =>
    tokens < given.model.maxPositions
      ? []
      : [prefixTooLong(given.at(placeOf(given, 'prefix.tokens')), tokens, given.model.maxPositions)],
  fields: ({ tokens }) => ({ tokens }),
  unmergeable: prefixMerged,
  saved: async (trained, { runtime, model }) =>
    trained.config.projection === undefined ? trained : plainPrefix(await runtime(), model, trained),
};

const placeOf = ({ stage }: AdapterCase, setting: string): string =>
  settingsOf(stage, 'train').prefix === undefined ? 'start' : setting;

function contradictions(given: AdapterCase): readonly Diagnostic[] {
  const { stage, start, at } = given;
  const ownTensors = 'the keys and values are those of the adapter';
  const idle = ['prefix.projection', 'prefix.init'].filter(
    (path) => start !== undefined && isSet(stage.origins, path),
  );
  return [
    ...(stage.preset === 'full'
      ? [prefixWithout(at(placeOf(given, 'prefix')), 'using full', 'it trains every weight')]
      : []),
    ...factorSettings(stage).map((path) => prefixWithout(at(path), path, NO_FACTORS)),
    ...(start === undefined || start.opened.config.kind === 'prefix'
      ? []
      : [prefixWithout(at('start'), 'start', 'the adapter to continue from is not one')]),
    ...idle.map((path) => startWithout(at(path), path, ownTensors)),
  ];
}
