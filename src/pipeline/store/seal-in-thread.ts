/**
 * Seals folders in a thread of its own, so that what goes on meanwhile goes on while the disk works: training, which keeps
 * the event loop of its own busy for as long as a micro batch takes, and a run, which shows others that it is alive.
 */
import { Worker } from 'node:worker_threads';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { ALWAYS_READ } from '../../language/host/seal-damage.js';
import type { SealedFiles } from '../../language/host/sealed-file.js';
import { sizeOf } from './digest.js';
import { sealFiles } from './seal.js';

export interface SealRequest {
  readonly folder: string;
  /** `commit`: with a list of the files in it. */
  readonly what: 'commit' | 'files';
}

/** How the sealing of a folder has ended. */
export type SealResult = { readonly folder: string } & (
  | { readonly files: SealedFiles }
  | { readonly diagnostic: Diagnostic }
);

interface PendingSeal {
  resolve(files: SealedFiles): void;
  reject(error: unknown): void;
}

interface SealThread {
  readonly worker: Worker;
  readonly waiting: Map<string, PendingSeal>;
}

/** Megabytes: it holds a window of a file and little else. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

let running: SealThread | undefined;

/** Resolves when the folder is a commit. Throws a `UserError` if the disk refuses. */
export const commitInThread = async (folder: string): Promise<void> =>
  void (await inThread({ folder, what: 'commit' }));

/** As {@link sealFiles}; where that takes longer than starting a thread, in one. */
export async function sealFilesAside(folder: string, aside: number = ALWAYS_READ): Promise<SealedFiles> {
  return sizeOf(folder) <= aside ? sealFiles(folder) : inThread({ folder, what: 'files' });
}

function inThread(request: SealRequest): Promise<SealedFiles> {
  running ??= start();
  const { worker, waiting } = running;
  return new Promise((resolve, reject) => {
    waiting.set(request.folder, { resolve, reject });
    worker.ref();
    worker.postMessage(request);
  });
}

function start(): SealThread {
  const worker = new Worker(new URL('./seal-thread.js', import.meta.url), { resourceLimits: LIMITS });
  const waiting = new Map<string, PendingSeal>();
  worker.on('message', (result: SealResult) => {
    const one = waiting.get(result.folder);
    waiting.delete(result.folder);
    if (waiting.size === 0) worker.unref();
    if ('files' in result) one?.resolve(result.files);
    else one?.reject(new UserError(result.diagnostic));
  });
  worker.on('error', (error) => {
    running = undefined;
    for (const { reject } of waiting.values()) reject(error);
  });
  return { worker, waiting };
}
