/** Takes away what nobody needs, also while runs are at work in the same store. */
import { renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from '../../language/host/node-folders.js';
import { markOf } from '../../language/host/process-identity.js';
import { tryClaim } from './claims.js';
import { removeLeftover } from './durable.js';
import type { Garbage, GarbageOptions } from './garbage.js';
import { isForgotten } from './garbage.js';
import { type Layout, ownTemporary } from './layout.js';
import { writing } from './store-diagnostics.js';
import { forgetUsed, usedTimes } from './users.js';

/** What went, and what came into use in the meantime and stays. Throws a `UserError` if the disk refuses. */
export interface Collected {
  readonly bytes: number;
  readonly skipped: readonly string[];
}

export function collect(
  layout: Layout,
  garbage: Garbage,
  { grace, now }: Pick<GarbageOptions, 'grace' | 'now'>,
): Collected {
  let bytes = 0;
  const skipped: string[] = [];
  const take = (path: string, size: number): void => {
    remove(layout, path);
    bytes += size;
  };
  const found = usedTimes(layout);
  for (const { key, path, bytes: size } of [...garbage.outputs, ...garbage.checkpoints]) {
    // who has the claim is about to use it
    const claim = tryClaim(layout, key, { runId: '', stage: 'gc' });
    const isUsed = found.now - found.of(key) < grace * 60_000 || found.of(key) > found.now;
    if (claim === undefined || isUsed) skipped.push(key);
    else {
      take(path, size);
      forgetUsed(layout, key);
    }
    claim?.release();
  }
  for (const { path, bytes: size } of [...garbage.runs, ...garbage.leftovers]) take(path, size);
  for (const user of garbage.users) if (isForgotten(user, now)) removeLeftover(user.path);
  return { bytes, skipped };
}

/** Renamed away first: a kill in the middle leaves no half output under its name. */
function remove(layout: Layout, path: string): void {
  const isOwn = path.startsWith(join(layout.root, '')) && layout.root !== layout.shared;
  const temporary = isOwn ? ownTemporary(layout) : layout.temporary;
  const aside = join(temporary, `removed.${markOf()}`);
  writing(path, undefined, () => {
    if (dirname(path) === temporary) rmSync(path, { recursive: true, force: true });
    else {
      makeFolders(temporary);
      try {
        renameSync(path, aside);
      } catch (error) {
        // another one took it away
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      rmSync(aside, { recursive: true, force: true });
    }
  });
}
