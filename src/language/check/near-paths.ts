/** A file or folder that is there, of nearly the name that is written. */
import { join, resolve } from 'node:path';
import { nearest } from '../diagnostics/did-you-mean.js';
import { type Host, HostError } from '../host/host.js';

/**
 * The path with each part that is not there replaced by the name in its folder that is nearest: one letter away, in
 * other capitals, or with another ending. `undefined` if a part has none.
 */
export function nearPath(path: string, folder: string, host: Host): string | undefined {
  let found = '';
  for (const part of path.split('/')) {
    const at = resolve(folder, found);
    const isThere = part === '' || part === '.' || part === '..' || host.stat(join(at, part)) !== undefined;
    const name = isThere ? part : nearName(part, namesIn(at, host));
    if (name === undefined) return undefined;
    found = found === '' && !path.startsWith('/') ? name : `${found}/${name}`;
  }
  return found === path || host.stat(resolve(folder, found)) === undefined ? undefined : found;
}

/** The pattern with another ending, where files of its folder have that: `data/*.jsonl` for `data/*.json`. */
export function nearPattern(pattern: string, folder: string, host: Host): string | undefined {
  const [, start = '', ending] = /^(.*\*)\.(\w+)$/.exec(pattern) ?? [];
  if (ending === undefined) return undefined;
  const endings = new Set(filesLike(`${start}.*`, folder, host).map(endingOf));
  const meant = endings.size === 1 ? [...endings][0] : nearest(ending, endings);
  return meant === undefined || meant === '' ? undefined : `${start}.${meant}`;
}

function filesLike(pattern: string, folder: string, host: Host): readonly string[] {
  try {
    return host.glob(pattern, folder);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

function nearName(written: string, names: readonly string[]): string | undefined {
  const same = names.find((name) => name.toLowerCase() === written.toLowerCase());
  if (same !== undefined) return same;
  const stem = stemOf(written).toLowerCase();
  const others = names.filter((name) => stemOf(name).toLowerCase() === stem);
  return nearest(written, others) ?? others[0] ?? nearest(written, names);
}

const stemOf = (name: string): string => name.replace(/(?<=.)\.[^.]*$/, '');
const endingOf = (path: string): string => /\.(\w+)$/.exec(path)?.[1] ?? '';

function namesIn(folder: string, host: Host): readonly string[] {
  try {
    return host.list(folder);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
