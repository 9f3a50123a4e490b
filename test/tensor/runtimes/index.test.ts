import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/diagnostics/types.js';
import { RUNTIME_NAMES } from '../../../src/ir/runtimes.js';
import type { Host } from '../../../src/source/host.js';
import { nodeHost } from '../../../src/source/node-host.js';
import {
  chooseRuntime,
  identityOf,
  openRuntime,
  runtimeProblem,
} from '../../../src/tensor/runtimes/index.js';
import {
  bindingPath,
  MANIFEST,
  type TensorFlowManifest,
  tensorflowFolder,
} from '../../../src/tensor/runtimes/tensorflow/installed.js';

describe('the runtimes of a machine', () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'runtimes-'));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  const machine = (gpu = false): Host => {
    const real = nodeHost();
    return {
      ...real,
      env: (name) => (name === 'XDG_CACHE_HOME' ? cache : real.env(name)),
      stat: (path) =>
        path === '/dev/nvidiactl'
          ? gpu
            ? { size: 0, isFolder: false, modified: 0 }
            : undefined
          : real.stat(path),
    };
  };
  const install = (host: Host, parts: Partial<TensorFlowManifest> = {}, binding = 'no library') => {
    const folder = tensorflowFolder(host);
    mkdirSync(dirname(bindingPath(folder)), { recursive: true });
    writeFileSync(bindingPath(folder), binding);
    const manifest = { version: 2, tensorflow: '2.21.0', binding: '4.22.0', cuda: true, bytes: 1, ...parts };
    writeFileSync(join(folder, MANIFEST), JSON.stringify(manifest));
  };

  it('compute with ONNX Runtime where there is no other', () => {
    expect(chooseRuntime(machine(true))).to.equal('onnx');
    expect(chooseRuntime(machine(true), 'tensorflow')).to.equal('tensorflow');
    for (const name of RUNTIME_NAMES)
      expect(runtimeProblem(machine(), name)?.code, name).to.equal(name === 'onnx' ? undefined : 'FTP0910');
  });

  it('compute with TensorFlow where it was installed for a GPU that is here', () => {
    install(machine());
    expect(chooseRuntime(machine(true))).to.equal('tensorflow');
    expect(chooseRuntime(machine(false))).to.equal('onnx');
    install(machine(), { cuda: false });
    expect(chooseRuntime(machine(true))).to.equal('onnx');
  });

  it('have a version without being loaded, which tells a GPU from a CPU', () => {
    const host = machine();
    expect(identityOf(host, 'tensorflow')).to.deep.equal({ name: 'tensorflow', version: 'missing' });
    install(host);
    expect(identityOf(host, 'tensorflow').version).to.equal('2.21.0+cuda');
    install(host, { cuda: false });
    expect(identityOf(host, 'tensorflow').version).to.equal('2.21.0');
    writeFileSync(join(tensorflowFolder(host), MANIFEST), '{');
    expect(runtimeProblem(host, 'tensorflow')?.code).to.equal('FTP0910');
  });

  it('say so when their library does not load', async () => {
    install(machine());
    const error: unknown = await openRuntime(machine(), 'tensorflow').catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UserError);
    expect((error as UserError).diagnostic).to.include({ code: 'FTP0911', severity: 'error' });
    expect((error as UserError).diagnostic.message).to.match(/^TensorFlow does not load: .*tfjs_binding/);
  });
});
