/**
 * `node scripts/lock-environment.mjs`, after `npm run build`: rewrites `python/locks/` from the versions in
 * `src/compute/accelerate/packages.ts`. uv resolves what they need, for each system; the index of pip's settings is asked.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_NAMES, PYTHON_MINORS, packageOf } from '../dist/src/compute/accelerate/packages.js';
import { nodeHost } from '../dist/src/language/host/node-host.js';
import { filesOf, indexesOf } from '../dist/src/tools/install/python-index.js';
import { closeness, lockText, suitsPython, systemsOf } from '../dist/src/tools/install/python-lock.js';
import { fetchUv } from '../dist/src/tools/install/uv.js';

/** What tests and checks of the Python sources need besides. */
const DEVELOPMENT = [
  ...['ruff==0.17.6', 'mypy==2.4.1', 'trl==1.16.0', 'datasets==5.2.0', 'openai==3.57.0'],
  // read back what trackers are given; of wandb, the last version whose reader of offline runs is in Python
  ...['tensorboard==2.21.0', 'wandb==0.19.11', 'mlflow==3.17.2'],
];

/** Systems as uv names them, and which tags are of one; the greatest version of the system's library that may be needed. */
const SYSTEMS = {
  'linux-x64': { uv: 'x86_64-manylinux_2_28', tag: /^manylinux_(\d+)_(\d+)_x86_64$/, most: [2, 28] },
  'linux-arm64': { uv: 'aarch64-manylinux_2_28', tag: /^manylinux_(\d+)_(\d+)_aarch64$/, most: [2, 28] },
  'darwin-arm64': {
    uv: 'aarch64-apple-darwin',
    tag: /^macosx_(\d+)_(\d+)_(?:arm64|universal2)$/,
    most: [14, 0],
    env: { MACOSX_DEPLOYMENT_TARGET: '14.0' },
  },
};
/** Names of old tags. */
const OLD = { manylinux1: 'manylinux_2_5', manylinux2010: 'manylinux_2_12', manylinux2014: 'manylinux_2_17' };

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'python', 'locks');
const work = mkdtempSync(join(tmpdir(), 'ftpc-lock-'));
const host = nodeHost();
const { signal } = new AbortController();
const pages = new Map();

async function filesOfProject(project) {
  if (!pages.has(project)) {
    const found = [];
    for (const index of indexesOf(host))
      found.push(...(await filesOf(index, project, signal).catch(() => [])));
    if (found.length === 0) throw new Error(`no index has ${project}`);
    pages.set(project, found);
  }
  return pages.get(project);
}

/** `NAME==VERSION` of everything that is needed, the same for every Python. */
function resolve(uv, system, wanted) {
  let constraints = '';
  for (const minor of PYTHON_MINORS) {
    writeFileSync(join(work, 'in.txt'), `${wanted.join('\n')}\n`);
    writeFileSync(join(work, 'constraints.txt'), constraints);
    const index = indexesOf(host).flatMap((url, at) => [at === 0 ? '--default-index' : '--index', url]);
    const printed = execFileSync(
      uv,
      // biome-ignore format: words of a command
      ['pip', 'compile', 'in.txt', '--constraints', 'constraints.txt', '--python-platform', system.uv,
        '--python-version', `3.${minor}`, '--only-binary', ':all:', '--no-header', '--no-annotate', '--quiet', ...index],
      { cwd: work, env: { ...process.env, ...system.env, UV_NO_CONFIG: '1' }, encoding: 'utf8' },
    );
    if (constraints !== '' && printed !== constraints)
      throw new Error(`Python 3.${minor} needs other packages:\n${printed}`);
    constraints = printed;
  }
  return constraints
    .trim()
    .split('\n')
    .map((line) => line.split('=='));
}

/** The version of the system's library that a wheel needs; `undefined` where it is not for the system. */
function needs({ tag, most }, name) {
  const versions = systemsOf(name).flatMap((one) => {
    if (one === 'any') return [[0, 0]];
    const [, major, minor] = tag.exec(one.replace(/^manylinux\d+(?=_)/, (old) => OLD[old] ?? old)) ?? [];
    return major === undefined ? [] : [[Number(major), Number(minor)]];
  });
  return versions
    .filter(([major, minor]) => major < most[0] || (major === most[0] && minor <= most[1]))
    .sort((a, b) => b[0] - a[0] || b[1] - a[1])[0];
}

/** For each Python one wheel: that for the newest system's library. */
async function wheelsOf(system, [project, version]) {
  const normal = (name) => name.toLowerCase().replaceAll(/[-_.]+/g, '_');
  const files = (await filesOfProject(project)).filter(
    ({ name, isYanked }) =>
      name.endsWith('.whl') &&
      !isYanked &&
      name.split('-')[1] === version &&
      normal(name.split('-')[0]) === normal(project),
  );
  const chosen = PYTHON_MINORS.map((minor) => {
    const [best] = files
      .map((file) => ({ ...file, needs: needs(system, file.name) }))
      .filter((file) => file.needs !== undefined && suitsPython(file.name, minor))
      .sort(
        (a, b) =>
          closeness(b.name, minor) - closeness(a.name, minor) ||
          b.needs[0] - a.needs[0] ||
          b.needs[1] - a.needs[1],
      );
    if (best?.sha256 === undefined || best.bytes === undefined)
      throw new Error(`no wheel of ${project} ${version} for Python 3.${minor}`);
    return { project, version, name: best.name, bytes: best.bytes, sha256: best.sha256 };
  });
  return [...new Map(chosen.map((wheel) => [wheel.name, wheel])).values()];
}

async function lock(uv, name, system, file, wanted, without = new Set()) {
  const packages = resolve(uv, system, wanted);
  const wheels = [];
  for (const one of packages) if (!without.has(one[0])) wheels.push(...(await wheelsOf(system, one)));
  const heading = [
    `${file.startsWith('dev') ? 'What tests and checks of the Python sources need besides' : 'Python packages of the accelerate engine'}, on ${name},`,
    `for Python ${PYTHON_MINORS.map((minor) => `3.${minor}`).join(', ')}. Written by \`node scripts/lock-environment.mjs\`;`,
    '`pip install --no-deps --require-hashes -r FILE` and `uv pip install` with the same words install them, too.',
  ];
  writeFileSync(join(folder, file), lockText(heading, wheels));
  const bytes = wheels
    .filter((wheel) => suitsPython(wheel.name, PYTHON_MINORS[0]))
    .reduce((sum, one) => sum + one.bytes, 0);
  console.log(
    `${file}: ${packages.length - without.size} packages, ${(bytes / 1e9).toFixed(2)} GB for one Python`,
  );
  return new Set(packages.map(([project]) => project));
}

try {
  mkdirSync(folder, { recursive: true });
  const here = `${process.platform}-${process.arch}`;
  const uv = await fetchUv(host, here, { downloads: work, folder: work }, signal);
  const wanted = PACKAGE_NAMES.flatMap((name) => {
    const { tried } = packageOf(name);
    return tried === undefined ? [] : [`${name}==${tried}`];
  });
  for (const [name, system] of Object.entries(SYSTEMS)) {
    const known = await lock(uv, name, system, `${name}.txt`, wanted);
    const pinned = readFileSync(join(folder, `${name}.txt`), 'utf8').match(/^\S+==\S+/gm);
    await lock(uv, name, system, `dev-${name}.txt`, [...pinned, ...DEVELOPMENT], known);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
