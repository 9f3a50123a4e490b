/** Which web pages may ask (CORS). */

const HEADERS = {
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-expose-headers': 'retry-after, x-request-id, x-ftpc-release',
  'access-control-max-age': '600',
  vary: 'origin',
};

/** The headers for a page of `origin`; none where it may not ask. */
export function crossOrigin(
  origins: readonly string[],
  origin: string | undefined,
): Readonly<Record<string, string>> {
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return {};
  return { ...HEADERS, 'access-control-allow-origin': origin };
}
