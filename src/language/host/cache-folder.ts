import { isAbsolute, join, resolve } from 'node:path';
import { type Host, homeOf } from './host.js';

/**
 * What ftpc keeps for a user, next to no pipeline: below `XDG_CACHE_HOME`, which counts for nothing if it is relative, else
 * below `~/.cache`.
 */
export function cacheFolder(host: Pick<Host, 'env' | 'cwd'>): string {
  const named = host.env('XDG_CACHE_HOME') ?? '';
  return join(isAbsolute(named) ? named : resolve(host.cwd, homeOf(host), '.cache'), 'ftpc');
}
