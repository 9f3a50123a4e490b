/** What the choices of questions take besides a pass, where each question is read by itself. */
import { readCapacity } from '../../../compute/evaluation/choice-losses.js';
import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { cacheBytesPerToken } from '../../../compute/evaluation/generation/generate.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { blueprintOf } from '../../../compute/models/architectures/index.js';
import { turningLengthOf } from '../../../compute/models/decoder/positions.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { HeldBytes } from '../../../compute/tensor/held-bytes.js';
import type { Lengths } from '../expected-rows.js';

/** The model that is asked, and where its tensors lie. */
interface Asked {
  readonly config: ModelConfig;
  readonly adapter?: AdapterConfig;
  readonly onDevice: boolean;
  readonly device?: object;
}

/** Questions and choices of each after which what waits for the collector comes round again. */
const ROUND = 4;

/**
 * Whether `choiceLosses` reads the questions of such rows: those of which one token is scored, as a letter is, and those that are too
 * long to have their choices in one row. Where choices are longer than a row of a batch has room for, it may be otherwise.
 */
export function readsChoices(
  { config, adapter, device, onDevice }: Asked,
  { longest, answers }: Pick<Lengths, 'longest' | 'answers'>,
): boolean {
  const isOfHost = device === undefined && !onDevice && config.foreign === undefined;
  if (!isOfHost || virtualTokensOf(adapter) > 0 || Number.isFinite(turningLengthOf(blueprintOf(config))))
    return false;
  return answers?.most === 1 || longest > EVALUATION_SHAPES.batchTokens;
}

/**
 * Bytes of keys and values at most: of a question, and of a choice of several tokens, which are read after a copy of them; and of those
 * before, which wait for the collector.
 */
export function choiceBytes(
  { config }: Pick<Asked, 'config'>,
  { longest, answers }: Pick<Lengths, 'longest' | 'answers'>,
): number {
  const perToken = cacheBytesPerToken(config);
  const caches = perToken * readCapacity(longest, config.maxPositions);
  const copy = perToken * longest;
  const held = new HeldBytes();
  for (let question = 0; question < ROUND; question++) {
    held.add(caches);
    for (let choice = 0; choice < ROUND && answers?.most !== 1; choice++) {
      held.add(copy);
      held.add(caches);
      held.discard(copy);
      held.discard(caches);
    }
    held.discard(caches);
  }
  return held.most;
}
