/** An installation over an index, a registry and a compiler of the test's own: what comes of each fault. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { runtimesFolder } from '../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { installTensorFlow, removeTensorFlow } from '../../../src/tools/install/tensorflow.js';
import { type IndexOptions, type IndexServer, indexServer, zipOf } from './index-server.js';

const WHEEL = 'tensorflow_cpu-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl';

/** Only where it is offered. */
const onLinux = process.platform === 'linux' && process.arch === 'x64' ? describe : describe.skip;

onLinux('an installation of TensorFlow', () => {
  let folder: string;
  let server: IndexServer | undefined;
  const path = process.env['PATH'];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'install-'));
  });
  afterEach(async () => {
    process.env['PATH'] = path;
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  const program = (name: string, script: string): string => {
    const file = join(folder, 'bin', name);
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    process.env['PATH'] = `${join(folder, 'bin')}${delimiter}${path}`;
    return file;
  };
  const host = (variables: Readonly<Record<string, string>> = {}): Host => {
    const real = nodeHost();
    const all: Readonly<Record<string, string>> = {
      XDG_CACHE_HOME: join(folder, 'cache'),
      CXX: program('compiler', 'exit 0'),
      ...(server === undefined ? {} : { PIP_INDEX_URL: server.url }),
      ...variables,
    };
    return { ...real, env: (name) => all[name] ?? real.env(name) };
  };
  const serve = async (options: IndexOptions = {}): Promise<Buffer> => {
    const wheel = await zipOf({
      'tensorflow/libtensorflow_cc.so.2': 'library '.repeat(5000),
      'tensorflow/libtensorflow_framework.so.2': 'library',
      'tensorflow/include/tensorflow/c/c_api.h': '// header',
      'tensorflow/python/large.py': 'not wanted',
    });
    server = await indexServer({ [WHEEL]: wheel }, options);
    return wheel;
  };
  const steps: string[] = [];
  const install = async (at: Host): Promise<UserError['diagnostic']> => {
    const { signal } = new AbortController();
    const error: unknown = await installTensorFlow(at, {
      cpu: true,
      signal,
      progress: ({ what }) => void (steps.at(-1) === what || steps.push(what)),
    }).catch((reason: unknown) => reason);
    if (!(error instanceof UserError)) throw error;
    return error.diagnostic;
  };
  /** What an installation that failed has left, besides what it fetched. */
  const left = (at: Host): readonly string[] =>
    existsSync(runtimesFolder(at))
      ? readdirSync(runtimesFolder(at)).filter((name) => name !== 'downloads')
      : [];

  it('fetches nothing without a compiler', async () => {
    await serve();
    const at = host({ CXX: join(folder, 'no-compiler') });
    expect(await install(at)).to.include({ code: 'FTP0913' });
    expect(server?.asked).to.deep.equal([]);
    expect(left(at)).to.deep.equal([]);
  });

  it('tells an index that refuses', async () => {
    await serve({ status: 403 });
    const found = await install(host());
    expect(found).to.include({ code: 'FTP0915' });
    expect(found.message).to.match(/simple\/tensorflow-cpu\/ cannot be downloaded: status 403$/);
  });

  it('goes on where a connection broke, and keeps what came for the next time', async () => {
    const wheel = await serve({ cutAt: 100 });
    program('npm', 'echo "npm error 404 no such package"; exit 1');
    const at = host();
    steps.length = 0;
    expect(await install(at)).to.include({
      code: 'FTP0915',
      message: '@tensorflow/tfjs-node@4.22.0 cannot be downloaded: npm error 404 no such package',
    });
    expect(server?.asked).to.deep.equal([
      '/simple/tensorflow-cpu/',
      `/files/${WHEEL}`,
      `/files/${WHEEL} 100`,
    ]);
    expect(wheel.length).to.be.above(100);
    expect(steps).to.deep.equal([
      'looking for TensorFlow 2.21.0',
      `fetching ${WHEEL}`,
      'unpacking',
      'fetching the sources of the binding',
    ]);
    expect(left(at)).to.deep.equal([]);
    await install(at);
    expect(server?.asked.slice(3)).to.deep.equal(['/simple/tensorflow-cpu/']);
  });

  it('gives its programs no secret', async () => {
    await serve();
    process.env['STOLEN_TOKEN'] = 'x';
    program('npm', `env > ${join(folder, 'npm.env')}; exit 1`);
    const at = host({ CXX: program('c++', `env > ${join(folder, 'compiler.env')}`) });
    expect(await install(at)).to.include({ code: 'FTP0915' });
    delete process.env['STOLEN_TOKEN'];
    for (const name of ['npm.env', 'compiler.env'])
      expect(readFileSync(join(folder, name), 'utf8'))
        .to.match(/^PATH=/m)
        .and.not.contain('STOLEN_TOKEN');
  });

  it('keeps nothing whose digest is wrong', async () => {
    await serve({ wrongDigest: true });
    const at = host();
    expect(await install(at)).to.include({ code: 'FTP0916' });
    expect(existsSync(join(runtimesFolder(at), 'downloads', WHEEL))).to.equal(false);
  });

  it('does not use a package of npm with other content', async () => {
    await serve();
    program(
      'npm',
      `echo hello > "$6/tensorflow-tfjs-node-4.22.0.tgz"; echo '[{"filename":"tensorflow-tfjs-node-4.22.0.tgz"}]'`,
    );
    const at = host();
    const found = await install(at);
    expect(found).to.include({ code: 'FTP0916' });
    expect(found.message).to.match(/^`@tensorflow\/tfjs-node@4.22.0` does not match what its index lists/);
    expect(left(at)).to.deep.equal([]);
  });

  it('is removed with all that it left, and only once', async () => {
    const at = host();
    expect(await removeTensorFlow(at)).to.equal(false);
    mkdirSync(join(runtimesFolder(at), 'tensorflow', 'binding'), { recursive: true });
    mkdirSync(join(runtimesFolder(at), 'downloads'), { recursive: true });
    mkdirSync(join(runtimesFolder(at), '.tensorflow-999999999'), { recursive: true });
    expect(await removeTensorFlow(at)).to.equal(true);
    expect(readdirSync(runtimesFolder(at))).to.deep.equal([]);
    expect(await removeTensorFlow(at)).to.equal(false);
  });
});
