import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const FTPC = fileURLToPath(new URL('../../../bin/main.js', import.meta.url));

export type Line = Readonly<Record<string, unknown>> & { readonly type: string };

export interface Running {
  readonly process: ChildProcess;
  /** Grows while it runs. */
  readonly lines: readonly Line[];
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly err: string;
  }>;
  /** Resolves with the first line that fits; rejects when the run ends without one. */
  until(fits: (line: Line) => boolean): Promise<Line>;
}

/** Starts `ftpc run tiny.ftp --json`, where asked for after a line of a shell, such as a limit. */
export function start(
  cwd: string,
  words: readonly string[] = ['run', 'tiny.ftp', '--json'],
  env: Readonly<Record<string, string>> = {},
  limit?: string,
): Running {
  const command = [process.execPath, FTPC, ...words];
  const [program = '', ...given] =
    limit === undefined ? command : ['sh', '-c', `${limit}; exec "$0" "$@"`, ...command];
  const child = spawn(program, given, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  const waiting: { readonly fits: (line: Line) => boolean; readonly found: (line: Line) => void }[] = [];
  let rest = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('utf8')).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const line = JSON.parse(part) as Line;
      lines.push(line);
      for (const { fits, found } of waiting) if (fits(line)) found(line);
    }
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8');
  });
  const ended = new Promise<Awaited<Running['ended']>>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, err }));
  });
  return {
    process: child,
    lines,
    ended,
    until: (fits) =>
      new Promise((resolve, reject) => {
        const there = lines.find(fits);
        if (there !== undefined) resolve(there);
        waiting.push({ fits, found: resolve });
        void ended.then(({ code }) =>
          reject(new Error(`ended with ${code} before that line: ${err}${JSON.stringify(lines.slice(-4))}`)),
        );
      }),
  };
}

/** Runs to the end. */
export async function finish(cwd: string, words?: readonly string[]) {
  const running = start(cwd, words);
  return { ...(await running.ended), lines: running.lines };
}

/** The process of the stage at work, from the note that the run keeps. */
export function stageProcess(cwd: string): number {
  return (JSON.parse(readFileSync(`${cwd}/.ftp/lock.child`, 'utf8')) as { readonly pid: number }).pid;
}

/** Waits until a stage tells of progress, and halts its process there, which SIGCONT ends. */
export async function haltAtWork(running: Running, cwd: string): Promise<number> {
  await running.until(({ type }) => type === 'stage.progress');
  const atWork = stageProcess(cwd);
  process.kill(atWork, 'SIGSTOP');
  return atWork;
}

/** Where a run that has ended says that an output of a stage is; `lines`: what it told as JSON. */
export function outputsIn(
  cwd: string,
  lines: readonly Readonly<Record<string, unknown>>[],
): (stage: string, name: string) => string {
  const stages = lines.at(-1)?.['stages'] as readonly {
    readonly name: string;
    readonly outputs: Readonly<Record<string, string>>;
  }[];
  return (stage, name) => join(cwd, stages.find((one) => one.name === stage)?.outputs[name] ?? '');
}
