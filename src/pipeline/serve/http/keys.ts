/** Keys of clients: only digests are held, and compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError } from '../openai/api-error.js';

export interface ApiKey {
  /** For logs and limits: the variable that holds it. */
  readonly name: string;
  readonly digest: Buffer;
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

export const apiKey = (name: string, key: string): ApiKey => ({ name, digest: digestOf(key) });

/** The name of the key that a request has; `undefined` where no key is needed. Throws an `ApiError` (401). */
export function clientOf(keys: readonly ApiKey[], authorization: string | undefined): string | undefined {
  if (keys.length === 0) return undefined;
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (given === undefined)
    throw new ApiError(401, 'no API key was given: send it as `Authorization: Bearer KEY`', {
      code: 'missing_api_key',
    });
  const digest = digestOf(given);
  // every key is compared, so that the time says nothing about which it is
  const found = keys.filter((key) => timingSafeEqual(key.digest, digest));
  const [key] = found;
  if (key === undefined) throw new ApiError(401, 'the API key is not right', { code: 'invalid_api_key' });
  return key.name;
}
