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
  contenders,
  explainChoice,
  isUndecided,
  speedsPath,
  withSpeeds,
} from '../../../src/tensor/runtimes/choice.js';
import { identityOf, openRuntime, runtimeProblem } from '../../../src/tensor/runtimes/index.js';
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

  const machine = (gpu = false, load = 0): Host => {
    const real = nodeHost();
    return {
      ...real,
      machine: () => ({ ...real.machine(), load }),
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

  it('are measured against each other where there are two for the CPU, and another must be a fifth faster', () => {
    const host = machine();
    expect(isUndecided(host)).to.equal(false);
    install(host, { cuda: false });
    expect(contenders(host)).to.deep.equal(['onnx', 'tensorflow']);
    expect(isUndecided(host)).to.equal(true);
    expect(isUndecided(host, 'onnx')).to.equal(false);
    const busy = machine(false, 100);
    expect(isUndecided(busy)).to.equal(false);
    expect(explainChoice(busy)[0]).to.match(/nothing was measured yet: other programs/);
    const measured = (onnx: number, tensorflow: number) =>
      writeFileSync(speedsPath(host), withSpeeds(host, { onnx, tensorflow }));
    measured(0.01, 0.009);
    expect(isUndecided(host)).to.equal(false);
    expect(chooseRuntime(host)).to.equal('onnx');
    measured(0.01, 0.007);
    expect(chooseRuntime(host)).to.equal('tensorflow');
    expect(explainChoice(host)).to.include.members([
      "TensorFlow: a block's step was measured here: 10 ms with onnx, 7 ms with tensorflow",
      'ONNX Runtime: installed; `--runtime onnx` takes it',
    ]);
    // another version is another measurement
    install(host, { cuda: false, tensorflow: '2.22.0' });
    expect(isUndecided(host)).to.equal(true);
    expect(chooseRuntime(host)).to.equal('onnx');
    writeFileSync(speedsPath(host), '{');
    expect(chooseRuntime(host)).to.equal('onnx');
  });

  it('say what they would need', () => {
    const host = machine();
    expect(explainChoice(host)).to.include.members([
      'ONNX Runtime: it comes with ftpc, and nothing faster is installed',
      'TensorFlow: not installed; run `ftpc runtime install tensorflow`',
    ]);
    install(host);
    expect(explainChoice(machine(false), { choice: 'onnx', by: 'pipeline' })[0]).to.equal(
      'ONNX Runtime: the pipeline asks for it, in a budget',
    );
    expect(explainChoice(machine(false), { choice: 'onnx', by: 'option' })).to.include.members([
      'ONNX Runtime: asked for by `--runtime`',
      'TensorFlow: installed for GPUs, and no driver of one is loaded; `--runtime tensorflow` computes on the CPU',
    ]);
    expect(explainChoice(machine(true))[0]).to.equal('TensorFlow: there is a GPU that it was installed for');
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
