import type { RequestLine } from '../../../src/pipeline/serve/monitoring/request-line.js';

/** A request that was answered. */
export const requestLine = (changes: Partial<RequestLine> = {}): RequestLine => ({
  version: 1,
  type: 'request',
  at: 1_000_000,
  id: 'chatcmpl-1',
  endpoint: 'chat',
  release: 1,
  role: 'current',
  group: 0,
  status: 200,
  reason: 'stop',
  streamed: false,
  promptTokens: 10,
  cachedTokens: 4,
  answerTokens: 20,
  queueSeconds: 0.01,
  firstTokenSeconds: 0.05,
  seconds: 0.5,
  repetition: 0,
  refusal: false,
  ...changes,
});

/** Numbers from 0 to 1, the same ones each time (mulberry32). */
export function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
