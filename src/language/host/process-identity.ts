import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import * as v from 'valibot';
import { type JsonOf, that } from './json.js';

/** Names a process for good: a pid alone is given out again, after a restart at the latest. */
interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Changes with every start of the machine; empty if the system does not say. */
  readonly boot: string;
  /** Containers number their processes apart. */
  readonly namespace: string;
  /** When the process began, in the system's own ticks; empty if the system does not say. */
  readonly started: string;
}

export const identityOf = (pid: number): ProcessIdentity => ({
  pid,
  host: hostname(),
  boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  namespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
  started: startOf(pid),
});

/** Part of a file's name that nothing else has, on no machine: {@link writerMark} and a random part. */
export const markOf = (): string => `${writerMark()}-${randomBytes(6).toString('hex')}`;

/** A mark, in a pattern of names; its group is what {@link mayWrite} takes. */
export const MARK = String.raw`(\d+-\d*-[0-9a-f]{8})-[0-9a-f]{12}`;

/** The same as part of a file's name: `12-3456-ab01cd23`. */
export function writerMark(): string {
  const { pid, started } = identityOf(process.pid);
  return `${pid}-${started}-${placeMark()}`;
}

/** Whether the process of a mark may be at work: one of another machine or container cannot be looked at. */
export function mayWrite(mark: string): boolean {
  const [, pid, started, place] = /^(\d+)(?:-(\d*)-([0-9a-f]{8}))?$/.exec(mark) ?? [];
  if (pid === undefined || (place !== undefined && place !== placeMark())) return true;
  return stateOf({ pid: Number(pid), started: started === '' ? undefined : started }) === 'alive';
}

/** Machine and container, not its start: what was written before a restart is left behind. */
function placeMark(): string {
  const { host, namespace } = identityOf(process.pid);
  return createHash('sha256').update(`${host}\n${namespace}`).digest('hex').slice(0, 8);
}

/** What a file says about a process; only its pid is sure to be there. */
export const PROCESS_NOTE = v.object({
  pid: that((value): value is number => Number.isSafeInteger(value) && Number(value) > 0, 'a process'),
  host: v.optional(v.string()),
  boot: v.optional(v.string()),
  namespace: v.optional(v.string()),
  started: v.optional(v.string()),
});
type ProcessNote = JsonOf<typeof PROCESS_NOTE>;

/** `unknown`: another machine or container, whose processes cannot be seen from here. */
export function stateOf(process: ProcessNote): 'alive' | 'gone' | 'unknown' {
  const here = identityOf(process.pid);
  if (process.host !== undefined && process.host !== here.host) return 'unknown';
  if (process.boot !== undefined && process.boot !== here.boot) return 'gone';
  if (process.namespace !== undefined && process.namespace !== here.namespace) return 'unknown';
  if (!exists(process.pid)) return 'gone';
  return process.started === undefined || process.started === here.started ? 'alive' : 'gone';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Fields of `/proc/<pid>/stat` after the name, which may hold spaces and brackets itself. */
const statFields = (pid: number): readonly string[] => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

const startOf = (pid: number): string => orEmpty(() => statFields(pid)[19] ?? '');

/** Dead, but its parent has not looked yet. */
const isZombie = (pid: number): boolean => orEmpty(() => statFields(pid)[0] ?? '') === 'Z';

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** Who runs this process, for people. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // a number that no name belongs to, as in containers
    return process.env['USER'] ?? String(process.getuid?.() ?? '');
  }
}
