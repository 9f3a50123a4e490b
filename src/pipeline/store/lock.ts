/** One run a working directory: the second one is refused at once and told who holds the lock. */
import { existsSync, readFileSync, renameSync, statSync, utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { type JsonOf, tryJson } from '../../language/host/json.js';
import { whileWorking } from '../../language/host/long-work.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard } from '../../language/host/own-files.js';
import { identityOf, PROCESS_NOTE, stateOf, userName } from '../../language/host/process-identity.js';
import { writeWhole } from './durable.js';
import type { Layout } from './layout.js';
import { place, takeAway } from './place.js';
import { sinceText } from './since-text.js';
import { lockHeld, writing } from './store-diagnostics.js';

const HOLDER = v.object({
  ...PROCESS_NOTE.entries,
  runId: v.optional(v.string()),
  since: v.optional(v.string()),
  user: v.optional(v.string()),
  /** The store of a run, where it is not that of the directory. */
  store: v.optional(v.string()),
});
type Holder = JsonOf<typeof HOLDER>;

export interface RunLock {
  release(): void;
}

/** The holder touches the lock this often, … */
const BEAT = 5_000;
/** … and a holder that cannot be looked at (another machine or container) is gone after this long without. */
const SILENCE = 60_000;
/** A lock that seems silent is looked at for so long: the clock of another machine may be behind. */
const WATCHED = 2.5 * BEAT;
/** Time after which a lock that was taken over is looked at again: longer than the other contender's step. */
const SETTLE = 50;

/** Where a lock is, and what is said where another process has it. */
type LockLocation = Pick<Layout, 'root' | 'lock'> & {
  readonly shared?: string;
  readonly held?: (path: string, holder: string) => Diagnostic;
};

/** Throws a `UserError` that names the holder. */
export async function takeLock(
  layout: LockLocation,
  runId: string,
  now: () => number,
  watched = WATCHED,
): Promise<RunLock> {
  writing(layout.root, undefined, () => makeFolders(layout.root));
  const { root, shared = root } = layout;
  const mine: Holder = {
    ...identityOf(process.pid),
    runId,
    since: new Date(now()).toISOString(),
    user: userName(),
    ...(shared === root ? {} : { store: shared }),
  };
  const text = `${JSON.stringify(mine)}\n`;
  const ticket = `${layout.lock}.${process.pid}.${runId}`;
  // Linked, not created in place: whoever sees the lock sees all of it.
  writeWhole(ticket, text, { sync: true });
  try {
    if (!place(ticket, layout.lock)) {
      const found = read(layout.lock);
      if (found !== undefined && (await isHeld(found, layout.lock, now(), watched)))
        throw refusal(layout, found);
      takeAway(layout.lock, String(process.pid), (text) => {
        const taken = tryJson(HOLDER, text ?? '');
        return taken?.runId === found?.runId && taken?.pid === found?.pid;
      });
      const placed = place(ticket, layout.lock);
      await sleep(SETTLE);
      const holder = read(layout.lock);
      if (!placed || holder?.runId !== runId || holder.pid !== process.pid) throw refusal(layout, holder);
    }
  } finally {
    discard(ticket);
  }
  const show = (): void => {
    const time = now() / 1000;
    try {
      utimesSync(layout.lock, time, time);
    } catch {
      // Someone removed the lock by hand; nothing to keep alive.
    }
  };
  const beat = setInterval(show, BEAT).unref();
  const silent = whileWorking(show);
  return {
    release: () => {
      clearInterval(beat);
      silent();
      const holder = read(layout.lock);
      if (holder?.runId === runId && holder.pid === process.pid) discard(layout.lock);
    },
  };
}

/** `undefined` for a lock that says nothing: cut off by a power failure, or not ours. */
const read = (lock: string): Holder | undefined => readAs(HOLDER, lock);

function readAs<const S extends v.GenericSchema>(schema: S, path: string): v.InferInput<S> | undefined {
  try {
    return tryJson(schema, readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function isHeld(holder: Holder, lock: string, now: number, watched: number): Promise<boolean> {
  const state = stateOf(holder);
  if (state !== 'unknown') return state === 'alive';
  const touched = touchedAt(lock);
  if (now - touched < SILENCE) return true;
  for (let waited = 0; waited < watched; waited += SETTLE) {
    await sleep(SETTLE);
    if (touchedAt(lock) !== touched) return true;
  }
  return false;
}

const touchedAt = (lock: string): number => statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** `ana@box` */
const placeOf = ({ user, host }: Holder): readonly string[] =>
  user === undefined || host === undefined ? [] : [`${user}@${host}`];

function refusal({ lock, held = lockHeld }: LockLocation, holder: Holder | undefined): UserError {
  const who =
    holder === undefined
      ? 'it has just begun'
      : [
          ...placeOf(holder),
          `process ${holder.pid}`,
          ...(holder.since === undefined ? [] : [`since ${sinceText(holder.since)}`]),
        ].join(', ');
  return new UserError(held(lock, who));
}

export interface FoundLock extends Holder {
  readonly state: ReturnType<typeof stateOf>;
}

/** Who has the lock of a directory, or had it when it was killed. */
export function foundLock({ lock }: Pick<Layout, 'lock'>): FoundLock | undefined {
  const holder = read(lock);
  return holder === undefined ? undefined : { ...holder, state: stateOf(holder) };
}

/** Takes the lock away from a holder that is gone, or is said to be; leaves one that another has placed since. */
export function dropLock({ lock }: Pick<Layout, 'lock'>, holder: FoundLock): void {
  takeAway(lock, String(process.pid), (text) => {
    const there = tryJson(HOLDER, text ?? '');
    return there?.pid === holder.pid && there.runId === holder.runId;
  });
}

/** Processes of stages that run at once: the first one's identity, and those of the others. */
const CHILDREN = v.object({ ...PROCESS_NOTE.entries, others: v.optional(v.array(PROCESS_NOTE)) });
type ProcessNote = JsonOf<typeof PROCESS_NOTE>;

/** Processes of stages, as a run has noted them; those that ended since are among them. */
function notedChildren(layout: Layout): readonly ProcessNote[] {
  const noted = readAs(CHILDREN, layout.child);
  if (noted === undefined) return [];
  const { others = [], ...first } = noted;
  return [first, ...others];
}

/** A stage's process is noted, so that the next run can wait for one that outlived its parent. */
export const noteChild = (layout: Layout, pid: number): void =>
  noteChildren(layout, [...notedChildren(layout), identityOf(pid)]);

export const forgetChild = (layout: Layout, pid: number): void =>
  noteChildren(
    layout,
    notedChildren(layout).filter((one) => one.pid !== pid),
  );

/** Replaced by one rename: the other processes must stay known wherever this one is killed. */
function noteChildren({ child }: Layout, [first, ...others]: readonly ProcessNote[]): void {
  if (first === undefined) {
    discard(child);
    return;
  }
  const next = `${child}.next`;
  writeWhole(next, JSON.stringify(others.length === 0 ? first : { ...first, others }), { sync: false });
  writing(child, undefined, () => renameSync(next, child));
}

/**
 * Waits until the processes that a killed run left behind have ended, and ends those that take longer than
 * `patience` milliseconds: two processes must never write the same checkpoints.
 */
export async function outliveOrphan(layout: Layout, patience: number): Promise<void> {
  if (!existsSync(layout.child)) return;
  const step = 25;
  for (
    let orphans = notedChildren(layout), waited = 0;
    orphans.length > 0;
    orphans = orphans.filter((one) => stateOf(one) === 'alive'), waited += step
  ) {
    if (waited >= patience) for (const { pid } of orphans) end(pid);
    if (waited > 0) await sleep(step);
  }
  discard(layout.child);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
