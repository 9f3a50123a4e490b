/** What every process that computes for this one has: why it cannot be started, and the end of what it prints. */
import type { ChildProcess } from 'node:child_process';

/** What native code printed last, kept for the diagnostic of a crash. */
const TAIL = 4096;

/** Why the system starts no process for now, by its code. */
const SHORT_OF: Readonly<Record<string, string>> = {
  EAGAIN: 'no more processes are allowed (`ulimit -u`)',
  ENOMEM: 'there is no memory for another process',
  EMFILE: 'too many files are open (`ulimit -n`)',
  ENFILE: 'too many files are open on this machine',
};

/** Why an error of the system kept a process from starting; `undefined` for any other error. */
export function shortOf(error: unknown): string | undefined {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  return Object.hasOwn(SHORT_OF, code) ? SHORT_OF[code] : undefined;
}

/** The end of what a process prints. */
export function tailOf(child: ChildProcess, heard?: (chunk: Buffer) => void): () => string {
  let tail = '';
  const take = (chunk: Buffer): void => {
    heard?.(chunk);
    tail = (tail + chunk.toString('utf8')).slice(-TAIL);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => tail;
}
