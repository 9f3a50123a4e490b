/** The thread that seals folders: gets their paths, and says about each what came of it. */
import { parentPort } from 'node:worker_threads';
import { UserError } from '../../language/diagnostics/types.js';
import { sealCommit, sealFiles } from './seal.js';
import type { SealRequest, SealResult } from './seal-in-thread.js';

const say = (message: SealResult): void => parentPort?.postMessage(message);

parentPort?.on('message', ({ folder, what }: SealRequest) => {
  try {
    if (what === 'files') say({ folder, files: sealFiles(folder) });
    else {
      sealCommit(folder);
      say({ folder, files: {} });
    }
  } catch (error) {
    if (error instanceof UserError) say({ folder, diagnostic: error.diagnostic });
    else throw error;
  }
});
