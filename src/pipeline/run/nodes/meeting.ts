/** Where the machines of one run find each other: a file in their common store, named after the rendezvous. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { count, type JsonOf, tryJson, version } from '../../../language/host/json.js';
import { RUN_STATUS, type RunStatus } from '../../../language/ir/events.js';
import { type Layout, replaceFile } from '../../store/index.js';
import { textOf } from '../../store/place.js';

const MEETING = v.object({
  version: version(1),
  /** The run of node 0. */
  runId: v.string(),
  /** Grows while that run is alive: clocks of machines differ. */
  beat: count,
  /** The training that others are to join, and its folder in the store. */
  training: v.nullable(v.object({ stage: v.string(), folder: v.string() })),
  /** How the run ended; `null` while it runs. */
  status: v.nullable(RUN_STATUS),
});
export type Meeting = JsonOf<typeof MEETING>;

/** Milliseconds between two beats, and between two looks. */
export const BEAT = 1000;

const meetingPath = ({ shared }: Layout, rendezvous: string): string =>
  join(shared, 'nodes', `${rendezvous.replace(/[^\w.-]+/g, '_')}.json`);

export function readMeeting(layout: Layout, rendezvous: string): Meeting | undefined {
  const path = meetingPath(layout, rendezvous);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  const text = textOf(path);
  return text === undefined ? undefined : tryJson(MEETING, text);
}

export interface Announcement {
  /** Tells others what to join; `undefined`: nothing for now. */
  training(training: Meeting['training']): void;
  /** The run is over. */
  close(status: RunStatus): void;
}

/** Tells the other machines of this run for as long as it lives. Throws a `UserError` if the disk refuses. */
export function announce(layout: Layout, rendezvous: string, runId: string): Announcement {
  const path = meetingPath(layout, rendezvous);
  let now: Meeting = { version: 1, runId, beat: 0, training: null, status: null };
  const say = (change: Partial<Meeting>): void => {
    now = { ...now, ...change, beat: now.beat + 1 };
    replaceFile(path, `${JSON.stringify(now)}\n`);
  };
  say({});
  const timer = setInterval(() => {
    try {
      say({});
    } catch {
      // a disk that is full for a moment: the others wait
    }
  }, BEAT).unref();
  return {
    training: (training) => say({ training }),
    close(status) {
      clearInterval(timer);
      say({ training: null, status });
    },
  };
}
