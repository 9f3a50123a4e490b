import type { Random } from '../random.js';

/** How the next token is drawn; the names are transformers'. Left out: greedily. */
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

/** The likeliest token; the first of equals. -1 where no logit is a number. Logits are `[vocab]`. */
export function argmax(logits: Float32Array): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i] as number;
    if (value > most) {
      most = value;
      best = i;
    }
  }
  return best;
}

/**
 * Makes tokens that have stood before less likely (Keskar et al. 2019, CTRL; transformers'
 * `RepetitionPenaltyLogitsProcessor`): positive logits are divided, negative ones multiplied.
 */
export function penaliseRepetition(logits: Float32Array, seen: ReadonlySet<number>, penalty: number): void {
  for (const id of seen) {
    const value = logits[id];
    if (value !== undefined) logits[id] = value > 0 ? value / penalty : value * penalty;
  }
}

/**
 * Draws a token from `[vocab]` logits: temperature, then top-k, top-p and min-p in transformers' order, each over
 * the probabilities that the one before left. -1 where no logit is a number.
 */
export function sample(logits: Float32Array, sampling: Sampling, random: Random): number {
  let candidates = sorted(logits, sampling.temperature);
  if (candidates.length === 0) return -1;
  candidates = topK(candidates, sampling.topK ?? 0);
  candidates = topP(candidates, sampling.topP ?? 1);
  candidates = minP(candidates, sampling.minP ?? 0);
  return draw(candidates, random());
}

interface Candidate {
  readonly id: number;
  /** Not normalised; the likeliest has 1. */
  readonly weight: number;
}

type Candidates = readonly Candidate[];

/** e^-40 of the likeliest: what is left out could never be drawn, and sorting a whole vocabulary is slow. */
const NEGLIGIBLE = Math.exp(-40);

/** Likeliest first; equals in order of their ids. */
function sorted(logits: Float32Array, temperature: number): Candidates {
  const top = logits[argmax(logits)];
  if (top === undefined) return [];
  const candidates: Candidate[] = [];
  for (let id = 0; id < logits.length; id++) {
    const weight = Math.exp(((logits[id] as number) - top) / temperature);
    if (weight > NEGLIGIBLE) candidates.push({ id, weight });
  }
  return candidates.sort((a, b) => b.weight - a.weight || a.id - b.id);
}

function topK(candidates: Candidates, k: number): Candidates {
  const last = k > 0 ? candidates[k - 1] : undefined;
  return last === undefined ? candidates : candidates.filter(({ weight }) => weight >= last.weight);
}

/** Always keeps the likeliest. */
function topP(candidates: Candidates, share: number): Candidates {
  if (share >= 1) return candidates;
  const target = share * total(candidates);
  let reached = 0;
  let kept = 0;
  for (const { weight } of candidates) {
    if (kept > 0 && reached >= target) break;
    reached += weight;
    kept++;
  }
  return candidates.slice(0, kept);
}

function minP(candidates: Candidates, fraction: number): Candidates {
  const top = candidates[0]?.weight ?? 0;
  return fraction <= 0 ? candidates : candidates.filter(({ weight }) => weight >= fraction * top);
}

function draw(candidates: Candidates, uniform: number): number {
  let left = uniform * total(candidates);
  for (const { id, weight } of candidates) {
    left -= weight;
    if (left < 0) return id;
  }
  return candidates.at(-1)?.id ?? -1;
}

function total(candidates: Candidates): number {
  return candidates.reduce((sum, { weight }) => sum + weight, 0);
}
