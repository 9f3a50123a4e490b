import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ranksThat } from './environment.js';
import type { Ground, Situations } from './types.js';

const says = (kind: string, message: string): string =>
  `echo '${JSON.stringify({ event: 'error', rank: 0, kind, message })}'; exit 4`;

/** Takes the interpreter away when the first stage has begun. */
async function gone({ folder }: Ground): Promise<void> {
  while (!existsSync(join(folder, '.ftp/lock.child'))) await sleep(10);
  rmSync(join(folder, 'bin/python'), { force: true });
}

export const RANKS: Situations = {
  FTP1890: ranksThat('kill -9 $$'),
  FTP1891: async (ground) => {
    await ranksThat('exec sleep 600')(ground);
    return { env: { FTPC_RANK_START: '1' } };
  },
  FTP1892: ranksThat('echo "Fatal Python error: Segmentation fault" >&2; exit 139'),
  FTP1893: ranksThat(says('versions', 'transformers 4.57.1 instead of 5.24.0')),
  FTP1894: ranksThat(says('model', 'transformers cannot load model: it has no architecture `newest`')),
  FTP1895: ranksThat(says('distributed', 'Connection closed by peer [127.0.0.1]:29400')),
  FTP1897: ranksThat(says('import', 'No module named torch.nn')),
  FTP1896: async (ground) => {
    await ranksThat('exit 0')(ground);
    return { meanwhile: () => gone(ground) };
  },
};
