/** Data and format stages. */
import { isInJinja } from '../../../language/schemas/functions/template.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { bandsFor, similarityOf } from '../../stages/data/dedupe/near-copies.js';
import { scratchBytes } from '../../stages/data/scratch.js';
import { encodersOf } from '../memory/encoders.js';
import { dataPeak, formatPeak } from '../memory/rows.js';
import { fitsIn } from '../memory-budget.js';
import { dataSeconds, formatSeconds } from '../speed.js';
import { memoryBudgetOf } from '../train-stage.js';
import { here } from './place.js';
import type { Estimator } from './types.js';

export const dataEstimate: Estimator = async ({ context, stage }) => {
  const size = context.sources(stage.name);
  const { bytes, rows } = size;
  const settings = settingsOf(stage, 'data');
  const near = similarityOf(settings);
  const keys = near === undefined ? 0 : bandsFor(near).count;
  const heldOut = settings.split === undefined ? 0 : 1 - settings.split.train;
  return {
    peak: dataPeak(size, { near, heldOut, node: context.node }),
    seconds: here(context, dataSeconds(rows, bytes)),
    diskBytes: Math.ceil(1.3 * bytes + scratchBytes(rows, keys)),
  };
};

export const formatEstimate: Estimator = async ({ context, stage, limit, look }) => {
  const { from, model, template } = settingsOf(stage, 'format');
  const { bytes, rows } = context.limited(from.stage);
  const tokenizer = context.models.formatTokenizer(model);
  const lengths = await context.lengths(stage.name, 'all', look);
  const tokens = lengths?.tokens ?? bytes / 4;
  const size = {
    rows,
    bytes,
    tokens,
    isInJinja: isInJinja(template),
    tokenizer,
    node: context.node,
  };
  const encoders = encodersOf(context.threads, size, (peak) => fitsIn(peak, memoryBudgetOf(context, limit)));
  return {
    peak: formatPeak(size, encoders),
    ...(encoders > 0 && { encoders }),
    seconds: here(context, formatSeconds(rows, tokens, encoders)),
    diskBytes: Math.ceil(8 * tokens + 48 * rows + 1.1 * bytes),
  };
};
