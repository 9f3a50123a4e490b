/** The thread that seals folders: gets their paths, and says about each whether it is done. */
import { parentPort } from 'node:worker_threads';
import { UserError } from '../../language/diagnostics/types.js';
import { seal } from './seal.js';
import type { SealResult } from './seal-in-thread.js';

const say = (message: SealResult): void => parentPort?.postMessage(message);

parentPort?.on('message', (folder: string) => {
  try {
    seal(folder);
    say({ folder });
  } catch (error) {
    if (error instanceof UserError) say({ folder, diagnostic: error.diagnostic });
    else throw error;
  }
});
