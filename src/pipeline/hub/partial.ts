/** Half a blob: each process writes its own, and takes over what a process that is gone has left. */
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../../language/host/node-folders.js';
import { isOwn } from '../../language/host/own-files.js';
import { identityOf, stateOf } from '../../language/host/process-identity.js';
import { writing } from '../store/index.js';
import { HALF } from './own-names.js';

/** A half that another machine wrote counts as left behind after this long without a change, milliseconds. */
const ABANDONED = 600_000;

const mark = (): string => {
  const { pid, started } = identityOf(process.pid);
  return `${encodeURIComponent(hostname())},${pid},${started}`;
};

/** The path of this process's half of a blob; what others have left of it is there already. */
export function partialOf(blob: string, now: number): string {
  const folder = dirname(blob);
  const prefix = `${basename(blob)}.ftpc-`;
  const mine = join(folder, `${prefix}${mark()}`);
  return writing(mine, undefined, () => {
    makeFolders(folder);
    if (existsSync(mine)) return mine;
    for (const name of readdirSync(folder).filter((other) => other.startsWith(prefix))) {
      if (!isOwn(join(folder, name), HALF)) continue;
      if (isLeft(join(folder, name), name.slice(prefix.length), now) && takeOver(join(folder, name), mine))
        break;
    }
    return mine;
  });
}

/** `owner`: what the name says after its mark. */
export function isLeft(path: string, owner: string, now: number): boolean {
  const [host = '', pid = '', started = ''] = owner.split(',');
  const here = host === encodeURIComponent(hostname());
  if (here && Number(pid) !== process.pid) return stateOf({ pid: Number(pid), started }) === 'gone';
  return now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > ABANDONED;
}

/** One of several that try succeeds. */
function takeOver(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
