import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_NAMES, packageOf } from '../../../../src/compute/accelerate/packages.js';
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

export const ENVIRONMENT: Situations = {
  FTP1852: python({}, '3.9.18'),
  FTP1853: python({ peft: undefined }),
  FTP1854: python({ transformers: '4.57.1', peft: '0.14.0' }),
  FTP1855: python({ torch: '2.14.1+cu130' }),
};
