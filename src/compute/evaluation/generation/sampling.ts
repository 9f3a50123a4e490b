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
    // one comparison for all but a few; what is not a number is no less either
    if (value <= most) continue;
    if (!(value < Number.POSITIVE_INFINITY)) return -1;
    most = value;
    best = i;
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
 * What temperature, top-k, top-p and min-p, in transformers' order, leave of `[vocab]` logits. No candidates where
 * {@link argmax} finds none.
 */
export function candidates(logits: Float32Array, sampling: Sampling): Candidates {
  const best = argmax(logits);
  if (best < 0) return { ids: new Int32Array(0), weights: new Float64Array(0) };
  const top = logits[best] as number;
  const scores = scratchOf(logits.length);
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
  const weights = scoresOf(ids, scores);
  for (let i = 0; i < weights.length; i++) weights[i] = Math.exp(weights[i] as number);
  return { ids, weights };
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

let scratch = new Float64Array(0);

/** The scores of one draw; the next one takes their place: a fresh array for each token would keep the collector busy. */
function scratchOf(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(length);
  return scratch.subarray(0, length);
}

/** A loop of its own: `filter` of a typed array takes several times as long. */
function select(ids: Ids, isIn: (id: number) => boolean): Ids {
  const chosen = new Int32Array(ids.length);
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    if (isIn(id)) chosen[count++] = id;
  }
  return chosen.slice(0, count);
}

function topK(ids: Ids, scores: Float64Array, k: number): Ids {
  if (k <= 0 || k >= ids.length) return ids;
  const least = largest(scores.slice(), k);
  return select(ids, (id) => (scores[id] as number) >= least);
}

/** The k-th largest value (Hoare's quickselect); `values` are left in another order. */
function largest(values: Float64Array, k: number): number {
  const place = values.length - k;
  let [first, last] = [0, values.length - 1];
  while (first < last) {
    const pivot = values[(first + last) >> 1] as number;
    let [low, high] = [first, last];
    while (low <= high) {
      while ((values[low] as number) < pivot) low++;
      while ((values[high] as number) > pivot) high--;
      if (low > high) break;
      const swap = values[low] as number;
      values[low++] = values[high] as number;
      values[high--] = swap;
    }
    if (place <= high) last = high;
    else if (place >= low) first = low;
    else break;
  }
  return values[place] as number;
}

/** Bands of scores below the likeliest one's, and how many of them there are to a factor of e. */
const [BANDS, PER_E] = [128, 4];
const bandOf = (score: number): number => Math.min(BANDS - 1, Math.floor(-score * PER_E));

/**
 * Leaves out the unlikeliest as long as their probabilities together are at most `1 - share`, never the likeliest.
 * Shares are compared in float32, as in torch, which leaves open which of equals go; here the last.
 */
function topP(ids: Ids, scores: Float64Array, share: number): Ids {
  if (share >= 1) return ids;
  const all = ids.length === scores.length ? scores : scoresOf(ids, scores);
  const limit = Math.fround(1 - share);
  const { total, tail, band } = tailOf(all, limit);
  const ascending = scoresOf(
    select(ids, (id) => bandOf(scores[id] as number) <= band),
    scores,
  ).sort();
  let reached = tail / total;
  let out = 0;
  for (; out < ascending.length - 1; out++) {
    reached += Math.fround(Math.exp(ascending[out] as number) / total);
    if (Math.fround(reached) > limit) break;
  }
  const least = ascending[out] as number;
  let equalsIn = ascending.lastIndexOf(least) - out + 1;
  return select(ids, (id) => {
    const score = scores[id] as number;
    return score > least || (score === least && equalsIn-- > 0);
  });
}

function scoresOf(ids: Ids, scores: Float64Array): Float64Array {
  const found = new Float64Array(ids.length);
  for (let i = 0; i < found.length; i++) found[i] = scores[ids[i] as number] as number;
  return found;
}

/**
 * Scores in further bands than `band` are all left out, so that they need not be sorted: the sum `tail` of their weights is
 * surely below the limit. `total`: the sum of all weights.
 */
function tailOf(
  scores: Float64Array,
  limit: number,
): { readonly total: number; readonly tail: number; readonly band: number } {
  const sums = new Float64Array(BANDS);
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    const band = bandOf(score);
    sums[band] = (sums[band] as number) + Math.exp(score);
  }
  const total = sum(sums);
  let [tail, band] = [0, BANDS - 1];
  for (; band > 0 && tail + (sums[band] as number) < limit * 0.999 * total; band--)
    tail += sums[band] as number;
  return { total, tail, band };
}

function minP(ids: Ids, scores: Float64Array, fraction: number): Ids {
  if (fraction <= 0) return ids;
  // far from the limit no exponential is needed
  const [less, more] = [Math.log(fraction) - 1e-6, Math.log(fraction) + 1e-6];
  return select(ids, (id) => {
    const score = scores[id] as number;
    return score > more || (score >= less && Math.exp(score) >= fraction);
  });
}

function sum(weights: Float64Array): number {
  let total = 0;
  for (const weight of weights) total += weight;
  return total;
}
