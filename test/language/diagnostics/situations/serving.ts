import { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { preloaded, replace } from './faults.js';
import type { Situations } from './types.js';

export const SERVING: Situations = {
  FTP2040: (ground) => {
    const internal = ChildProcess.prototype as ChildProcess & { spawn(options: object): unknown };
    const { spawn } = internal;
    replace(ground, internal, 'spawn', function (this: ChildProcess, options) {
      if (!JSON.stringify(options).includes('/model-child.js')) return spawn.call(this, options);
      throw Object.assign(new Error('spawn node EAGAIN'), { code: 'EAGAIN' });
    });
    return undefined;
  },
  FTP2041: () => ({
    env: preloaded(
      "if (/model-child\\.js$/.test(process.argv[1])) process.stderr.write('illegal instruction\\n', () => process.kill(process.pid, 'SIGILL'))",
    ),
  }),
  FTP2042: async ({ later }) => {
    const other = createServer();
    // where something listens there already, that will do
    const listens = Promise.race([once(other, 'listening'), once(other, 'error')]);
    other.listen(8000, '127.0.0.1');
    later(() => other.close());
    await listens.catch(() => {});
    return undefined;
  },
  FTP2045: () => ({ env: { LEGAL_KEY: 'secret' } }),
};
