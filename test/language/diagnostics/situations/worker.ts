import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_NAMES, packageOf } from '../../../../src/compute/accelerate/packages.js';
import type { Situation, Situations } from './types.js';

/** A program that answers as a Python with every package, and as a worker does what a script of the shell says. */
const worker =
  (script: string, env: Readonly<Record<string, string>> = {}, asPython = ''): Situation =>
  ({ folder, write }) => {
    const packages = Object.fromEntries(
      PACKAGE_NAMES.map((name) => [name, packageOf(name).tried ?? '1.0.0']),
    );
    const facts = JSON.stringify({ version: '3.12.1', packages, cuda: null });
    write(
      'bin/python',
      `#!/bin/sh\ncase "$*" in\n*'ftpc_driver worker'*)\n${script}\n;;\n*)\necho '${facts}'\n${asPython}\n;;\nesac\n`,
    );
    chmodSync(join(folder, 'bin/python'), 0o755);
    return { env };
  };

/** One that answers its first question so. */
const answering =
  (error: object): Situation =>
  (ground) => {
    ground.write('bin/answer', `${JSON.stringify({ id: 1, error })}\n`);
    return worker(`echo '{"ready":true}'\nread question\ncat "$(dirname "$0")/answer"\ncat > /dev/null`)(
      ground,
    );
  };

export const WORKER: Situations = {
  FTP1870: worker('kill -TERM $$\nsleep 60'),
  FTP1871: worker('sleep 60', { FTPC_RANK_START: '0.2' }),
  FTP1872: worker('echo "Illegal instruction" >&2\nexit 132'),
  FTP1873: worker('', {}, 'rm "$0"'),
  FTP1874: answering({
    kind: 'model',
    message:
      "transformers cannot load model: The checkpoint has model type `nova`, which Transformers doesn't know",
  }),
  FTP1875: answering({ kind: 'versions', message: 'transformers 5.20.0 instead of 5.24.0' }),
  FTP1877: answering({ kind: 'import', message: "No module named 'torch.nn'" }),
  FTP1876: answering({
    kind: 'bug',
    message: 'The size of tensor a (4) must match the size of tensor b (8)',
    trace:
      'Traceback (most recent call last):\n  File "modeling_nova.py", line 210, in forward\n    scores = a + b\nRuntimeError: The size of tensor a (4) must match the size of tensor b (8)\n',
  }),
};
