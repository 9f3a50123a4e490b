/**
 * Which directory needs which outputs of a store. Each writes one file, at the beginning and at the end of its runs, so that who
 * tidies up knows what the others need without looking into their directories, which may be on other machines.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { type JsonOf, tryJson } from '../../language/host/json.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard } from '../../language/host/own-files.js';
import { markOf, userName } from '../../language/host/process-identity.js';
import { namesIn } from './claims.js';
import { replaceFile } from './durable.js';
import type { Layout } from './layout.js';
import { sweepOfStore } from './own-names.js';
import { textOf } from './place.js';
import { writing } from './store-diagnostics.js';

const USED_RUN = v.object({ runId: v.string(), pipeline: v.string(), keys: v.array(v.string()) });
export type UsedRun = JsonOf<typeof USED_RUN>;

const USER = v.object({
  version: v.literal(1),
  user: v.string(),
  host: v.string(),
  cwd: v.string(),
  /** Milliseconds since the epoch, by the clock of its machine. */
  at: v.number(),
  runs: v.array(USED_RUN),
  /** Of releases that are there, and of what they were made of. */
  releases: v.array(v.string()),
});
type StoreUser = JsonOf<typeof USER>;

const usersFolder = ({ shared }: Layout): string => join(shared, 'users');

/** Of this directory. */
const userFile = (layout: Layout): string => {
  const name = createHash('sha256').update(`${hostname()}\n${layout.cwd}`).digest('hex').slice(0, 16);
  return join(usersFolder(layout), `${name}.json`);
};

/** `needs`: what it is told of its runs, newest first. Throws a `UserError` if the disk refuses. */
export function writeUser(layout: Layout, now: number, needs: Pick<StoreUser, 'runs' | 'releases'>): void {
  const user: StoreUser = {
    version: 1,
    user: userName(),
    host: hostname(),
    cwd: layout.cwd,
    at: now,
    runs: needs.runs,
    releases: needs.releases,
  };
  const folder = usersFolder(layout);
  writing(folder, undefined, () => makeFolders(folder));
  replaceFile(userFile(layout), `${JSON.stringify(user)}\n`);
}

export interface FoundUser extends StoreUser {
  readonly path: string;
  readonly isHere: boolean;
  /** Its directory was on this machine, and is gone. */
  readonly isGone: boolean;
}

export function storeUsers(layout: Layout): readonly FoundUser[] {
  const own = userFile(layout);
  return namesIn(usersFolder(layout))
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const path = join(usersFolder(layout), name);
      const user = tryJson(USER, textOf(path) ?? '');
      if (user === undefined) return [];
      const isGone = user.host === hostname() && !existsSync(user.cwd);
      return [{ ...user, path, isHere: path === own, isGone }];
    });
}

const usedFolder = ({ shared }: Layout): string => join(shared, 'used');

/** Notes that outputs are about to be used, by the clock of the disk; a disk that refuses has nothing taken away either. */
export function markUsed(layout: Layout, keys: readonly string[]): void {
  try {
    makeFolders(usedFolder(layout));
    for (const key of keys) writeFileSync(join(usedFolder(layout), key), '\n');
  } catch {
    // a store that may only be read
  }
}

export const forgetUsed = (layout: Layout, key: string): void =>
  sweepOfStore(layout.shared, join(usedFolder(layout), key));

/** When outputs were last used, and what the time is, both by the clock of the disk: machines may differ. */
export function usedTimes(layout: Layout): { readonly now: number; of(key: string): number } {
  const timeOf = (name: string): number => {
    try {
      return statSync(join(usedFolder(layout), name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    } catch {
      return 0;
    }
  };
  // who only looks makes no store
  if (!existsSync(layout.shared)) return { now: Date.now(), of: () => 0 };
  const probe = `now.${markOf()}`;
  markUsed(layout, [probe]);
  const now = timeOf(probe) || Date.now();
  discard(join(usedFolder(layout), probe));
  return { now, of: timeOf };
}
