/**
 * Seals folders in a thread of its own, so that training continues while the disk works. A thread, because training keeps
 * the event loop of its own busy for as long as a micro batch takes.
 */
import { Worker } from 'node:worker_threads';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';

/** How the sealing of a folder has ended. */
export interface SealResult {
  readonly folder: string;
  readonly diagnostic?: Diagnostic;
}

interface PendingSeal {
  resolve(): void;
  reject(error: unknown): void;
}

interface SealThread {
  readonly worker: Worker;
  readonly waiting: Map<string, PendingSeal>;
}

/** Megabytes: it holds a window of a file and little else. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

let running: SealThread | undefined;

/** Resolves when the folder is sealed. Throws a `UserError` if the disk refuses. */
export function sealInThread(folder: string): Promise<void> {
  running ??= start();
  const { worker, waiting } = running;
  return new Promise((resolve, reject) => {
    waiting.set(folder, { resolve, reject });
    worker.ref();
    worker.postMessage(folder);
  });
}

function start(): SealThread {
  const worker = new Worker(new URL('./seal-thread.js', import.meta.url), { resourceLimits: LIMITS });
  const waiting = new Map<string, PendingSeal>();
  worker.on('message', ({ folder, diagnostic }: SealResult) => {
    const one = waiting.get(folder);
    waiting.delete(folder);
    if (waiting.size === 0) worker.unref();
    if (diagnostic === undefined) one?.resolve();
    else one?.reject(new UserError(diagnostic));
  });
  worker.on('error', (error) => {
    running = undefined;
    for (const { reject } of waiting.values()) reject(error);
  });
  return { worker, waiting };
}
