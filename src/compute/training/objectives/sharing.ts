/** Whether what texts begin with alike is computed once: where that is faster, and where it computes the same. */
import type { AdapterConfig } from '../../models/adapters/config.js';
import { dropoutOf } from '../../models/adapters/kinds.js';
import { prefixTokens } from '../../models/adapters/prefix.js';
import { promptTokens } from '../../models/adapters/prompt.js';
import { blueprintOf, projectionsOfModel } from '../../models/architectures/index.js';
import { turningLengthOf } from '../../models/decoder/positions.js';
import type { ModelConfig } from '../../models/types.js';
import { paddedLength } from '../batch.js';

/** `histogram[i]` rows have at most `16 · (i + 1)` tokens and more than `16 · i`. */
export interface CountedRows {
  readonly longest: number;
  readonly histogram: readonly number[];
}

const BIN = 16;

/** Texts, and of pairs the rows in which their prompt is computed once. */
export interface CountedTexts extends CountedRows {
  readonly joined?: CountedRows | undefined;
}

/** Of all pairs of a split or none, as their lengths say: a plan and a training decide alike. */
export const sharesPrompts = (
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
  texts: CountedTexts,
): boolean =>
  texts.joined !== undefined &&
  config.foreign === undefined &&
  dropoutOf(adapter) === 0 &&
  joinsExactly(config, adapter, texts.longest, texts.joined.longest) &&
  costOf(config, texts.joined) < WORTH * costOf(config, texts);

/**
 * Whether texts in one row have the losses that they have alone, but for what dropout draws for each. A text comes
 * after another one, which a window would slide over as well; texts that turn by the angles of long ones may differ in
 * that; and virtual tokens of a prompt are counted as tokens of one text.
 */
export function joinsExactly(
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
  longestText: number,
  longestRow: number,
): boolean {
  const blueprint = blueprintOf(config);
  const windows = Object.values(blueprint.blocks).map(
    ({ attention }) => attention.window ?? Number.POSITIVE_INFINITY,
  );
  const prefix = prefixTokens(adapter);
  return (
    promptTokens(adapter) === 0 &&
    prefix + longestRow <= Math.min(...windows) &&
    prefix + longestText <= turningLengthOf(blueprint)
  );
}

/** Below this share of the time it is worth it: the rest is in the error of the estimate. */
const WORTH = 0.95;

/**
 * How much longer a multiplication of attention takes than one of a linear layer: its products are small, and their
 * results are exponentiated.
 */
const ATTENTION = 3;

/** Multiplications of all rows, about; half of the scores of a row are masked. */
function costOf(config: ModelConfig, { histogram }: CountedRows): number {
  const linear = projectionsOfModel(config).reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  const attention = ATTENTION * config.layers * config.heads * config.headDim;
  return histogram.reduce((sum, count, bin) => {
    const length = paddedLength((bin + 1) * BIN);
    return sum + count * length * (linear + attention * length);
  }, 0);
}
