import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import {
  chooseRuntime,
  contenders,
  explainChoice,
  isUndecided,
  measurements,
} from '../../../../src/compute/tensor/runtimes/choice.js';
import { identityOf, openRuntime, runtimeProblem } from '../../../../src/compute/tensor/runtimes/index.js';
import {
  readSpeeds,
  type Speeds,
  speedsPath,
  withSpeeds,
} from '../../../../src/compute/tensor/runtimes/speeds.js';
import {
  bindingPath,
  MANIFEST,
  type TensorFlowManifest,
  tensorflowFolder,
} from '../../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { RUNTIME_NAMES, type RuntimeRequest } from '../../../../src/language/ir/runtimes.js';

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
      env: (name) => {
        if (name === 'FTPC_TENSORFLOW') return undefined;
        return name === 'XDG_CACHE_HOME' ? cache : real.env(name);
      },
      stat: (path) =>
        path === '/dev/nvidiactl'
          ? gpu
            ? { size: 0, isFolder: false, modified: 0 }
            : undefined
          : real.stat(path),
    };
  };
  const TENSORFLOW: RuntimeRequest = { choice: 'tensorflow', by: 'option' };
  /** As on a machine where compiling is not worth it and bfloat16 is no faster. */
  const UNCHANGED: Speeds = {
    'tensorflow 2.21.0+xla': 0.009,
    'tensorflow 2.21.0+xla, compiling': 2.5,
    'tensorflow 2.21.0, products in bf16': 0.01,
    'tensorflow 2.21.0+bf16, products in bf16': 0.01,
  };
  const keep = (host: Host, speeds: Speeds) => writeFileSync(speedsPath(host), withSpeeds(host, speeds));
  const install = (host: Host, parts: Partial<TensorFlowManifest> = {}, binding = 'no library') => {
    const folder = tensorflowFolder(host);
    mkdirSync(dirname(bindingPath(folder)), { recursive: true });
    writeFileSync(bindingPath(folder), binding);
    const manifest = { version: 2, tensorflow: '2.21.0', binding: '4.22.0', cuda: true, bytes: 1, ...parts };
    writeFileSync(join(folder, MANIFEST), JSON.stringify(manifest));
  };

  it('compute with ONNX Runtime where there is no other', () => {
    expect(chooseRuntime(machine(true))).to.equal('onnx');
    expect(chooseRuntime(machine(true), TENSORFLOW)).to.equal('tensorflow');
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
    expect(isUndecided(host, { choice: 'onnx', by: 'option' })).to.equal(false);
    const busy = machine(false, 100);
    expect(isUndecided(busy)).to.equal(false);
    expect(explainChoice(busy)[0]).to.match(/nothing was measured yet, because other programs/);
    const measured = (onnx: number, compiled: number) =>
      keep(host, {
        ...UNCHANGED,
        [`onnx ${identityOf(host, 'onnx').version}`]: onnx,
        'tensorflow 2.21.0': 0.013,
        'tensorflow 2.21.0+xla': compiled,
        'tensorflow 2.21.0+xla, products in bf16': 0.01,
        'tensorflow 2.21.0+bf16+xla, products in bf16': 0.01,
      });
    measured(0.01, 0.009);
    expect(isUndecided(host)).to.equal(false);
    expect(chooseRuntime(host)).to.equal('onnx');
    measured(0.01, 0.007);
    expect(chooseRuntime(host)).to.equal('tensorflow');
    expect(explainChoice(host)).to.include.members([
      'TensorFlow: a step of one block, measured here, takes 10 ms with onnx, 7 ms with tensorflow; compiled by XLA: a step takes 7 ms instead of 13 ms, after 2.5 s of compiling; products of `precision = bf16` in float32: a step takes 10 ms, and 10 ms on bfloat16',
      'ONNX Runtime: installed; `--runtime onnx` takes it',
    ]);
    // another version is another measurement
    install(host, { cuda: false, tensorflow: '2.22.0' });
    expect(isUndecided(host)).to.equal(true);
    expect(chooseRuntime(host)).to.equal('onnx');
    writeFileSync(speedsPath(host), '{');
    expect(chooseRuntime(host)).to.equal('onnx');
  });

  it('stay with ONNX Runtime where TensorFlow has nothing that it has not, however fast it seems', () => {
    const host = machine();
    install(host, { cuda: false });
    keep(host, {
      ...UNCHANGED,
      [`onnx ${identityOf(host, 'onnx').version}`]: 0.02,
      'tensorflow 2.21.0': 0.01,
    });
    expect([isUndecided(host), chooseRuntime(host)]).to.deep.equal([false, 'onnx']);
    expect(explainChoice(host)[0]).to.contain('; TensorFlow is only taken when compiled by XLA');
    const forced = (variant: string): Host => ({
      ...machine(),
      env: (name) => (name === 'FTPC_TENSORFLOW' ? variant : machine().env(name)),
    });
    writeFileSync(speedsPath(host), '{}');
    const rounded: RuntimeRequest = { choice: 'auto', by: 'auto', precision: 'bf16' };
    const undecided = (variant: string) => [
      isUndecided(forced(variant)),
      isUndecided(forced(variant), rounded),
    ];
    expect(['plain', 'bf16', 'xla'].map(undecided)).to.deep.equal([
      [false, false],
      [false, true],
      [true, true],
    ]);
    expect(explainChoice(forced('plain'))[0]).to.match(/nothing faster is installed/);
  });

  it('are compared in the precision that the pipeline asks for', () => {
    const host = machine();
    install(host, { cuda: false });
    const rounded: RuntimeRequest = { choice: 'auto', by: 'auto', precision: 'bf16' };
    const onnx = `onnx ${identityOf(host, 'onnx').version}`;
    const inFloat32 = { ...UNCHANGED, [onnx]: 0.01, 'tensorflow 2.21.0': 0.01 };
    keep(host, inFloat32);
    expect([isUndecided(host), isUndecided(host, rounded)]).to.deep.equal([false, true]);
    expect(chooseRuntime(host, rounded)).to.equal('onnx');
    expect(measurements(host, rounded, readSpeeds(host))).to.deep.equal([
      { key: `${onnx}, products in bf16`, runtime: 'onnx', precision: 'bf16' },
    ]);
    keep(host, {
      ...inFloat32,
      [`${onnx}, products in bf16`]: 0.015,
      'tensorflow 2.21.0+bf16, products in bf16': 0.005,
    });
    expect([chooseRuntime(host), chooseRuntime(host, rounded)]).to.deep.equal(['onnx', 'tensorflow']);
    expect(explainChoice(host, rounded)[0]).to.contain(
      'a step of one block with `precision = bf16`, measured here, takes 15 ms with onnx, 5 ms with tensorflow',
    );
  });

  it('say how TensorFlow computes: what was measured to be fastest, or what the environment asks for', () => {
    const host = machine();
    install(host, { cuda: false });
    const keys = (known: Speeds) => measurements(host, TENSORFLOW, known).map(({ key }) => key);
    const compared = { 'tensorflow 2.21.0': 0.01, 'tensorflow 2.21.0+xla': 0.007 };
    expect(keys({})).to.deep.equal(Object.keys(compared));
    const multiplied = {
      'tensorflow 2.21.0+xla, products in bf16': 0.01,
      'tensorflow 2.21.0+bf16+xla, products in bf16': 0.009,
    };
    expect(keys(compared)).to.deep.equal(Object.keys(multiplied));
    keep(host, compared);
    expect(identityOf(host, 'tensorflow').version).to.equal('2.21.0');
    expect(isUndecided(host, TENSORFLOW)).to.equal(true);
    keep(host, { ...compared, ...multiplied });
    expect(isUndecided(host, TENSORFLOW)).to.equal(false);
    expect(identityOf(host, 'tensorflow').version).to.equal('2.21.0+bf16+xla');
    // compiling takes seconds, and must have paid after a thousand steps of a block
    const version = (plain: number) => {
      keep(host, { ...UNCHANGED, ...multiplied, 'tensorflow 2.21.0': plain });
      return identityOf(host, 'tensorflow').version;
    };
    expect(version(0.0114)).to.equal('2.21.0');
    expect(version(0.0116)).to.equal('2.21.0+bf16+xla');
    keep(host, { ...UNCHANGED, 'tensorflow 2.21.0': 0.001, 'tensorflow 2.21.0+xla': null });
    expect(explainChoice(host, TENSORFLOW)[0]).to.match(/; XLA does not compile here;/);
    expect(Object.keys(readSpeeds(host))).to.have.length(5);
    const forced: Host = {
      ...host,
      env: (name) => (name === 'FTPC_TENSORFLOW' ? 'bf16' : host.env(name)),
    };
    expect(identityOf(forced, 'tensorflow').version).to.equal('2.21.0+bf16');
    expect(explainChoice(forced, TENSORFLOW)[0]).to.equal(
      'TensorFlow: asked for by `--runtime`; `FTPC_TENSORFLOW` asks for bf16',
    );
  });

  it('say which ways there are where the environment asks for another', async () => {
    install(machine());
    const host: Host = {
      ...machine(),
      env: (name) => (name === 'FTPC_TENSORFLOW' ? 'fast' : machine().env(name)),
    };
    const error: unknown = await openRuntime(host, 'tensorflow').catch((reason: unknown) => reason);
    expect((error as UserError).diagnostic).to.include({ code: 'FTP0937' });
  });

  it('say what they would need', () => {
    const host = machine();
    const [chosen, ...others] = explainChoice(host);
    expect(chosen).to.equal('ONNX Runtime: it comes with ftpc, and nothing faster is installed');
    // nobody asked for what is not installed
    expect(others.join()).not.to.contain('TensorFlow:');
    install(host);
    expect(explainChoice(machine(false), { choice: 'onnx', by: 'pipeline' })[0]).to.equal(
      'ONNX Runtime: the pipeline asks for it, in a budget',
    );
    expect(explainChoice(machine(false), { choice: 'onnx', by: 'option' })).to.include.members([
      'ONNX Runtime: asked for by `--runtime`',
      'TensorFlow: installed for GPUs, but no GPU driver is loaded; `--runtime tensorflow` computes on the CPU',
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
