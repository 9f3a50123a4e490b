/** Asking a run to end, from another process or another machine: a file that the run looks for. */
import { existsSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { tryJson } from '../../language/host/json.js';
import { userName } from '../../language/host/process-identity.js';
import { foundClaims, namesIn } from './claims.js';
import { writeWhole } from './durable.js';
import { type Layout, rootsOf, runFolder } from './layout.js';
import { foundLock } from './lock.js';
import { sweepOfStore } from './own-names.js';
import { textOf } from './place.js';
import { usedTimes } from './users.js';

const STOP = v.object({ by: v.string(), at: v.string() });

/** Milliseconds between two looks. */
const LOOK = 500;

/** `folder`: a store, or the `.ftp` of the directory that the run is in. */
const stopPath = (folder: string, runId: string): string => join(folder, 'stops', runId);

/** Throws a `UserError` if the disk refuses. */
export function askToStop(folder: string, runId: string): void {
  const text = JSON.stringify({ by: `${userName()}@${hostname()}`, at: new Date().toISOString() });
  writeWhole(stopPath(folder, runId), `${text}\n`, { sync: true });
}

/** Whether someone asked, and the run has not ended since: it takes the file away when it does. */
export const isAskedToStop = (folder: string, runId: string): boolean => existsSync(stopPath(folder, runId));

export const forgetStop = (folder: string, runId: string): void =>
  sweepOfStore(folder, stopPath(folder, runId));

/** Milliseconds after which a run of another directory, which looks twice a second, would have ended. */
const IGNORED = 3_600_000;

/** Requests to runs that were killed before they saw them. */
export function leftStops(layout: Layout): readonly string[] {
  const found = rootsOf(layout).flatMap((folder) => {
    const stops = join(folder, 'stops');
    return namesIn(stops).map((runId) => ({ runId, path: join(stops, runId) }));
  });
  if (found.length === 0) return [];
  const lock = foundLock(layout);
  const living = new Set(
    [
      ...(lock === undefined ? [] : [{ runId: lock.runId, state: lock.state }]),
      ...foundClaims(layout).map(({ holder, state }) => ({ runId: holder.runId, state })),
    ].flatMap(({ runId, state }) => (state === 'gone' ? [] : [runId])),
  );
  const { now } = usedTimes(layout);
  const isOld = (path: string): boolean =>
    now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > IGNORED;
  // a run of another directory has claims only while it makes something
  return found
    .filter(({ runId, path }) => !living.has(runId) && (existsSync(runFolder(layout, runId)) || isOld(path)))
    .map(({ path }) => path);
}

/** Calls `asked` once, with who did. `close` also takes the request away: the run has ended. */
export function watchStops(
  folders: readonly string[],
  runId: string,
  asked: (by: string) => void,
): { close(): void } {
  const timer = setInterval(() => {
    for (const folder of folders) {
      const text = textOf(stopPath(folder, runId));
      if (text === undefined) continue;
      clearInterval(timer);
      asked(tryJson(STOP, text)?.by ?? 'someone');
      return;
    }
  }, LOOK).unref();
  return {
    close: () => {
      clearInterval(timer);
      for (const folder of folders) forgetStop(folder, runId);
    },
  };
}
