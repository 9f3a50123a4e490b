/** An ejected training by a plain TRL script: a process per rank, as `torchrun` starts them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/compute/accelerate/free-port.js';
import { tryJson } from '../../src/language/host/json.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { TIMED, type Timed } from './timed.js';

/** What it measured, or why it did not. */
export async function trainedByTrl(python: string, folder: string, ranks: number): Promise<Timed | string> {
  const port = String(await freePort());
  const script = join(nodeHost().packageFolder, 'bench', 'ranks', 'peer.py');
  const begun = Date.now() / 1000;
  const said = await Promise.all(
    Array.from({ length: ranks }, async (_, rank) => {
      const child = spawn(python, [script, folder, String(begun)], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ...{ RANK: String(rank), LOCAL_RANK: String(rank), WORLD_SIZE: String(ranks) },
          ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: port, HF_HUB_OFFLINE: '1' },
          OMP_NUM_THREADS: String(Math.max(1, Math.floor(cpus().length / ranks))),
        },
      });
      const text = { out: '', err: '' };
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text.out += part;
      });
      child.stderr.setEncoding('utf8').on('data', (part: string) => {
        text.err += part;
      });
      await once(child, 'close');
      return text;
    }),
  );
  const lastOf = (text: string): string => text.trim().split('\n').at(-1) ?? '';
  return tryJson(TIMED, lastOf(said[0]?.out ?? '')) ?? said.map(({ err }) => lastOf(err)).join('; ');
}
