import { isSpecial } from '../../models/turn-end.js';
import type { Tokenizer } from '../../models/types.js';
import type { Sampling } from './sampling.js';

/** Decoding settings as a user writes them. Default: greedy. */
export interface DrawSettings {
  /** 0 or absent: greedily, whatever the other settings say. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  /** Default 17. */
  readonly seed?: number;
}

const SEED = 17;

export const samplingOf = ({ temperature = 0, seed = SEED, ...cuts }: DrawSettings): Sampling | undefined =>
  temperature === 0 ? undefined : { temperature, seed, topK: cuts.topK, topP: cuts.topP, minP: cuts.minP };

/** What ends an answer, apart by whether it is a special token, which a text is shown without, or any other text. */
export function stopsOf(
  tokenizer: Tokenizer,
  stops: readonly string[],
): { readonly ids: readonly number[]; readonly texts: readonly string[] } {
  const idOf = (stop: string): readonly number[] => {
    const id = tokenizer.idOf(stop);
    return id !== undefined && isSpecial(tokenizer, id) ? [id] : [];
  };
  return { ids: stops.flatMap(idOf), texts: stops.filter((stop) => idOf(stop).length === 0) };
}
