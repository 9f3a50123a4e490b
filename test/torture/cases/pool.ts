/** Processes that try cases, as many as are asked for at once. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Loss, TortureOptions } from '../kind.js';
import type { Range, Said } from './cases.js';

/** Milliseconds without a word after which a case is tried alone. */
const PATIENCE = 120_000;
/** Megabytes of a process: a case that fills them dies of it. */
const HEAP = 1500;

export interface Pool {
  run(from: number, to: number): Promise<readonly Loss[]>;
  close(): Promise<void>;
}

/** `alone`: tries a case by which a process died or hung, or that went wrong, once more; what is wrong then is a loss. */
export function pool(
  module: string,
  options: TortureOptions,
  alone: (number: number, how: string) => Promise<string | undefined>,
): Pool {
  const free: ChildProcess[] = [];
  const start = (): ChildProcess => {
    const folder = mkdtempSync(join(options.folder, 'process-'));
    return fork(
      fileURLToPath(new URL('./process.js', import.meta.url)),
      [module, JSON.stringify({ ...options, folder })],
      { execArgv: [`--max-old-space-size=${HEAP}`], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    );
  };
  return {
    run: async (from, to) => {
      const losses: Loss[] = [];
      for (let next = from; next < to; ) {
        const child = free.pop() ?? start();
        const { wrong, last, died } = await attempt(child, { from: next, to });
        if (died === undefined) free.push(child);
        const suspects = died === undefined ? wrong : [...wrong, { number: last, what: died }];
        for (const { number, what } of suspects) {
          const loss = await alone(number, what);
          if (loss !== undefined) losses.push({ number, what: loss });
        }
        next = died === undefined ? to : last + 1;
      }
      return losses;
    },
    close: async () => {
      for (const child of free.splice(0)) child.disconnect();
    },
  };
}

interface Attempt {
  readonly wrong: readonly Loss[];
  /** The case that had begun last. */
  readonly last: number;
  /** How the process ended, if it did. */
  readonly died?: string;
}

function attempt(child: ChildProcess, range: Range): Promise<Attempt> {
  const wrong: Loss[] = [];
  let last = range.from;
  let printed = '';
  const listen = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-600);
  };
  return new Promise((resolve) => {
    const end = (died?: string): void => {
      clearTimeout(dog);
      child.removeAllListeners('message').removeAllListeners('exit');
      child.stderr?.removeListener('data', listen);
      resolve({ wrong, last, died });
    };
    const bark = (): void => {
      child.kill('SIGKILL');
      end('it does not end');
    };
    let dog = setTimeout(bark, PATIENCE);
    child.stderr?.on('data', listen);
    child.on('exit', (code, signal) => end(`its process ended with ${signal ?? code}: ${printed}`));
    child.on('message', (said: Said) => {
      clearTimeout(dog);
      dog = setTimeout(bark, PATIENCE);
      if (said.type === 'begins') last = said.number;
      else if (said.type === 'wrong') wrong.push(said);
      else end();
    });
    child.send(range);
  });
}
