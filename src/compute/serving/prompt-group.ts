/** Which prompts are read together: a pass over the weights serves all of their tokens. */
import { paddedLength } from '../models/decoder/extension.js';
import type { PrefixCache } from './prefix-cache.js';
import { type UnreadPrompt, unread } from './prompt-read.js';
import type { ServedAnswer } from './served-answer.js';

/** Tokens of prompts that are read between two tokens of the answers that run. */
export const PIECE = 128;

/** Of those that wait, how many are looked at. */
const LOOKED_AT = 64;

interface GroupLimits {
  /** Tokens that may be read now, padding included, and tokens that may be at once. */
  readonly tokens: number;
  readonly most: number;
  /** Whether there is place for so many prompts, the longest of so many tokens with its first answer token. */
  readonly fits: (rows: number, longest: number) => boolean;
}

/**
 * The prompt that waits longest, and others that are read whole next to it, padded to the longest. One that begins as another of
 * them does, with more than is held, waits until that is. Empty where there is no place for the first, or it is to be read whole
 * the next time.
 */
export function promptGroup(
  waiting: readonly ServedAnswer[],
  prefixes: PrefixCache,
  { tokens, most, fits }: GroupLimits,
): readonly UnreadPrompt[] {
  const [oldest] = waiting;
  if (oldest === undefined || !fits(1, oldest.length + 1)) return [];
  const first = unread(oldest, prefixes);
  if (first.left > tokens && first.left <= most) return [];
  const group = [first];
  if (oldest.echoes) return group;
  for (const answer of waiting.slice(1, LOOKED_AT)) {
    if (paddedTokens(group) >= tokens) break;
    if (answer.echoes) continue;
    const prompt = unread(answer, prefixes);
    const all = [...group, prompt];
    const isAlike = group.some(({ text }) =>
      prefixes.gains(prompt.text, prompt.text.length - prompt.left, text),
    );
    const longest = Math.max(...all.map(({ text }) => text.length)) + 1;
    if (!isAlike && paddedTokens(all) <= tokens && fits(all.length, longest)) group.push(prompt);
  }
  return group;
}

const paddedTokens = (group: readonly UnreadPrompt[]): number =>
  group.length * paddedLength(group.map(({ left }) => left));
