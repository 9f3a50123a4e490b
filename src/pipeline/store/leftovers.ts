/** What killed runs leave behind, and how the next one tells it from what a living process writes. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../../language/diagnostics/types.js';
import { tryJson } from '../../language/host/json.js';
import { MARK, mayWrite, PROCESS_NOTE, stateOf } from '../../language/host/process-identity.js';
import { BEGUN_FILE } from '../../language/ir/outputs.js';
import { dropClaim, type FoundClaim, foundClaim, foundClaims, isKey, namesIn, tryClaim } from './claims.js';
import { type Layout, ownTemporary, rootOf, rootsOf, storesOf } from './layout.js';
import { isOfStore, removeOfStore } from './own-names.js';
import { textOf } from './place.js';
import { leftStops } from './stops.js';
import { emptyWork, hasOwn, UNFINISHED } from './work-folder.js';

/** Only for the holder of the lock. */
export function sweepLeftovers(layout: Layout): void {
  for (const claim of foundClaims(layout)) if (isAbandoned(claim)) dropClaim(layout, claim);
  for (const path of leftoversIn(layout)) quietly(() => removeOfStore(rootOf(layout, path), path));
  for (const key of finishedWork(layout)) {
    // Who has the claim may be about to use it; who makes the output again needs it.
    const claim = claimQuietly(layout, key);
    if (claim === undefined) continue;
    if (isNoMore(layout, key)) quietly(() => emptyWork(layout.shared, join(layout.work, key)));
    claim.release();
  }
}

/** Nothing of a store that may only be read. */
function claimQuietly(layout: Layout, key: string): ReturnType<typeof tryClaim> {
  try {
    return tryClaim(layout, key, { runId: '', stage: '' });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Its holder is gone, and so is the process that worked for it. */
export const isAbandoned = ({ state, child }: FoundClaim): boolean =>
  state === 'gone' && (child === undefined || stateOf(child) !== 'alive');

/** Absolute paths of files and folders that nobody writes or needs any more, except checkpoints. */
export const leftoversIn = (layout: Layout): readonly string[] =>
  [
    ...inside(layout.temporary, (name) => isClaimed(layout, name.slice(0, 64))),
    ...(layout.root === layout.shared ? [] : inside(ownTemporary(layout))),
    ...tickets(layout.root, /^lock\.(?!child)/),
    ...rootsOf(layout).flatMap((root) => inside(root, (name) => !isReplacement(name))),
    ...leftStops(layout),
    ...tickets(layout.claims, /\.(?:ticket|stale\..*)$/),
    ...inside(layout.claims, (name) => !name.endsWith('.beat') || isSign(layout, name)),
  ].filter((path) => isOfStore(rootOf(layout, path), path));

const REPLACEMENT = new RegExp(`\\.${MARK}\\.tmp$`);

/** Of a file that was being replaced. */
function isReplacement(name: string): boolean {
  const [, writer] = REPLACEMENT.exec(name) ?? [];
  return writer !== undefined && !mayWrite(writer);
}

/** Keys whose output is complete and whose checkpoints are still there, and those that came to no checkpoint. */
export const finishedWork = (layout: Layout): readonly string[] =>
  namesIn(layout.work).filter(
    (key) =>
      isOfStore(layout.shared, join(layout.work, key)) &&
      isNoMore(layout, key) &&
      hasOwn(join(layout.work, key)) &&
      !isClaimed(layout, key),
  );

const isNoMore = (layout: Layout, key: string): boolean =>
  isStored(layout, key) ||
  namesIn(join(layout.work, key)).every((name) => name === BEGUN_FILE || name.startsWith(UNFINISHED));

const isStored = (layout: Layout, key: string): boolean =>
  isKey(key) && storesOf(layout).some((folder) => existsSync(join(folder, key)));

/** Everything in a folder but what someone still writes. */
const inside = (folder: string, isWritten: (name: string) => boolean = () => false): readonly string[] =>
  namesIn(folder)
    .filter((name) => !isWritten(name))
    .map((name) => join(folder, name));

/** Somebody who lives, or whom we cannot see, makes the output of this key. */
export function isClaimed(layout: Layout, key: string): boolean {
  const found = isKey(key) ? foundClaim(layout, key) : undefined;
  return found !== undefined && !isAbandoned(found);
}

/** Files that say who writes them, where that process is gone. */
const tickets = (folder: string, pattern: RegExp): readonly string[] =>
  namesIn(folder)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .filter((path) => isLeft(path));

function isLeft(path: string): boolean {
  const note = tryJson(PROCESS_NOTE, textOf(path) ?? '');
  if (note !== undefined) return stateOf(note) === 'gone';
  // A text that was cut off says nothing; the name has the number of the process.
  const name = basename(path);
  const mark = /\.(\d+-\d*-[0-9a-f]{8})-[0-9a-f]+\.ticket$/.exec(name)?.[1];
  return mark === undefined ? isOfDead(/^lock\.(?:stale\.)?(\d+)/.exec(name)?.[1]) : !mayWrite(mark);
}

const isOfDead = (pid: string | undefined): boolean =>
  pid !== undefined && Number.isSafeInteger(Number(pid)) && stateOf({ pid: Number(pid) }) === 'gone';

/** Of a claim that is there. */
const isSign = (layout: Layout, name: string): boolean => {
  const [key = '', mark] = name.split('.');
  return foundClaim(layout, key)?.holder.mark === mark;
};

/** What the disk refuses, or another run sweeps, the next one tries again. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {}
}
