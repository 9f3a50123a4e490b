import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { childEnvironment, type Environment } from '../../language/host/child-environment.js';
import { tryJson } from '../../language/host/json.js';
import { peakMemoryOf } from '../../language/host/process-memory.js';
import { lastLines } from './last-lines.js';
import { pythonNeeds } from './python-environment.js';
import { RANK_EVENT, type RankEvent, type RankMessage } from './spec.js';

interface RankCommand {
  /** Over all nodes, from 0. */
  readonly rank: number;
  readonly python: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** What it gets besides what every process gets. */
  readonly environment: Environment;
}

export interface RankExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why there is no process. */
  readonly error?: NodeJS.ErrnoException;
}

interface RankHandlers {
  event(rank: number, event: RankEvent, tell: (message: RankMessage) => void): void;
  /** What libraries write, and lines that are no events. */
  printed(rank: number, text: string): void;
}

export interface RankProcess {
  readonly rank: number;
  readonly pid: number | undefined;
  /** When it gave its last sign of life, in milliseconds of `performance.now()`. */
  readonly heard: number;
  /** Between two signs of life since it said that it has started. */
  readonly longestSilence: number;
  readonly hasEnded: boolean;
  /** What it wrote last. */
  tail(): readonly string[];
  /** Bytes that were resident at most. */
  peak(): number;
  /** Asks it to save and end. */
  ask(): void;
  kill(): void;
  /** From now on is as if it had just been heard. */
  forgive(): void;
  /** Resolves when the process is gone and all that it said was read. */
  readonly ended: Promise<RankExit>;
}

/** Characters of what a rank wrote last that are kept for a diagnostic. */
const TAIL = 8192;
/** A line that is longer is no event. */
const LONGEST_LINE = 1 << 20;

/** Starts a rank. Its standard input is a pipe from this process: at its end the rank knows that it has no parent any more. */
export function startRank(command: RankCommand, handlers: RankHandlers): RankProcess {
  const child = spawnRank(command);
  const now = performance.now();
  const seen = { heard: now, longest: 0, peak: 0, started: false, ended: false };
  let tail = '';
  const note = (text: string): void => {
    tail = (tail + text).slice(-TAIL);
    handlers.printed(command.rank, text);
  };
  const write = (message: RankMessage | { readonly stop: true }): void => {
    if (!(child instanceof Error) && !seen.ended) child.stdin?.write(`${JSON.stringify(message)}\n`);
  };
  const signOfLife = ({ event }: RankEvent): void => {
    const at = performance.now();
    if (seen.started) seen.longest = Math.max(seen.longest, at - seen.heard);
    seen.started ||= event === 'start';
    seen.heard = at;
  };
  if (!(child instanceof Error)) {
    const take = eventReader((event) => {
      signOfLife(event);
      handlers.event(command.rank, event, write);
    }, note);
    child.stdout?.on('data', take);
    child.stderr?.setEncoding('utf8').on('data', note);
    // a rank that has ended reads nothing any more
    child.stdin?.on('error', () => {});
  }
  const ended = exitOf(child).then((exit) => {
    seen.ended = true;
    return exit;
  });
  const pid = child instanceof Error ? undefined : child.pid;
  return {
    rank: command.rank,
    pid,
    get heard() {
      return seen.heard;
    },
    get longestSilence() {
      return seen.longest;
    },
    get hasEnded() {
      return seen.ended;
    },
    tail: () => lastLines(tail),
    peak() {
      if (pid !== undefined && !seen.ended) seen.peak = Math.max(seen.peak, peakMemoryOf(pid) ?? 0);
      return seen.peak;
    },
    ask: () => write({ stop: true }),
    kill: () => {
      if (!seen.ended) killGroup(pid);
    },
    forgive: () => {
      seen.heard = performance.now();
    },
    ended,
  };
}

/** A group of its own, so that what a rank has started ends with it, and Ctrl-C reaches only the run. */
function spawnRank({ python, args, cwd, environment }: RankCommand): ChildProcess | Error {
  try {
    const env = childEnvironment(environment, pythonNeeds);
    return spawn(python, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

const exitOf = (child: ChildProcess | Error): Promise<RankExit> =>
  child instanceof Error
    ? Promise.resolve({ code: null, signal: null, error: child })
    : new Promise((resolve) => {
        child.on('error', (error) => {
          if (child.pid === undefined) resolve({ code: null, signal: null, error });
        });
        // what a rank has started may hold its standard error: that is not waited for
        child.on('exit', (code, signal) => {
          const done = (): void => resolve({ code, signal });
          child.on('close', done);
          setTimeout(done, 1000).unref();
        });
      });

/** Splits standard output into events; what is no event was printed. */
function eventReader(event: (event: RankEvent) => void, printed: (text: string) => void) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk: Buffer): void => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const read = tryJson(RANK_EVENT, line);
      if (read !== undefined) event(read);
      else if (line !== '') printed(`${line}\n`);
    }
    if (rest.length > LONGEST_LINE) {
      printed(rest);
      rest = '';
    }
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  for (const target of [-pid, pid])
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // it is gone, or has no group where the system has none
    }
}

/** Whether somebody has stopped a process (SIGSTOP, or a debugger), where the system says so. */
export function isStopped(pid: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[tT]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
