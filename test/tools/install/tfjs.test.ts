/** An installation of TensorFlow.js over an npm of the test's own: what is kept, and what comes of a fault. */
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
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { expect } from 'chai';
import { openRuntime, runtimeProblem } from '../../../src/compute/tensor/runtimes/index.js';
import { runtimesFolder } from '../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import {
  packageFolder,
  tfjsDamage,
  tfjsFolder,
} from '../../../src/compute/tensor/runtimes/tfjs/installed.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { identityOf } from '../../../src/language/host/process-identity.js';
import { TFJS_PACKAGES } from '../../../src/tools/install/packages.js';
import { installTfjs, removeTfjs } from '../../../src/tools/install/tfjs.js';

/** As someone does who comes some seconds after the installation. */
function writeLater(file: string, text: string): void {
  writeFileSync(file, text);
  const later = Date.now() / 1000 + 10;
  utimesSync(file, later, later);
}

describe('an installation of TensorFlow.js', () => {
  let folder: string;
  const path = process.env['PATH'];
  const digests = new Map(TFJS_PACKAGES.cpu.map((wanted) => [wanted, wanted.integrity]));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'install-'));
  });
  afterEach(() => {
    process.env['PATH'] = path;
    for (const [wanted, integrity] of digests) Object.assign(wanted, { integrity });
    rmSync(folder, { recursive: true });
  });

  const host = (): Host => {
    const real = nodeHost();
    return { ...real, env: (name) => (name === 'XDG_CACHE_HOME' ? join(folder, 'cache') : real.env(name)) };
  };
  const program = (name: string, script: string): void => {
    const file = join(folder, 'bin', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    process.env['PATH'] = `${join(folder, 'bin')}${delimiter}${path}`;
  };
  /** An npm with small packages of these names, whose digests are taken for the right ones. */
  const pack = (code = '', right = true): void => {
    const archives = TFJS_PACKAGES.cpu.map((wanted, at) => {
      const main =
        wanted.name === 'seedrandom' ? 'index.js' : `dist/tf-${basename(wanted.name).slice(5)}.node.js`;
      const files = { 'package.json': JSON.stringify({ main }), [main]: code, 'dist/index.js': 'not wanted' };
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, `packed${at}/package`, name)), { recursive: true });
        writeFileSync(join(folder, `packed${at}/package`, name), text);
      }
      const archive = join(folder, `package${at}.tgz`);
      execFileSync('tar', ['-czf', archive, 'package'], { cwd: join(folder, `packed${at}`) });
      const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
      if (right) Object.assign(wanted, { integrity });
      return `${wanted.name}@${wanted.version}) cp ${archive} "$6/package.tgz" ;;`;
    });
    program('npm', `case "$2" in ${archives.join(' ')} esac; echo '[{"filename":"package.tgz"}]'`);
  };
  const install = (at: Host) =>
    installTfjs(at, 'cpu', { signal: new AbortController().signal, progress: () => {} });
  const refused = async (at: Host): Promise<string> => {
    const error: unknown = await install(at).catch((reason: unknown) => reason);
    if (!(error instanceof UserError)) throw error;
    expect(existsSync(tfjsFolder(at, 'cpu'))).to.equal(false);
    expect(readdirSync(runtimesFolder(at))).to.deep.equal([]);
    return error.diagnostic.code;
  };
  it('keeps the files that run, is found, and is removed', async () => {
    pack();
    const at = host();
    expect(runtimeProblem(at, 'cpu')?.code).to.equal('FTP0910');
    const { manifest, already } = await install(at);
    expect(already).to.equal(false);
    expect(Object.keys(manifest.packages)).to.include('@tensorflow/tfjs-backend-cpu');
    const core = packageFolder(tfjsFolder(at, 'cpu'), '@tensorflow/tfjs-core');
    expect(readdirSync(join(core, 'dist'))).to.deep.equal(['tf-core.node.js']);
    expect(runtimeProblem(at, 'cpu')).to.equal(undefined);
    expect((await install(at)).already).to.equal(true);
    expect(await removeTfjs(at, 'cpu')).to.equal(true);
    expect(await removeTfjs(at, 'cpu')).to.equal(false);
    expect(readdirSync(runtimesFolder(at))).to.deep.equal([]);
  });

  it('is removed if something else is in its place, and counts as missing if its folder is a file', async () => {
    const at = host();
    const root = runtimesFolder(at);
    mkdirSync(root, { recursive: true });
    writeFileSync(tfjsFolder(at, 'cpu'), 'no folder');
    expect(await removeTfjs(at, 'cpu')).to.equal(true);
    expect(readdirSync(root)).to.deep.equal([]);
    rmSync(root, { recursive: true });
    writeFileSync(root, 'no folder');
    expect(await removeTfjs(at, 'cpu')).to.equal(false);
  });

  const loading = async (at: Host): Promise<UserError['diagnostic']> => {
    const error: unknown = await openRuntime(at, 'cpu').catch((reason: unknown) => reason);
    if (!(error instanceof UserError)) throw error;
    return error.diagnostic;
  };

  it('repairs an installation of which a file is cut short, gone or has other content, and says so until then', async () => {
    pack();
    const at = host();
    await install(at);
    const name = 'node_modules/@tensorflow/tfjs-core/package.json';
    const file = join(tfjsFolder(at, 'cpu'), name);
    const other = readFileSync(file, 'utf8').replace('tf-core', 'tf-gone');
    const faults: readonly [() => void, RegExp][] = [
      [() => truncateSync(file, 1), /has 1 bytes, and had \d+ when it was installed$/],
      [() => rmSync(file), /is gone$/],
      [() => writeLater(file, other), /has other content than was installed$/],
    ];
    for (const [breakIt, told] of faults) {
      breakIt();
      const { code, message, help } = await loading(at);
      expect(code).to.equal('FTP0911');
      expect(message).to.contain(`\`${name}\``).and.match(told);
      expect(help).to.contain('`ftpc runtime install cpu`').and.not.contain('remove');
      expect((await install(at)).already).to.equal(false);
      expect((await install(at)).already).to.equal(true);
    }
  });

  it('reads every file again where it does not load, or is asked to: a disk changes no time', async () => {
    pack();
    const at = host();
    await install(at);
    const file = join(tfjsFolder(at, 'cpu'), 'node_modules/@tensorflow/tfjs-core/package.json');
    const { atime, mtime } = statSync(file);
    writeFileSync(file, readFileSync(file, 'utf8').replace('tf-core', 'tf-gone'));
    utimesSync(file, atime, mtime);
    const damage = '`node_modules/@tensorflow/tfjs-core/package.json` has other content than was installed';
    expect(tfjsDamage(at, 'cpu')).to.equal(undefined);
    expect(tfjsDamage(at, 'cpu', 'all')).to.equal(damage);
    expect((await loading(at)).message).to.contain(damage);
    expect((await install(at)).already).to.equal(false);
  });

  it('is whole where only its times are others', async () => {
    pack();
    const at = host();
    await install(at);
    for (const name of readdirSync(tfjsFolder(at, 'cpu'), { recursive: true, encoding: 'utf8' }))
      utimesSync(join(tfjsFolder(at, 'cpu'), name), 1, 1);
    expect(tfjsDamage(at, 'cpu')).to.equal(undefined);
    expect((await install(at)).already).to.equal(true);
  });

  it('is put together by one process at a time, and what others have left goes', async () => {
    pack();
    const at = host();
    const root = runtimesFolder(at);
    mkdirSync(root, { recursive: true });
    const lock = (pid: number): void => {
      const holder = { ...identityOf(pid), runId: 'another', since: '2026-01-01T00:00:00.000Z' };
      writeFileSync(join(root, '.cpu.lock'), JSON.stringify(holder));
    };
    lock(process.pid);
    for (const refused of [install(at), removeTfjs(at, 'cpu')]) {
      const error: unknown = await refused.catch((reason: unknown) => reason);
      expect((error as UserError).diagnostic.code).to.equal('FTP0938');
      expect((error as UserError).diagnostic.message).to.contain(`process ${process.pid}, since 2026-01-01`);
    }
    expect(readdirSync(root)).to.deep.equal(['.cpu.lock']);
    const gone = 999_999_999;
    lock(gone);
    const left = [`.cpu-${process.ppid}`, `.cpu-${gone}.old`, `.wasm-${gone}`, `.cpu.lock.${gone}.another`];
    for (const name of [...left, `.wasm-${process.ppid}`])
      mkdirSync(join(root, name, 'whole'), { recursive: true });
    expect((await install(at)).already).to.equal(false);
    expect(readdirSync(root)).to.deep.equal([`.wasm-${process.ppid}`, 'cpu']);
  });

  it('says what npm says where nothing can be fetched, without a password', async () => {
    const summary = 'request to https://me:secret@registry/x failed, reason: connect ECONNREFUSED';
    program('npm', `echo '${JSON.stringify({ error: { code: 'ECONNREFUSED', summary } }, null, 2)}'; exit 1`);
    const error: unknown = await install(host()).catch((reason: unknown) => reason);
    expect((error as UserError).diagnostic.code).to.equal('FTP0915');
    expect((error as UserError).diagnostic.message).to.match(
      /: request to https:\/\/registry\/x failed, reason: /,
    );
  });

  it('keeps nothing of a package with other content, whoever finds it', async () => {
    pack('', false);
    expect(await refused(host())).to.equal('FTP0916');
    program(
      'npm',
      `echo '${JSON.stringify({ error: { code: 'EINTEGRITY', summary: 'sha512-…' } })}'; exit 1`,
    );
    expect(await refused(host())).to.equal('FTP0916');
  });

  it('keeps nothing of a library that does not load', async () => {
    pack('throw new Error("no")');
    expect(await refused(host())).to.equal('FTP0919');
  });
});
