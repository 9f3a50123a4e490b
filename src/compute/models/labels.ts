/** The labels of a classifier as `config.json` has them: `id2label` and `label2id`. */

import type { Json } from '../../language/host/json.js';
import { FAMILIES } from './architectures/index.js';
import { problemType } from './label-names.js';
import type { ModelConfig } from './types.js';

export const labelFields = (labels: readonly string[]): Json => ({
  id2label: Object.fromEntries(labels.map((label, id) => [String(id), label])),
  label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
});

/**
 * What a `config.json` of transformers says about a classifier besides its shape. It reads the last token of a text that is not
 * `pad_token_id`: without one it takes a single text at a time.
 */
export const classifierFields = (config: ModelConfig, padId: number): Json => ({
  architectures: [FAMILIES[config.architecture].classifierName],
  ...labelFields(config.labels ?? []),
  pad_token_id: padId,
  problem_type: problemType(config.labels ?? []),
});

/** Whether two lists name and number the same labels. */
export const sameLabels = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** Some labels of a list that may be long, for people. */
export function someLabels(labels: readonly string[]): string {
  const shown = labels.slice(0, SHOWN).map((label) => `\`${label}\``);
  const more = labels.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
const SHOWN = 12;

/** The token that pads texts, where a model names none: the one that ends them. */
export const padIdOf = ({
  padTokenId,
  eosTokenIds,
}: Pick<ModelConfig, 'padTokenId' | 'eosTokenIds'>): number => padTokenId ?? eosTokenIds[0] ?? 0;

/**
 * Position of the token that a class is read at: the last one that does not pad (transformers,
 * `GenericForSequenceClassification`), or the first where all do.
 */
export const classPosition = (ids: Int32Array, padId: number): number =>
  Math.max(
    0,
    ids.findLastIndex((id) => id !== padId),
  );
