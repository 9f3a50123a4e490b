/** The process of a worker: started, watched while it is asked something, and ended; none is left when it is closed. */
import type * as v from 'valibot';
import { killLedger } from '../../language/host/process-memory.js';
import { lastLines } from './last-lines.js';
import { endOf, killGroup, spawnWorker, type WorkerCommand } from './worker-child.js';
import { failureError, type WorkerFailure, type WorkerPlace } from './worker-diagnostics.js';
import { type Question, Questions } from './worker-questions.js';
import { watcher } from './worker-watch.js';

export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Rejects with what failed, or with the signal's reason. Questions are answered in their order. */
  ask<S extends v.GenericSchema>(question: Question<S>): Promise<v.InferInput<S>>;
  /** Ends it at once: it has nothing to save. */
  close(): Promise<void>;
}

/** Characters of what it wrote last that are kept for a diagnostic. */
const TAIL = 8192;
/** How often silence and memory are looked at, in milliseconds. */
const LOOK = 500;

const watchKills = killLedger();

export function startWorkerProcess(command: WorkerCommand): WorkerProcess {
  const ranOut = watchKills();
  const child = spawnWorker(command);
  const pid = child instanceof Error ? undefined : child.pid;
  let tail = '';
  let failure: WorkerFailure | undefined;
  const place = (): WorkerPlace => ({ ...command, tail: lastLines(tail) });
  const questions = new Questions((line) => {
    if (!(child instanceof Error) && failure === undefined) child.stdin?.write(`${JSON.stringify(line)}\n`);
  }, place);
  const fail = (why: WorkerFailure): void => {
    failure ??= why;
    const known = failure;
    questions.fail(() => failureError(known, place()));
  };
  const note = (text: string): void => {
    tail = (tail + text).slice(-TAIL);
    command.printed?.(text);
  };
  const watch = watcher(command, () => questions.isAsked);
  const look = setInterval(
    () => {
      watch.memory(pid);
      const silent = failure === undefined ? watch.silent(pid) : undefined;
      if (silent === undefined) return;
      fail(silent);
      killGroup(pid);
    },
    Math.min(LOOK, command.bounds.silence / 4),
  );
  const ended = endOf(
    child,
    ranOut,
    (line) => {
      watch.heard(line);
      if ('note' in line) note(`${line.note}\n`);
      questions.hear(line);
    },
    note,
  ).then((why) => {
    clearInterval(look);
    fail(why);
  });
  return {
    pid,
    ask(question) {
      if (failure !== undefined) return Promise.reject(failureError(failure, place()));
      watch.asked();
      return questions.ask(question);
    },
    async close() {
      killGroup(pid);
      await ended;
    },
  };
}
