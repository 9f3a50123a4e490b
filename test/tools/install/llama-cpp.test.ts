/** An installation of llama.cpp over an npm of the test's own: what is kept, what is chosen, and what comes of a fault. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { expect } from 'chai';
import { platformHere } from '../../../src/compute/libraries/platform.js';
import {
  llamaDamage,
  llamaFolder,
  llamaVersion,
  readLlama,
} from '../../../src/compute/serving/llama-cpp/installed.js';
import { runtimesFolder } from '../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { installLlama, removeLlama } from '../../../src/tools/install/llama-cpp.js';
import { LLAMA_BUILDS, type LlamaBuild } from '../../../src/tools/install/packages.js';
import { leaveOut } from '../../helpers/leave-out.js';

/** As the trial asks a library, `found` being the device that it computes with: Node loads a folder like one. */
const library = (found: string | false): string => `
exports.setLogger = exports.setLoggerLogLevel = exports.loadBackends = () => {};
exports.init = exports.dispose = async () => {};
exports.getGpuType = () => ${JSON.stringify(found)};
exports.systemInfo = () => 'CPU : AVX2 = 1';
`;

const BUILDS = LLAMA_BUILDS[platformHere()] ?? [];
const CPU = BUILDS.at(-1) as LlamaBuild;

describe('an installation of llama.cpp', () => {
  let folder: string;
  const path = process.env['PATH'];
  const before = BUILDS.map((build) => ({ ...build }));
  beforeEach(function () {
    if (CPU?.device !== 'cpu') leaveOut(this, 'there is no build of llama.cpp for this platform');
    folder = mkdtempSync(join(tmpdir(), 'llama-'));
  });
  afterEach(() => {
    process.env['PATH'] = path;
    for (const [at, build] of BUILDS.entries()) Object.assign(build, before[at]);
    rmSync(folder, { recursive: true, force: true });
  });

  const host = (): Host => {
    const real = nodeHost();
    return { ...real, env: (name) => (name === 'XDG_CACHE_HOME' ? join(folder, 'cache') : real.env(name)) };
  };
  /** An npm that has these builds, whose digests are taken for the right ones; no other device is here. */
  const pack = (codes: ReadonlyMap<LlamaBuild, string>): void => {
    const cases = [...codes].map(([build, code], at) => {
      const system = basename(build.name);
      const files = {
        'package.json': '{}',
        'dist/index.js': 'not wanted',
        [`bins/${system}/llama-addon.node/index.js`]: code,
      };
      for (const [name, text] of Object.entries(files)) {
        const file = join(folder, `packed${at}/package`, name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      const archive = join(folder, `package${at}.tgz`);
      execFileSync('tar', ['-czf', archive, 'package'], { cwd: join(folder, `packed${at}`) });
      const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
      Object.assign(build, { integrity });
      return `${build.name}@${build.version}) cp ${archive} "$6/package.tgz" ;;`;
    });
    const file = join(folder, 'bin', 'npm');
    mkdirSync(dirname(file), { recursive: true });
    const script = `case "$2" in ${cases.join(' ')} esac; echo '[{"filename":"package.tgz"}]'`;
    writeFileSync(file, `#!/bin/sh\necho "$2" >> ${join(folder, 'asked')}\n${script}\n`);
    chmodSync(file, 0o755);
    process.env['PATH'] = `${dirname(file)}${delimiter}${path}`;
    for (const build of BUILDS) if (!codes.has(build)) Object.assign(build, { where: join(folder, 'none') });
  };
  const install = (at: Host, cpu = false) =>
    installLlama(at, { cpu, signal: new AbortController().signal, progress: () => {} });

  it('keeps the library, is found, is repaired, and is removed', async () => {
    pack(new Map([[CPU, library(false)]]));
    const at = host();
    expect(readLlama(at)).to.equal(undefined);
    const { manifest, already } = await install(at);
    expect(already).to.equal(false);
    expect(llamaVersion(manifest)).to.match(/^v[\d.]+$/);
    expect(Object.keys(manifest.files)).to.deep.equal([
      `node_modules/${CPU.name}/package.json`,
      `node_modules/${CPU.name}/bins/${basename(CPU.name)}/llama-addon.node/index.js`,
    ]);
    expect((await install(at)).already).to.equal(true);
    truncateSync(join(llamaFolder(at), manifest.addon, 'index.js'), 1);
    expect(llamaDamage(at)).to.match(/`.*llama-addon\.node\/index\.js` has 1 bytes/);
    expect((await install(at)).already).to.equal(false);
    expect(llamaDamage(at, 'all')).to.equal(undefined);
    expect(await removeLlama(at)).to.equal(true);
    expect(await removeLlama(at)).to.equal(false);
    expect(readdirSync(runtimesFolder(at))).to.deep.equal([]);
  });

  it('takes the build for a device where that computes, and the one for the processor where it does not', async function () {
    const gpu = BUILDS[0];
    if (gpu === undefined || gpu === CPU)
      return leaveOut(this, 'there is no build of llama.cpp for a device here');
    for (const works of [true, false]) {
      Object.assign(gpu, { where: folder, needs: [] });
      pack(
        new Map([
          [gpu, library(works && gpu.device)],
          [CPU, library(false)],
        ]),
      );
      const at = host();
      expect((await install(at)).manifest.device).to.equal(works ? gpu.device : 'cpu');
      expect((await install(at, true)).manifest.device).to.equal('cpu');
      await removeLlama(at);
    }
    Object.assign(gpu, { needs: ['libno-such-library.so.1'] });
    rmSync(join(folder, 'asked'));
    expect((await install(host())).manifest.device).to.equal('cpu');
    expect(readFileSync(join(folder, 'asked'), 'utf8')).not.to.contain(gpu.name);
  });

  it('keeps nothing of a library that does not load, or has other content', async () => {
    const at = host();
    pack(new Map([[CPU, 'throw new Error("no")']]));
    const refused = async (): Promise<string> => {
      const error: unknown = await install(at).catch((reason: unknown) => reason);
      if (!(error instanceof UserError)) throw error;
      expect(existsSync(llamaFolder(at))).to.equal(false);
      expect(readdirSync(runtimesFolder(at))).to.deep.equal([]);
      return error.diagnostic.code;
    };
    expect(await refused()).to.equal('FTP0919');
    Object.assign(CPU, { integrity: 'sha512-other' });
    expect(await refused()).to.equal('FTP0916');
  });
});
