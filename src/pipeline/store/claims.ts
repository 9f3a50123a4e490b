/**
 * Who makes the output of which key. Several processes, also of other machines, use one store: each output is made by one of
 * them, and the others wait for it. A claim is a file that is linked whole; what changes while the stage runs, as the
 * sign of life, is in a file next to it, which nobody else writes.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { type JsonOf, tryJson } from '../../language/host/json.js';
import { whileWorking } from '../../language/host/long-work.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard } from '../../language/host/own-files.js';
import { identityOf, markOf, PROCESS_NOTE, stateOf, userName } from '../../language/host/process-identity.js';
import { writeWhole } from './durable.js';
import type { Layout } from './layout.js';
import { sweepOfStore } from './own-names.js';
import { place, takeAway, textOf } from './place.js';
import { writing } from './store-diagnostics.js';

const HOLDER = v.object({
  ...PROCESS_NOTE.entries,
  user: v.string(),
  cwd: v.string(),
  runId: v.string(),
  stage: v.string(),
  /** ISO 8601, UTC, of the holder's clock. */
  since: v.string(),
  /** Names its signs of life. */
  mark: v.string(),
});
export type ClaimHolder = JsonOf<typeof HOLDER>;

const BEAT = v.object({
  beat: v.number(),
  progress: v.optional(v.object({ done: v.number(), total: v.number(), unit: v.string() })),
  /** The process of the stage, which may live on for a while when its parent is killed. */
  child: v.optional(PROCESS_NOTE),
});
type Beat = JsonOf<typeof BEAT>;
type Progress = NonNullable<Beat['progress']>;

export type ClaimAbout = Pick<ClaimHolder, 'runId' | 'stage'>;

export interface Claim {
  /** How far the stage is; others see it with the next sign of life. */
  progress(progress: Progress): void;
  /** The process that makes the output. */
  child(pid: number): void;
  /** Another process has taken over, as this one gave no sign of life for too long: the stage has to end at once. */
  readonly lost: AbortSignal;
  release(): void;
}

export interface ClaimOptions {
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Another process makes this output; called again if it is another one. */
  readonly waiting?: (holder: ClaimHolder) => void;
  readonly timing?: Partial<ClaimTiming>;
}

/** Milliseconds. */
interface ClaimTiming {
  /** Between two signs of life. */
  readonly beat: number;
  /** A holder that cannot be looked at (another machine or container) is gone after this long without one, by our own clock. */
  readonly silence: number;
  /** Between two looks at a holder. */
  readonly look: number;
  /** How long the process of a stage whose parent is gone may take to save its state. */
  readonly patience: number;
  readonly clock: () => number;
}

/** A directory on a network may be looked at as it was a minute ago. */
const TIMING: ClaimTiming = {
  beat: 2_000,
  silence: 120_000,
  look: 500,
  patience: 20_000,
  clock: () => performance.now(),
};

/** Until a claim that has just gone is asked for again: its holder, or another contender, may be in the middle of a step. */
const SETTLE = 50;

/** What the folder of claims says of one key. */
export interface FoundClaim {
  readonly key: string;
  readonly holder: ClaimHolder;
  readonly progress?: Progress;
  readonly child?: Beat['child'];
  readonly beat: number;
  readonly state: ReturnType<typeof stateOf>;
}

/** The claim of a key once nobody else has it; `undefined` if the signal came first. Throws a `UserError` if the disk refuses. */
export async function claimKey(
  layout: Layout,
  key: string,
  about: ClaimAbout,
  { signal, waiting, timing }: ClaimOptions = {},
): Promise<Claim | undefined> {
  const times = { ...TIMING, ...timing };
  const looks = watcher(layout, times);
  let told = '';
  while (signal?.aborted !== true) {
    const mine = tryClaim(layout, key, about, times);
    if (mine !== undefined) return mine;
    const path = join(layout.claims, key);
    const text = textOf(path);
    const found = foundClaim(layout, key);
    if (found !== undefined && found.holder.mark !== told) {
      told = found.holder.mark;
      waiting?.(found.holder);
    }
    if (await looks.isGone(key, text ?? '', found)) {
      takeAway(path, markOf(), (there) => there === text);
      if (found !== undefined) sweepOfStore(layout.shared, beatPath(layout, key, found.holder));
    }
    await pause(text === undefined ? SETTLE : times.look, signal);
  }
  return undefined;
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    // The signal came: who waits looks at it.
  }
}

/** Tells whether who holds a claim is gone, from one look to the next. */
function watcher(layout: Layout, { silence, patience, clock }: ClaimTiming) {
  let last = '';
  let since = clock();
  return {
    isGone: async (key: string, text: string, found: FoundClaim | undefined): Promise<boolean> => {
      const seen = `${text}${found === undefined ? '' : textOf(beatPath(layout, key, found.holder))}`;
      if (seen !== last) {
        last = seen;
        since = clock();
      }
      if (found === undefined || found.state === 'unknown') return clock() - since >= silence;
      if (found.state === 'alive') return false;
      if (found.child !== undefined) await outlive(found.child, patience);
      return true;
    },
  };
}

/** Waits until a process has ended, and ends it after `patience` milliseconds. */
async function outlive(orphan: NonNullable<Beat['child']>, patience: number): Promise<void> {
  const step = 25;
  for (let waited = 0; stateOf(orphan) === 'alive'; waited += step) {
    if (waited >= patience) process.kill(orphan.pid, 'SIGKILL');
    await sleep(step);
  }
}

/** The claim of a key if nobody has it; does not wait, and takes nothing away. */
export function tryClaim(
  layout: Layout,
  key: string,
  { runId, stage }: ClaimAbout,
  { beat }: Pick<ClaimTiming, 'beat'> = TIMING,
): Claim | undefined {
  const mark = markOf();
  const mine: ClaimHolder = {
    ...identityOf(process.pid),
    user: userName(),
    cwd: layout.cwd,
    runId,
    stage,
    since: new Date().toISOString(),
    mark,
  };
  const path = join(layout.claims, key);
  if (textOf(path) !== undefined) return undefined;
  const ticket = `${path}.${mark}.ticket`;
  writing(layout.claims, undefined, () => makeFolders(layout.claims));
  writeWhole(ticket, `${JSON.stringify(mine)}\n`, { sync: true });
  try {
    return place(ticket, path) ? hold(layout, key, mine, beat) : undefined;
  } finally {
    discard(ticket);
  }
}

function hold(layout: Layout, key: string, mine: ClaimHolder, every: number): Claim {
  const path = join(layout.claims, key);
  const signs = beatPath(layout, key, mine);
  const lost = new AbortController();
  let sign: Beat = { beat: 0 };
  const isMine = (): boolean => tryJson(HOLDER, textOf(path) ?? '')?.mark === mine.mark;
  const show = (): void => {
    sign = { ...sign, beat: sign.beat + 1 };
    try {
      writeFileSync(signs, `${JSON.stringify(sign)}\n`);
    } catch {
      // A disk that is full, or away, for a moment: the next one may get through.
    }
  };
  let missing = 0;
  const timer = setInterval(() => {
    const there = textOf(path);
    missing = there === undefined ? missing + 1 : 0;
    // Another contender looks at a claim by renaming it for a moment.
    if (there !== undefined ? isMine() : missing < 3) show();
    else {
      clearInterval(timer);
      silent();
      lost.abort();
    }
  }, every).unref();
  show();
  const silent = whileWorking(show);
  return {
    progress: (progress) => {
      sign = { ...sign, progress };
    },
    child: (pid) => {
      sign = { ...sign, child: identityOf(pid) };
      show();
    },
    lost: lost.signal,
    release: () => {
      clearInterval(timer);
      silent();
      if (isMine()) discard(path);
      discard(signs);
    },
  };
}

const beatPath = (layout: Layout, key: string, { mark }: Pick<ClaimHolder, 'mark'>): string =>
  join(layout.claims, `${key}.${mark}.beat`);

/** `undefined` if nobody claims this key, or if the claim cannot be read. */
export function foundClaim(layout: Layout, key: string): FoundClaim | undefined {
  const holder = tryJson(HOLDER, textOf(join(layout.claims, key)) ?? '');
  if (holder === undefined) return undefined;
  const { beat, progress, child } = tryJson(BEAT, textOf(beatPath(layout, key, holder)) ?? '') ?? { beat: 0 };
  return { key, holder, beat, progress, child, state: stateOf(holder) };
}

export const isKey = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

/** Takes a claim away whose holder is gone; leaves one that another process has placed since. */
export function dropClaim(layout: Layout, { key, holder }: Pick<FoundClaim, 'key' | 'holder'>): void {
  takeAway(join(layout.claims, key), markOf(), (text) => tryJson(HOLDER, text ?? '')?.mark === holder.mark);
  sweepOfStore(layout.shared, beatPath(layout, key, holder));
}

/** Every claim of a store, oldest first. */
export const foundClaims = (layout: Layout): readonly FoundClaim[] =>
  namesIn(layout.claims)
    .filter(isKey)
    .map((key) => foundClaim(layout, key))
    .filter((claim) => claim !== undefined)
    .sort((a, b) => (a.holder.since < b.holder.since ? -1 : 1));

export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
