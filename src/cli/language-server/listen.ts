/** Starts the server on standard input and output, in a thread of its own. */
import { Worker } from 'node:worker_threads';

/**
 * A thread, because of its memory: every keystroke makes a tree and throws the last one away, and with room for a few
 * of them young objects are collected in two thirds of the time. The size of that room can be chosen for a thread.
 */
const YOUNG_MEGABYTES = 96;

/** Ends with the editor's `exit`, or when the editor is gone. */
export function listen(cwd: string): Promise<number> {
  const worker = new Worker(new URL('./server-thread.js', import.meta.url), {
    workerData: { cwd },
    stdin: true,
    stdout: true,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
  });
  if (worker.stdin !== null) process.stdin.pipe(worker.stdin);
  worker.stdout.pipe(process.stdout);
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', (code) => {
      process.stdin.unpipe().destroy();
      process.stdout.write('', () => resolve(code));
    });
  });
}
