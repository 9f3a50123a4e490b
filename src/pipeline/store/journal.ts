import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Host } from '../../language/host/host.js';
import { finite, type JsonOf, jsonLines } from '../../language/host/json.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { RUN_EVENT, type RunEvent } from '../../language/ir/events.js';
import { writeAll } from './durable.js';
import { checkedLine, soundLines } from './journal-line.js';
import { journalPath, type Layout, layoutIn, runFolder } from './layout.js';
import { writing } from './store-diagnostics.js';

/** An event with the time at which it was written, milliseconds since the epoch. */
const JOURNAL_LINE = v.intersect([RUN_EVENT, v.object({ at: finite })]);
export type JournalLine = JsonOf<typeof JOURNAL_LINE>;

export interface Journal {
  readonly path: string;
  append(event: RunEvent): void;
  close(): void;
}

/** After these the journal is forced to disk; what is between them may be lost in a power cut, and nothing else. */
const DURABLE: ReadonlySet<RunEvent['type']> = new Set([
  'run.started',
  'stage.started',
  'checkpoint.saved',
  'recovery',
  'retry',
  'stage.finished',
  'run.finished',
]);

/**
 * Opens the journal of a run to append lines. `now`: milliseconds since the epoch. Throws a `UserError` if it cannot
 * be written.
 */
export function openJournal(layout: Layout, runId: string, now: () => number): Journal {
  const path = journalPath(layout, runId);
  const file = writing(path, undefined, () => {
    makeFolders(runFolder(layout, runId));
    return openSync(path, 'a');
  });
  return {
    path,
    append: (event) => {
      const line = Buffer.from(`${checkedLine(JSON.stringify({ at: now(), ...event }))}\n`);
      writing(path, line.byteLength, () => {
        writeAll(file, line);
        if (DURABLE.has(event.type)) fsyncSync(file);
      });
    },
    close: () => closeSync(file),
  };
}

/**
 * The events of a run. A line that was cut off by a kill is left out; so is one that is no event, or not as it was written.
 * `only`: of these types; a journal has a line for every step, and parsing takes most of the time.
 */
export function readJournal(
  layout: Layout,
  runId: string,
  only?: readonly RunEvent['type'][],
): readonly JournalLine[] {
  const path = journalPath(layout, runId);
  if (!existsSync(path)) return [];
  const isMeant = (line: string): boolean => only?.some((type) => line.includes(`"type":"${type}"`)) ?? true;
  return jsonLines(JOURNAL_LINE, soundLines(readFileSync(path, 'utf8')), isMeant).filter(
    ({ type }) => only?.includes(type) ?? true,
  );
}

/** Ids of the runs that have a journal, newest first: a run's id begins with its time. */
export function runIds(host: Host): readonly string[] {
  const layout = layoutIn(host.cwd);
  if (host.stat(layout.runs)?.isFolder !== true) return [];
  return host
    .list(layout.runs)
    .filter((id) => host.stat(journalPath(layout, id))?.isFolder === false)
    .toReversed();
}

/**
 * `20261125-021354-1a2b`: sorts by time, to the millisecond; the last 6 bits are of the process, for runs that begin in the
 * same one.
 */
export function runIdAt(time: number, pid: number): string {
  const [date = '', clock = ''] = new Date(time).toISOString().slice(0, 19).split('T');
  const mark = (((time % 1000) << 6) | (pid % 64)).toString(16).padStart(4, '0');
  return `${date.replaceAll('-', '')}-${clock.replaceAll(':', '')}-${mark}`;
}

/** Of a run that begins now: it sorts after those that are there, though the clock was set back. */
export function newRunId(host: Host, pid: number): string {
  const [latest] = runIds(host).flatMap((id) => timeOf(id) ?? []);
  return runIdAt(Math.max(host.now(), latest === undefined ? 0 : latest + 1), pid);
}

const RUN_ID = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-([0-9a-f]{4})$/;

/** When a run of this id began; `undefined` for a folder of another name. */
function timeOf(id: string): number | undefined {
  const [, year, month, day, hour, minute, second, mark = ''] = RUN_ID.exec(id) ?? [];
  const whole = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(whole) ? undefined : whole + (Number.parseInt(mark, 16) >> 6);
}
