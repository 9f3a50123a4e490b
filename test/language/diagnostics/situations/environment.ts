import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_NAMES, packageOf } from '../../../../src/compute/accelerate/packages.js';
import type { LockedWheel } from '../../../../src/tools/install/python-lock.js';
import { UV_WHEELS } from '../../../../src/tools/install/uv.js';
import { indexServer, zipOf } from '../../../tools/install/index-server.js';
import { replace } from './faults.js';
import type { Situation, Situations } from './types.js';

const TRIED: Readonly<Record<string, string>> = Object.fromEntries(
  PACKAGE_NAMES.flatMap((name) => {
    const { tried } = packageOf(name);
    return tried === undefined ? [] : [[name, tried]];
  }),
);

/** A program that answers as a Python with these packages; `undefined` takes one away. */
export const python =
  (
    packages: Readonly<Record<string, string | undefined>> = {},
    version = '3.12.1',
    cuda: string | null = null,
  ): Situation =>
  ({ folder, write }) => {
    const facts = JSON.stringify({ version, packages: { ...TRIED, ...packages }, cuda });
    write('bin/python', `#!/bin/sh\necho '${facts}'\n`);
    chmodSync(join(folder, 'bin/python'), 0o755);
    return undefined;
  };

/** The same, whose ranks run a script. */
export const ranksThat =
  (script: string): Situation =>
  ({ folder, write }) => {
    const facts = JSON.stringify({ version: '3.12.1', packages: TRIED, cuda: null });
    write('bin/python', `#!/bin/sh\nif [ "$2" = ftpc_driver ]; then ${script}; fi\necho '${facts}'\n`);
    chmodSync(join(folder, 'bin/python'), 0o755);
    return undefined;
  };

/** A machine whose index has uv, and nothing else: a script of the test's own, whose digest is taken for the right one. */
const installing =
  (base: Situation, uv: string): Situation =>
  async (ground) => {
    await base(ground);
    replace(ground, process, 'platform', 'linux');
    replace(ground, process, 'arch', 'x64');
    const wheel = UV_WHEELS['linux-x64'];
    if (wheel === undefined) throw new Error('there is one');
    const content = await zipOf({ [`uv-${wheel.version}.data/scripts/uv`]: `#!/bin/sh\n${uv}\n` });
    const sha256 = createHash('sha256').update(content).digest('hex');
    replace<LockedWheel, 'sha256'>(ground, wheel, 'sha256', sha256);
    replace<LockedWheel, 'bytes'>(ground, wheel, 'bytes', content.length);
    const server = await indexServer({ [wheel.name]: content });
    ground.later(() => server.close());
    return {
      env: { PIP_INDEX_URL: server.url },
      // a lock without packages
      host: (real) => ({
        ...real,
        readText: (path) => (path.endsWith('locks/linux-x64.txt') ? '' : real.readText(path)),
      }),
    };
  };

export const ENVIRONMENT: Situations = {
  FTP1852: python({}, '3.9.18'),
  FTP1853: python({ peft: undefined }),
  FTP1854: python({ transformers: '4.57.1', peft: '0.14.0' }),
  FTP1855: python({ torch: '2.14.1+cu130' }),
  FTP1860: installing(python({}, '3.10.12'), 'exit 0'),
  FTP1861: installing(
    python(),
    'echo "error: failed to create a virtual environment: permission denied" >&2; exit 2',
  ),
};
