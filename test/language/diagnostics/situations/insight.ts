import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { withoutPackage } from './faults.js';
import type { Ground, Situations } from './types.js';

/** The recorded runs of `test/fixtures/insight`. */
function withRuns({ folder }: Ground): undefined {
  cpSync(join(nodeHost().packageFolder, 'test/fixtures/insight/runs'), join(folder, '.ftp/runs'), {
    recursive: true,
  });
}

export const INSIGHT: Situations = {
  FTP1504: withRuns,
  FTP1505: withRuns,
  FTP1506: withRuns,
  FTP1507: withRuns,
  FTP1508: withRuns,
  FTP1509: (ground) => {
    withRuns(ground);
    return { env: withoutPackage('@duckdb/node-api'), asProcess: true };
  },
  FTP1510: withRuns,
};
