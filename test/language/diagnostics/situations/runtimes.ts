import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { platformHere } from '../../../../src/compute/libraries/platform.js';
import {
  bindingPath,
  MANIFEST,
  runtimesFolder,
  type TensorFlowManifest,
  tensorflowFolder,
} from '../../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import type { TfjsName } from '../../../../src/compute/tensor/runtimes/tfjs/installed.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { identityOf } from '../../../../src/language/host/process-identity.js';
import { BINDING, NODE_HEADERS, type NpmPackage } from '../../../../src/tools/install/packages.js';
import { packed } from '../../../compute/libraries/fake-package.js';
import { type FakeParts, fakeTfjs, softwareAdapter } from '../../../compute/tensor/runtimes/fake-tfjs.js';
import { type IndexOptions, indexServer, zipOf } from '../../../tools/install/index-server.js';
import { bareEnvironment } from '../surroundings.js';
import { replace, replaceOfDisk } from './faults.js';
import { program } from './programs.js';
import type { Ground, Situation, Situations, Surroundings } from './types.js';

const WHEEL = 'tensorflow_cpu-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl';

/** A machine of that kind, whatever this one is. */
function on(ground: Ground, platform: NodeJS.Platform, arch: NodeJS.Architecture): void {
  replace(ground, process, 'platform', platform);
  replace(ground, process, 'arch', arch);
}

interface Index extends IndexOptions {
  readonly wheel?: string;
}

/** A Linux machine with a compiler, which asks an index of the test's own. */
const installing =
  ({ wheel = WHEEL, ...options }: Index, more: (ground: Ground) => Surroundings = () => ({})): Situation =>
  async (ground) => {
    on(ground, 'linux', 'x64');
    const content = await zipOf({
      'tensorflow/libtensorflow_cc.so.2': 'library '.repeat(5000),
      'tensorflow/libtensorflow_framework.so.2': 'library',
      'tensorflow/include/tensorflow/c/c_api.h': '// header',
    });
    const server = await indexServer({ [wheel]: content }, options);
    ground.later(() => server.close());
    const compiler = program(ground, 'compiler', 'exit 0');
    const { env } = more(ground);
    return {
      env: { PIP_INDEX_URL: server.url, CXX: compiler, ...env },
      names: { [server.url]: 'https://pypi.org/simple', [compiler]: 'g++' },
    };
  };

/** Variables with an npm that packs small packages of the test's own, whose digests are taken for the right ones. */
function withNpm(ground: Ground): Readonly<Record<string, string>> {
  const { folder, write } = ground;
  write('packed/package/package.json', '{}');
  execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: join(folder, 'packed') });
  const archive = join(folder, 'packed/package.tgz');
  const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  for (const wanted of [BINDING, NODE_HEADERS])
    replace<NpmPackage, 'integrity'>(ground, wanted, 'integrity', integrity);
  program(ground, 'npm', `cp ${archive} "$6/" && echo '[{"filename":"package.tgz"}]'`);
  return { PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}` };
}

/** An installation of TensorFlow.js whose libraries fail. */
const failing =
  (name: TfjsName, parts: FakeParts, env: Readonly<Record<string, string>> = {}): Situation =>
  ({ folder, write }) => {
    const host = { ...nodeHost(folder), env: (variable: string) => bareEnvironment(folder)[variable] };
    for (const [path, text] of Object.entries(fakeTfjs(host, name, parts)))
      write(path.slice(folder.length + 1), text);
    return { env };
  };

/** A package of ftpc that has ONNX Runtime packed for a system; `spoil` changes it. */
const packedFor =
  (system: string, spoil: (files: Record<string, string | Uint8Array>) => void = () => {}): Situation =>
  ({ folder, write }) => {
    const code = { 'node_modules/onnxruntime-node/index.js': 'exports.env = {};' };
    const files = { ...packed('onnxruntime-node', code, { system }) };
    spoil(files);
    for (const [path, content] of Object.entries(files)) write(join('ftpc', path), content);
    return { host: (real) => ({ ...real, packageFolder: join(folder, 'ftpc') }) };
  };

/** An installation of TensorFlow whose library is none. */
function brokenTensorFlow({ folder, write }: Ground, cuda: boolean): void {
  const real = nodeHost(folder);
  const at = tensorflowFolder({ ...real, env: (name) => bareEnvironment(folder)[name] });
  const inside = (path: string): string => path.slice(folder.length + 1);
  write(inside(bindingPath(at)), 'no library');
  const manifest: TensorFlowManifest = {
    version: 2,
    tensorflow: '2.21.0',
    binding: '4.22.0',
    cuda,
    bytes: 1,
  };
  write(inside(join(at, MANIFEST)), JSON.stringify(manifest));
}

const onLinux =
  (situation: Situation): Situation =>
  (ground) => {
    on(ground, 'linux', 'x64');
    return situation(ground);
  };

export const RUNTIMES: Situations = {
  FTP0911: (ground) => {
    brokenTensorFlow(ground, false);
    return undefined;
  },
  FTP0912: (ground) => {
    on(ground, 'darwin', 'arm64');
    return undefined;
  },
  FTP0913: installing({}),
  FTP0914: installing({}, (ground) => {
    const free = { bavail: 200, bsize: 2 ** 20 };
    replaceOfDisk(ground, 'statfsSync', (() => free) as unknown as typeof import('node:fs').statfsSync);
    return {};
  }),
  FTP0915: installing({ status: 403 }),
  FTP0916: installing({ wrongDigest: true }),
  FTP0917: installing({}, (ground) => {
    const script = 'test "$1" = --version || { echo "g++: error: unrecognized option -std=c++17"; exit 1; }';
    return { env: { ...withNpm(ground), CXX: program(ground, 'compiler', script) } };
  }),
  FTP0918: installing({ wheel: 'tensorflow_cpu-2.21.0-cp313-cp313-macosx_12_0_arm64.whl' }),
  FTP0919: installing({}, (ground) => {
    const script = 'while test "$1" != -o; do test "$1" = --version && exit; shift; done; echo none > "$2"';
    return { env: { ...withNpm(ground), CXX: program(ground, 'compiler', script) } };
  }),
  FTP0921: (ground) => {
    brokenTensorFlow(ground, true);
    program(ground, 'nvidia-smi', 'echo "NVIDIA-SMI has failed: the driver is not loaded"; exit 9');
    return { env: { PATH: `${join(ground.folder, 'bin')}${delimiter}${process.env['PATH']}` } };
  },
  FTP0924: onLinux(packedFor('darwin-arm64')),
  FTP0925: (ground) => {
    ground.write('cache/ftpc', '');
    return packedFor(platformHere())(ground);
  },
  FTP0926: onLinux(
    packedFor('linux-x64', (files) => {
      files['dist/libraries/onnxruntime-node-linux-x64.br'] = 'cut off';
    }),
  ),
  FTP0930: failing('webgpu', { adapter: 'null' }),
  FTP0931: failing(
    'wasm',
    { make: 'backend.wasm._malloc(values.byteLength)' },
    { FTPC_DEVICE_MEMORY: '4KiB' },
  ),
  FTP0932: failing('webgpu', { compute: 'backend.bufferManager.acquireBuffer(6144, 0)' }),
  FTP0933: failing('webgpu', { make: "module.exports.fail('[Invalid ComputePipeline] is invalid')" }),
  FTP0934: failing('wasm', {
    compute: "throw Object.assign(new Error('Aborted()'), { name: 'RuntimeError' })",
  }),
  FTP0936: failing('webgpu', {
    adapter: softwareAdapter('SwiftShader driver 5.0.0'),
    compute: "module.exports.fail('stopped here')",
  }),
  FTP0935: failing('wasm', {}, { FTPC_DEVICE_MEMORY: 'six' }),
  FTP0938: ({ folder, write }) => {
    const host = { ...nodeHost(folder), env: (name: string) => bareEnvironment(folder)[name] };
    const lock = join(runtimesFolder(host), '.wasm.lock').slice(folder.length + 1);
    write(lock, JSON.stringify({ ...identityOf(process.pid), runId: 'a', since: new Date().toISOString() }));
    return undefined;
  },
  FTP0937: (ground) => {
    brokenTensorFlow(ground, false);
    return { env: { FTPC_TENSORFLOW: 'fast' } };
  },
};
