import type { Host } from '../source/host.js';
import type { Access } from './types.js';

const ENDPOINT = 'https://huggingface.co';
const PATIENCE = 30;
const PAUSES = [300, 1_000, 3_000];
const TRUE = /^(?:1|on|yes|true)$/i;

/** What the Hub's own library reads from the environment, under the same names. `secret` names a variable. */
export function accessFrom(env: Host['env'], secret: string | undefined, signal?: AbortSignal): Access {
  const seconds = Number(env('HF_HUB_DOWNLOAD_TIMEOUT'));
  const token = secret === undefined ? undefined : env(secret)?.trim();
  return {
    endpoint: (env('HF_ENDPOINT') || ENDPOINT).replace(/\/+$/, ''),
    offline: TRUE.test(env('HF_HUB_OFFLINE') ?? ''),
    patience: 1000 * (seconds > 0 ? seconds : PATIENCE),
    pauses: PAUSES,
    ...(token === undefined || token === '' ? {} : { token }),
    ...(signal === undefined ? {} : { signal }),
  };
}
