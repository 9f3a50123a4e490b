/** Log-probabilities of tokens: of the softmax over the model's own logits, as OpenAI's API and vLLM give them. */
import type { Tokenizer } from '../models/types.js';
import { tokenBytes } from './token-bytes.js';
import type { TokenAlternative, TokenLogprob } from './types.js';

/**
 * Tokens of a prompt that is echoed with log-probabilities whose logits are held at once: those of a whole piece would be
 * hundreds of MiB for a large vocabulary, and others would wait while they are read.
 */
export const ECHOED_TOKENS = 16;

/** What is said of the logits after a text, before anything changes them. */
export interface Distribution {
  /** Natural logarithm of Σ exp(logit). */
  readonly total: number;
  /** The likeliest tokens, the likeliest first, of equals the first. */
  readonly top: readonly { readonly id: number; readonly logit: number }[];
}

/** `[vocab]` logits; `total`, where it is known. */
export function distributionOf(
  logits: Float32Array,
  alternatives: number,
  total = totalOf(logits),
): Distribution {
  return { total, top: likeliest(logits, alternatives) };
}

function totalOf(logits: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) most = Math.max(most, logits[id] as number);
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp((logits[id] as number) - most);
  return most + Math.log(sum);
}

function likeliest(logits: Float32Array, count: number): Distribution['top'] {
  const top: { readonly id: number; readonly logit: number }[] = [];
  if (count === 0) return top;
  let least = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (top.length === count && logit <= least) continue;
    let at = top.length;
    while (at > 0 && (top[at - 1]?.logit ?? 0) < logit) at--;
    top.splice(at, 0, { id, logit });
    top.length = Math.min(top.length, count);
    least = top.at(-1)?.logit ?? least;
  }
  return top;
}

/** Writes log-probabilities with the texts of their tokens. */
export function logprobWriter(
  tokenizer: Tokenizer,
): (id: number, logit: number, distribution: Distribution) => TokenLogprob {
  const bytesOf = tokenBytes(tokenizer);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const alternative = (id: number, logprob: number): TokenAlternative => {
    const bytes = bytesOf(id);
    return { id, text: decoder.decode(bytes), bytes: [...bytes], logprob };
  };
  return (id, logit, { total, top }) => ({
    ...alternative(id, logit - total),
    top: top.map((other) => alternative(other.id, other.logit - total)),
  });
}
