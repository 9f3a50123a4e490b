import type { HeldOut } from '../../../compute/evaluation/held-out.js';
import type { Reference } from '../../../language/ir/program.js';
import { openSplit } from '../format/open-split.js';
import type { StageContext } from '../stage.js';

/** A split of a format stage as the rows of an evaluation. */
export function openHeldOut(
  { stage, port }: Reference,
  { inputs, host }: Pick<StageContext, 'inputs' | 'host'>,
): HeldOut {
  const artefact = inputs[stage];
  if (artefact === undefined) throw new Error(`stage ${stage} produced no rows`);
  const split = openSplit(host, artefact.path, port);
  const texts = split.rows === 0 ? [] : [...split.texts()];
  return {
    tokens: {
      count: split.rows,
      lengthOf: (row) => split.lengths[row] ?? 0,
      read: (row) => split.read(row),
    },
    text: (row) => texts[row] ?? { prompt: '', answer: '', ...split.placeOf(row) },
    promptTokens: (row) => split.countsOf(row).prompt,
    stopIds: split.info.stopIds,
    padId: split.info.padId,
    ...(split.info.labels === undefined ? {} : { labels: split.info.labels }),
  };
}
