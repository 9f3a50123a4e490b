/** How the next token is drawn; names and meaning are transformers'. */
export interface Sampling {
  /** Above 0; 1 leaves the probabilities as they are. */
  readonly temperature: number;
  /** Only the k likeliest tokens (and those as likely as the k-th). 0: all. */
  readonly topK?: number;
  /** The likeliest tokens until their probabilities reach this share. 1: all. */
  readonly topP?: number;
  /** Tokens at least this fraction as likely as the likeliest one. 0: all. */
  readonly minP?: number;
  readonly seed: number;
}

/** Tokens that may be drawn. */
interface Candidates {
  /** Ascending. */
  readonly ids: Int32Array;
  /** Of each id; the likeliest has 1. Divided by their sum they are probabilities. */
  readonly weights: Float64Array;
}

/** The likeliest token; the first of equals. -1 if a logit is not a number, or none is finite. Logits are `[vocab]`. */
export function argmax(logits: Float32Array): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i] as number;
    if (value > most) {
      most = value;
      best = i;
    }
    if (!(value < Number.POSITIVE_INFINITY)) return -1;
  }
  return best;
}

/**
 * Makes tokens that occurred before less likely (Keskar et al. 2019, CTRL; transformers'
 * `RepetitionPenaltyLogitsProcessor`): positive logits are divided, negative ones multiplied. Changes `logits`.
 */
export function penaliseRepetition(logits: Float32Array, seen: ReadonlySet<number>, penalty: number): void {
  const factor = Math.fround(penalty);
  for (const id of seen) {
    const value = logits[id];
    if (value !== undefined) logits[id] = value < 0 ? value * factor : value / factor;
  }
}

/**
 * What temperature, top-k, top-p and min-p, in transformers' order, leave of `[vocab]` logits. No candidates where {@link argmax} finds none.
 */
export function candidates(logits: Float32Array, sampling: Sampling): Candidates {
  const best = argmax(logits);
  if (best < 0) return { ids: new Int32Array(0), weights: new Float64Array(0) };
  const top = logits[best] as number;
  const scores = new Float64Array(logits.length);
  let ids = new Int32Array(logits.length);
  // loops: `from` goes through an iterator, ten times slower over a vocabulary
  for (let id = 0; id < scores.length; id++) {
    // the likeliest has 0, so that no temperature overflows
    scores[id] = ((logits[id] as number) - top) / sampling.temperature;
    ids[id] = id;
  }
  ids = topK(ids, scores, sampling.topK ?? 0);
  ids = topP(ids, scores, sampling.topP ?? 1);
  ids = minP(ids, scores, sampling.minP ?? 0);
  return { ids, weights: scoresOf(ids, scores).map(Math.exp) };
}

/** Draws a token by a uniform number in [0, 1). -1 if there is none. */
export function draw({ ids, weights }: Candidates, uniform: number): number {
  let left = uniform * sum(weights);
  let last = -1;
  for (let i = 0; i < ids.length; i++) {
    const weight = weights[i] as number;
    if (weight === 0) continue;
    last = ids[i] as number;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

type Ids = Int32Array<ArrayBuffer>;

function topK(ids: Ids, scores: Float64Array, k: number): Ids {
  if (k <= 0 || k >= ids.length) return ids;
  const least = scores.toSorted()[scores.length - k] as number;
  return ids.filter((id) => (scores[id] as number) >= least);
}

/**
 * Leaves out the unlikeliest as long as their probabilities together are at most `1 - share`, never the likeliest.
 * Shares are compared in float32, as in torch, which leaves open which of equals go; here the last.
 */
function topP(ids: Ids, scores: Float64Array, share: number): Ids {
  if (share >= 1) return ids;
  const ascending = scoresOf(ids, scores).sort();
  const weights = ascending.map(Math.exp);
  const total = sum(weights);
  const limit = Math.fround(1 - share);
  let [reached, out] = [0, 0];
  for (; out < weights.length - 1; out++) {
    reached += Math.fround((weights[out] as number) / total);
    if (Math.fround(reached) > limit) break;
  }
  const least = ascending[out] as number;
  let equalsIn = ascending.lastIndexOf(least) - out + 1;
  return ids.filter((id) => {
    const score = scores[id] as number;
    return score > least || (score === least && equalsIn-- > 0);
  });
}

function scoresOf(ids: Ids, scores: Float64Array): Float64Array {
  const found = new Float64Array(ids.length);
  for (let i = 0; i < found.length; i++) found[i] = scores[ids[i] as number] as number;
  return found;
}

const minP = (ids: Ids, scores: Float64Array, fraction: number): Ids =>
  fraction <= 0 ? ids : ids.filter((id) => Math.exp(scores[id] as number) >= fraction);

function sum(weights: Float64Array): number {
  let total = 0;
  for (const weight of weights) total += weight;
  return total;
}
