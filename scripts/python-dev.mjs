/**
 * `node scripts/python-dev.mjs`, after `npm run build` and `ftpc runtime install accelerate`: a Python in `.build-python/`
 * that has the packages of the installed environment and, besides, what tests and checks of the Python sources need
 * (`python/locks/dev-*.txt`). Its path is all that is printed to standard output.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentFolder, pythonIn, readEnvironment } from '../dist/src/compute/accelerate/installed.js';
import { sitePackages } from '../dist/src/compute/accelerate/site-packages.js';
import { platformHere } from '../dist/src/compute/libraries/platform.js';
import { nodeHost } from '../dist/src/language/host/node-host.js';
import { fetchWheels } from '../dist/src/tools/install/fetch-wheels.js';
import { readLock, wheelsFor } from '../dist/src/tools/install/python-lock.js';
import { fetchUv, runUv } from '../dist/src/tools/install/uv.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, '.build-python');
const host = nodeHost(root);
const { signal } = new AbortController();

async function make(installed) {
  const minor = Number(installed.python.split('.')[1]);
  const system = platformHere();
  const lock = readFileSync(join(root, 'python', 'locks', `dev-${system}.txt`), 'utf8');
  const stamp = `${installed.lock} ${installed.python}\n${lock}`;
  const marker = join(folder, 'made-of.txt');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === stamp) return;
  rmSync(folder, { recursive: true, force: true });
  const work = mkdtempSync(join(root, '.build-python-'));
  try {
    const downloads = join(work, 'wheels');
    const wheels = wheelsFor(readLock(lock), minor);
    const uv = await fetchUv(host, system, { downloads, folder: work }, signal);
    await fetchWheels(host, wheels, downloads, signal, () => {});
    const own = environmentFolder(host);
    const packages = wheels.map(({ name }) => join(downloads, name));
    for (const words of [
      ['venv', folder, '--python', pythonIn(own), '--no-project'],
      ['pip', 'install', '--python', pythonIn(folder), '--no-deps', '--no-index', ...packages],
    ]) {
      const env = { UV_CACHE_DIR: join(work, 'cache'), UV_PYTHON_DOWNLOADS: 'never' };
      const { isDone, said } = await runUv(uv, words, { cwd: root, signal, env });
      if (!isDone) throw new Error(said.join('\n'));
    }
    const theirs = sitePackages(own, installed.python);
    writeFileSync(join(sitePackages(folder, installed.python), 'accelerate-environment.pth'), `${theirs}\n`);
    writeFileSync(marker, stamp);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const installed = readEnvironment(host);
if (installed === undefined) {
  console.error('there is no environment: run `ftpc runtime install accelerate`');
  process.exitCode = 1;
} else {
  await make(installed);
  console.log(pythonIn(folder));
}
