import type { AnyModel } from '../../../compute/models/any-model.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import { MOST_PROBES, PROBE_TOKENS } from '../../../compute/packaging/merge/proof.js';
import type { Reference } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { openSplit } from '../format/split-files.js';
import type { Artefact, StageContext } from '../stage.js';

/** For a merge without rows to take probes from. */
const TEXTS = [
  'The quick brown fox jumps over the lazy dog.',
  'Permission is hereby granted, free of charge, to any person obtaining a copy',
  'Q: What is the capital of France?\nA:',
  '1, 1, 2, 3, 5, 8, 13,',
];

/** Tokens of these, about: of English text, one has some three characters. */
const TEXT_TOKENS = Math.ceil(TEXTS.join('').length / 3);

/** Tokens of all probes at most, or of fixed ones about. */
export const probeTokens = (isTrained: boolean): number =>
  isTrained ? MOST_PROBES * PROBE_TOKENS : TEXT_TOKENS;

/**
 * The first rows that the adapter was trained on, or fixed ones, for which alone the tokenizer is read; at least one
 * token each.
 */
export async function probeRows(
  trainer: Artefact | undefined,
  model: Pick<AnyModel, 'facts' | 'tokenizer'>,
  context: StageContext,
): Promise<readonly Int32Array[]> {
  const dataset = trainer && settingsOf(trainer.stage, 'train').dataset;
  const most = Math.min(PROBE_TOKENS, model.facts.maxPositions);
  const rows =
    dataset === undefined || !(dataset.stage in context.inputs) ? [] : trainingRows(dataset, context);
  const ids = rows.length > 0 ? rows : fixedRows(await model.tokenizer());
  return ids.map((row) => row.slice(0, most)).filter(({ length }) => length > 0);
}

function fixedRows(tokenizer: Tokenizer): readonly Int32Array[] {
  return tokenizer.idsOnly === true
    ? [Int32Array.from({ length: PROBE_TOKENS }, (_, at) => (7 * at + 1) % tokenizer.vocabSize)]
    : TEXTS.map((text) => tokenizer.encode(text));
}

function trainingRows({ stage, port }: Reference, { inputs, host }: StageContext): readonly Int32Array[] {
  const path = inputs[stage]?.path;
  if (path === undefined) return [];
  const split = openSplit(host, path, port);
  return Array.from({ length: Math.min(MOST_PROBES, split.rows) }, (_, row) => split.read(row).ids);
}
