/** What a process holds, of its heap and outside of it, once all garbage is gone: resident memory says what it once held. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preloaded } from '../language/diagnostics/situations/faults.js';
import { until } from './until.js';

export interface LiveBytes {
  /** For the process that is asked, and those that it starts. */
  readonly environment: Readonly<Record<string, string>>;
  of(pid: number): Promise<number>;
  end(): void;
}

/** Processes with its environment answer a signal with a file. */
export function liveBytes(): LiveBytes {
  const folder = mkdtempSync(join(tmpdir(), 'live-'));
  const answerOf = (pid: number) => join(folder, String(pid));
  const environment = preloaded(`
    import { renameSync, writeFileSync } from 'node:fs';
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    import { isMainThread } from 'node:worker_threads';
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    if (isMainThread) process.on('SIGUSR2', () => {
      // what the first leaves to be finalized, the second one frees
      collect();
      setImmediate(() => {
        collect();
        const { heapUsed, external } = process.memoryUsage();
        const answer = ${JSON.stringify(`${folder}/`)} + process.pid;
        writeFileSync(answer + '.part', String(heapUsed + external));
        renameSync(answer + '.part', answer);
      });
    });`);
  return {
    environment,
    async of(pid) {
      const answer = answerOf(pid);
      rmSync(answer, { force: true });
      process.kill(pid, 'SIGUSR2');
      await until(() => existsSync(answer));
      return Number(readFileSync(answer, 'utf8'));
    },
    end: () => rmSync(folder, { recursive: true }),
  };
}
