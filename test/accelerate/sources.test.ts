/** The Python sources: their layout, what a linter says, and their types. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';
import { leaveOut } from '../helpers/leave-out.js';
import { PYTHON, withPython } from './python.js';

const folder = join(nodeHost().packageFolder, 'python');

withPython('the Python sources', () => {
  const cache = mkdtempSync(join(tmpdir(), 'ftpc-sources-'));
  after(() => rmSync(cache, { recursive: true }));
  for (const [what, module, ...words] of [
    ['are laid out by ruff', 'ruff', 'format', '--check', '--no-cache', '.'],
    ['have nothing that ruff advises against', 'ruff', 'check', '--no-cache', '.'],
    ['have the types that they say', 'mypy', '--cache-dir', cache],
  ] as const)
    it(what, function () {
      const python = (...args: readonly string[]) =>
        spawnSync(PYTHON ?? '', args, { cwd: folder, encoding: 'utf8' });
      if (python('-c', `import ${module}`).status !== 0) {
        const makes = '`node scripts/python-dev.mjs` makes one that has';
        return leaveOut(this, `${PYTHON} has no ${module}; ${makes}`);
      }
      const { status, stdout, stderr } = python('-m', module, ...words);
      expect(status, `${stdout}${stderr}`).to.equal(0);
    });
});
