import { appendFileSync, closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, HostError, type HostErrorCode } from '../../../../src/language/host/host.js';
import { preloaded, withoutPackage } from './faults.js';
import type { Ground, Situations } from './types.js';

/** A machine on which the file of that name cannot be read. */
const unreadable =
  (name: string, code: HostErrorCode, detail: string) =>
  (real: Host): Host => ({
    ...real,
    readText(path) {
      if (path.endsWith(`/${name}`)) throw new HostError(code, path, detail);
      return real.readText(path);
    },
  });

/** A file with a hole of three gigabytes, which takes no room. */
function hugeFile({ folder }: Ground, name: string): void {
  const file = openSync(join(folder, name), 'w');
  ftruncateSync(file, 3 * 2 ** 30);
  closeSync(file);
}

export const FILES: Situations = {
  // Tests may run as root, who may read everything.
  FTP0603: () => ({
    host: unreadable('pipeline.ftp', 'no_access', "EACCES: permission denied, open 'pipeline.ftp'"),
  }),
  FTP0604: (ground) => {
    hugeFile(ground, 'big.ftp');
    return undefined;
  },
  FTP0608: ({ write }) => {
    const line = (step: number): string => `step ${step}: loss = 2.31; speed = 412 tokens/s\n`;
    write('train.log', Array.from({ length: 2000 }, (_, step) => line(step)).join(''));
    return undefined;
  },
  FTP0605: () => ({ host: unreadable('drive/pipeline.ftp', 'io', 'EIO: i/o error, read') }),
  FTP0896: () => ({ host: unreadable('pipeline.ftp', 'open_files', 'EMFILE: too many open files') }),
  FTP0897: () => ({
    asProcess: true,
    env: preloaded(`import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const write = fs.writeSync;
      fs.writeSync = (file, ...more) => {
        if (file === 1) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return write(file, ...more);
      };
      syncBuiltinESMExports();`),
  }),
  FTP0898: () => ({
    asProcess: true,
    env: preloaded(
      `JSON.stringify = () => { throw new RangeError('WebAssembly.Memory(): could not allocate memory'); };`,
    ),
  }),
  // An editor saves the file between the look at it and the write.
  FTP1061: ({ folder }) => ({
    host: (real) => ({
      ...real,
      readText(path) {
        const text = real.readText(path);
        if (path.endsWith('/pipeline.ftp')) appendFileSync(join(folder, 'pipeline.ftp'), '// saved\n');
        return text;
      },
    }),
  }),
  FTP0613: (ground) => {
    ground.write('data/rows.parquet', 'PAR1 and rows PAR1');
    return { env: withoutPackage('@duckdb/node-api'), asProcess: true };
  },
};
