/** Requests per key or address: a bucket for each, which fills evenly. */
import { ApiError } from '../openai/api-error.js';

export interface Rate {
  readonly requests: number;
  readonly seconds: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds. */
  at: number;
}

/** Clients that are remembered; the one that was silent for the longest is forgotten first. */
const MOST_CLIENTS = 10_000;

export interface RateLimit {
  /** Counts a request of a client; the headers that tell it so. Throws an `ApiError` (429) above the rate. */
  count(client: string): Readonly<Record<string, string>>;
}

export function rateLimit(
  { requests, seconds }: Rate,
  now: () => number = performance.now.bind(performance),
): RateLimit {
  const buckets = new Map<string, Bucket>();
  const perMs = requests / (1000 * seconds);
  return {
    count(client) {
      const at = now();
      const last = buckets.get(client) ?? { tokens: requests, at };
      const tokens = Math.min(requests, last.tokens + (at - last.at) * perMs);
      const isOver = tokens < 1;
      const left = isOver ? tokens : tokens - 1;
      buckets.delete(client);
      buckets.set(client, { tokens: left, at });
      const [oldest] = buckets.keys();
      if (buckets.size > MOST_CLIENTS && oldest !== undefined) buckets.delete(oldest);
      if (isOver)
        throw new ApiError(429, `more than ${requests} requests in ${seconds} seconds: try again later`, {
          type: 'rate_limit_error',
          code: 'rate_limit_exceeded',
          retryAfter: (1 - tokens) / perMs / 1000,
        });
      return {
        'x-ratelimit-limit-requests': String(requests),
        'x-ratelimit-remaining-requests': String(Math.floor(left)),
        'x-ratelimit-reset-requests': `${Math.ceil((requests - left) / perMs / 1000)}s`,
      };
    },
  };
}
