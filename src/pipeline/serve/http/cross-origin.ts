/** Which web pages may ask (CORS). */
import type { IncomingHttpHeaders } from 'node:http';

const HEADERS = {
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-expose-headers':
    'retry-after, x-request-id, x-ftpc-release, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests',
  'access-control-max-age': '600',
  vary: 'origin, access-control-request-headers',
};

/** Headers that a page may send where it does not say which it wants to. */
const SENT = 'authorization, content-type';
/** Names of headers, of which clients send some that say what they are: OpenAI's own has a dozen. */
const NAMES = /^[\w-]+(?:\s*,\s*[\w-]+)*$/;

/** The headers for a page; none where it may not ask. */
export function crossOrigin(
  origins: readonly string[],
  { origin, 'access-control-request-headers': wanted = '' }: IncomingHttpHeaders,
): Readonly<Record<string, string>> {
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return {};
  return {
    ...HEADERS,
    'access-control-allow-headers': NAMES.test(wanted) ? wanted : SENT,
    'access-control-allow-origin': origin,
  };
}
