import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pythonNeeds } from '../../compute/accelerate/python-environment.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { childEnvironment } from '../../language/host/child-environment.js';
import { killLedger, peakMemoryOf } from '../../language/host/process-memory.js';
import { OPEN_FILES } from '../../language/host/system-limit.js';
import type { StageEvent } from '../../language/ir/events.js';
import { stages } from '../stages/index.js';
import { shortOf, tailOf } from './child-process.js';
import type { EndOfProcess, FromChild, StageTask, ToChild } from './messages.js';
import {
  noFilesLeft,
  processCrashed,
  processEnded,
  processKilled,
  processNotStarted,
} from './run-diagnostics.js';
import { neededBy, stageVariables } from './stage-environment.js';

interface StageHandlers {
  event(event: StageEvent): void;
  diagnostic(diagnostic: Diagnostic): void;
  /** The process has begun. */
  started(pid: number): void;
  /** Something was written to standard output or error. */
  printed?(chunk: Buffer): void;
}

export interface Interrupts {
  /** Asks the stage to save what it can and end. */
  readonly stop: AbortSignal;
  /** Ends it at once. */
  readonly kill: AbortSignal;
  /** Seconds from the first until this process is ended too, where that is known. */
  readonly notice?: number;
}

const watchKills = killLedger();

/** How long a stage may take to save its state once asked to stop, in milliseconds. */
const PATIENCE = 60_000;
/** Of a notice, what is left for the run to say how it ended: so many seconds, but no more than this share. */
const LAST_WORDS = { seconds: 2, share: 0.2 } as const;

export const patienceOf = (notice: number | undefined): number =>
  notice === undefined ? PATIENCE : 1000 * (notice - Math.min(LAST_WORDS.seconds, LAST_WORDS.share * notice));
/** How long a process may take to begin, in milliseconds: many times what it takes on a machine that is overloaded. */
const START = 180_000;
/** How often the memory of a running stage is looked at, for the case that it is killed. */
const LOOK = 250;

/**
 * Megabytes of each half of the room for short-lived objects, of stages that compute with tensors and of those that stream rows: they
 * would fill up to 48 in all before they are collected, with the buffers that hang on them. A step makes few; of rows, next to nothing
 * outlives a collection.
 */
const YOUNG_HALF = { tensors: 4, rows: 2 } as const;

/**
 * `gc` lets the tensor room give outgrown buffers back at once (see tensor/garbage.ts), as the memory plan assumes; they are gone when it
 * returns only where no other thread of V8 frees them, which on an idle machine came after the next were made: 60 MiB in a merge. A
 * collection that marks in steps keeps all that is made until it ends: up to 50 MiB, in some runs.
 */
const nodeOptions = (task: Pick<StageTask, 'stage' | 'encoders'>): readonly string[] => {
  const streams = stages[task.stage.kind].tensors === 'none';
  return [
    '--expose-gc',
    '--no-concurrent-array-buffer-sweeping',
    '--no-incremental-marking',
    `--max-semi-space-size=${YOUNG_HALF[streams ? 'rows' : 'tensors']}`,
    ...(streams ? v8PoolOf(task.encoders) : []),
  ];
};

/** The first Node whose V8 compiles in three steps. */
const NODE_OF_POOLS = 24;
/** Threads of V8 that compile and collect, where a process is not told how many. */
const V8_THREADS = 4;

/**
 * Of stages that stream rows. A compiler works in up to 2 MiB, and four threads in 8 at once or in less, as it happens: there are as many
 * as there are that run what they compile. On newer Nodes more is compiled, and what waits for a thread takes more than that saves.
 */
const v8PoolOf = (encoders = 0): readonly string[] =>
  Number.parseInt(process.versions.node, 10) < NODE_OF_POOLS
    ? [`--v8-pool-size=${Math.min(V8_THREADS, 1 + encoders)}`]
    : [];

/** Runs a stage in its own process and says how it ended, whatever happens to that process. */
export async function runInProcess(
  task: StageTask,
  handlers: StageHandlers,
  interrupts: Interrupts,
  start = START,
): Promise<EndOfProcess> {
  const ranOut = watchKills();
  const child = forkStage(task);
  if (child instanceof UserError)
    return { end: { how: 'failed', diagnostic: child.diagnostic }, peakMemoryBytes: 0 };
  if (child.pid !== undefined) noted(child, () => handlers.started(child.pid ?? 0));
  const printed = tailOf(child, handlers.printed);
  let said: EndOfProcess | undefined;
  let peak = 0;
  let others = 0;
  const never = endWhereItDoesNotBegin(child, start);
  child.on('message', (message: FromChild) => {
    if (message.type === 'begun') return;
    if (message.type === 'event') handlers.event(message.event);
    else if (message.type === 'diagnostic') handlers.diagnostic(message.diagnostic);
    else if (message.type === 'memory') others = message.bytes;
    else said = message;
  });
  const look = setInterval(() => {
    peak = Math.max(peak, others, peakMemoryOf(child.pid ?? 0) ?? 0);
  }, LOOK);
  const forget = forward(child, interrupts);
  const exit = await new Promise<ProcessExit>((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, error }));
    child.on('close', (code, signal) => resolve({ code, signal }));
    tell(child, { type: 'task', task });
  });
  clearInterval(look);
  forget();
  if (never())
    return {
      end: { how: 'failed', diagnostic: processNotStarted(task.stage, NO_THREADS) },
      peakMemoryBytes: 0,
    };
  const last = said as EndOfProcess | undefined;
  if (last !== undefined) {
    const unasked = last.end.how === 'interrupted' && !interrupts.stop.aborted;
    const end = unasked ? ({ how: 'failed', diagnostic: processEnded(task.stage) } as const) : last.end;
    return { end, peakMemoryBytes: Math.max(peak, last.peakMemoryBytes) };
  }
  if (interrupts.stop.aborted) return { end: { how: 'interrupted', saved: false }, peakMemoryBytes: peak };
  const starved = (exit.signal === 'SIGKILL' && ranOut()) || /heap out of memory|bad_alloc/.test(printed());
  return {
    end: { how: 'failed', diagnostic: causeOf(task, exit, peak, starved, printed()), starved },
    peakMemoryBytes: peak,
  };
}

/** Some of what the system is short of is thrown at once; the rest is an event of the process. */
function forkStage(task: StageTask): ChildProcess | UserError {
  const needed = neededBy(task);
  const needs = (name: string): boolean =>
    needed.has(name) || (task.engine !== undefined && pythonNeeds(name));
  try {
    return fork(fileURLToPath(new URL('./child.js', import.meta.url)), [], {
      cwd: task.cwd,
      env: childEnvironment(stageVariables(task), needs),
      execArgv: [...nodeOptions(task)],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
  } catch (error) {
    const why = shortOf(error);
    if (why === undefined) throw error;
    return new UserError(processNotStarted(task.stage, why));
  }
}

/** Says afterwards whether it did not. */
function endWhereItDoesNotBegin(child: ChildProcess, start: number): () => boolean {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, start);
  child.once('message', () => clearTimeout(timer));
  child.once('exit', () => clearTimeout(timer));
  return () => isLate;
}

/** A process that cannot be noted does nothing: it is ended, since this one would wait for it. */
function noted(child: ChildProcess, note: () => void): void {
  try {
    note();
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: NodeJS.ErrnoException;
}

/** Why the system lets a process not begin. */
const NO_THREADS = 'it does not begin; the limit of threads (`ulimit -u`) may be reached';

function causeOf(
  task: StageTask,
  exit: ProcessExit,
  peak: number,
  starved: boolean,
  printed: string,
): Diagnostic {
  if (exit.signal !== null && (starved || exit.signal === 'SIGKILL'))
    return processKilled(task.stage, exit.signal, peak, starved);
  const short = shortOf(exit.error);
  if (short !== undefined) return processNotStarted(task.stage, short);
  if (printed.includes(OPEN_FILES.code)) return noFilesLeft(task.stage);
  const how = exit.error?.message ?? (exit.signal === null ? `exit code ${exit.code}` : exit.signal);
  const lines = printed.split('\n').filter((line) => line.trim() !== '');
  return processCrashed(task.stage, how, lines.slice(-5));
}

function tell(child: ChildProcess, message: ToChild): void {
  // The exit of a child that is already gone is reported by its own event.
  if (child.connected) child.send(message, () => {});
}

/** Passes interrupts on; the returned function stops doing so. */
function forward(child: ChildProcess, { stop, kill, notice }: Interrupts): () => void {
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => void child.kill('SIGKILL');
  const ask = (): void => {
    tell(child, { type: 'stop' });
    timer = setTimeout(end, patienceOf(notice));
  };
  stop.addEventListener('abort', ask, { once: true });
  kill.addEventListener('abort', end, { once: true });
  if (stop.aborted) ask();
  if (kill.aborted) end();
  return () => {
    clearTimeout(timer);
    stop.removeEventListener('abort', ask);
    kill.removeEventListener('abort', end);
  };
}
