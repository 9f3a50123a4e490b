import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MOST = 64;

/**
 * The lowest `ulimit -n` under which this version of Node runs a module that is empty: with one less it ends before any file of
 * a program is opened.
 */
export function fewestOpenFiles(): number {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-files-'));
  try {
    const empty = join(folder, 'empty.mjs');
    writeFileSync(empty, '');
    for (let limit = 8; limit <= MOST; limit++) {
      const { status } = spawnSync('sh', [
        '-c',
        `ulimit -n ${limit}; exec "$0" "$1"`,
        process.execPath,
        empty,
      ]);
      if (status === 0) return limit;
    }
    throw new Error(`Node opens more than ${MOST} files before its first module`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
