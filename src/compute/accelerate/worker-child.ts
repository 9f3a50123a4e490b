/** A worker as a child process: how it is started, read and killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { childEnvironment, type Environment } from '../../language/host/child-environment.js';
import { tryJson } from '../../language/host/json.js';
import { pythonNeeds } from './python-environment.js';
import type { Bounds } from './rank-bounds.js';
import type { WorkerFailure, WorkerPlace } from './worker-diagnostics.js';
import { WORKER_LINE, type WorkerLine } from './worker-lines.js';

export interface WorkerCommand extends WorkerPlace {
  /** What follows the interpreter. */
  readonly args: readonly string[];
  /** What it gets besides what every process gets. */
  readonly environment: Environment;
  readonly bounds: Pick<Bounds, 'start' | 'silence'>;
  printed?(text: string): void;
  /** Told how many bytes were resident at most, whenever that has grown. */
  memory?(bytes: number): void;
}

/** A group of its own, so that what it has started ends with it, and Ctrl-C reaches only us. */
export function spawnWorker({ python, args, environment }: WorkerCommand): ChildProcess | Error {
  try {
    const env = childEnvironment(environment, pythonNeeds);
    return spawn(python, args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Resolves when the process is gone and all that it said was read. */
export function endOf(
  child: ChildProcess | Error,
  ranOut: () => boolean,
  hear: (line: WorkerLine) => void,
  note: (text: string) => void,
): Promise<WorkerFailure> {
  if (child instanceof Error) return Promise.resolve({ why: 'not_started', error: child });
  child.stdout?.on('data', lineReader(hear, note));
  child.stderr?.setEncoding('utf8').on('data', note);
  // one that has ended reads nothing any more
  child.stdin?.on('error', () => {});
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ why: 'not_started', error });
    });
    child.on('exit', (code, signal) => {
      const starved = signal === 'SIGKILL' && ranOut();
      const done = (): void =>
        resolve(signal === null ? { why: 'ended', code } : { why: 'killed', signal, starved });
      child.on('close', done);
      setTimeout(done, 1000).unref();
    });
  });
}

/** Splits standard output into lines of the worker's; others were printed. */
function lineReader(hear: (line: WorkerLine) => void, note: (text: string) => void) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk: Buffer): void => {
    const text = decoder.write(chunk);
    if (!text.includes('\n')) {
      rest += text;
      return;
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const read = tryJson(WORKER_LINE, line);
      if (read !== undefined) hear(read);
      else if (line !== '') note(`${line}\n`);
    }
  };
}

export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  for (const target of [-pid, pid])
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // it is gone, or has no group where the system has none
    }
}
