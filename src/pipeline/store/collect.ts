/** Takes away what nobody needs, also while runs are at work in the same store. */
import { dirname, join } from 'node:path';
import { tryClaim } from './claims.js';
import type { Garbage, GarbageOptions, Sized } from './garbage.js';
import { isForgotten } from './garbage.js';
import { type Layout, rootOf } from './layout.js';
import { isOfStore, removeAside, removeOfStore, sweepOfStore } from './own-names.js';
import { writing } from './store-diagnostics.js';
import { forgetUsed, usedTimes } from './users.js';
import { emptyWork } from './work-folder.js';

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
  const take = ({ path, bytes: size }: Sized, remove: (root: string, path: string) => boolean): void => {
    if (writing(path, undefined, () => remove(rootOf(layout, path), path))) bytes += size;
  };
  const found = usedTimes(layout);
  for (const output of [...garbage.outputs, ...garbage.checkpoints]) {
    const { key } = output;
    // who has the claim is about to use it
    const claim = tryClaim(layout, key, { runId: '', stage: 'gc' });
    const isUsed = found.now - found.of(key) < grace * 60_000 || found.of(key) > found.now;
    if (claim === undefined || isUsed) skipped.push(key);
    else {
      take(output, removeAside);
      forgetUsed(layout, key);
    }
    claim?.release();
  }
  for (const run of garbage.runs) take(run, removeAside);
  for (const left of garbage.leftovers) take(left, removeLeft);
  for (const user of garbage.users) if (isForgotten(user, now)) sweepOfStore(layout.shared, user.path);
  return { bytes, skipped };
}

/** Of a work folder what ftpc has put there. */
function removeLeft(root: string, path: string): boolean {
  if (dirname(path) !== join(root, 'work')) return removeOfStore(root, path);
  if (!isOfStore(root, path)) return false;
  emptyWork(root, path);
  return true;
}
