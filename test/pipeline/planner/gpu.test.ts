import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Host } from '../../../src/language/host/host.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import type { PlannedDevice } from '../../../src/pipeline/planner/plan-json.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { renderPlanText } from '../../../src/pipeline/planner/render/text.js';
import { keptByProcess, type PlannedModel } from '../../../src/pipeline/planner/stage-models.js';
import { tensorDevice } from '../../../src/pipeline/prepare/tensor-device.js';
import { fixture } from '../../compute/models/decoder/fixture.js';
import { type Folder, pipelineFolder, SURVEY } from './pipeline.js';

const [MIB, GIB] = [2 ** 20, 2 ** 30];
const RUNTIME = { name: 'tensorflow', version: '2.21.0+cuda' };

describe('a plan for a GPU of this machine', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  const planned = (memoryBytes: number, availableBytes: number) =>
    plan({ ...folder.program(), budgets: [] }, folder.host, {
      memoryBytes,
      device: { name: 'NVIDIA L4', memoryBytes: 2 * availableBytes, availableBytes } satisfies PlannedDevice,
      runtime: RUNTIME,
      survey: async () => SURVEY,
      speed: async () => undefined,
    });
  const train = async (memoryBytes: number, availableBytes: number) => {
    const made = await planned(memoryBytes, availableBytes);
    const stage = made.stages.find(({ kind }) => kind === 'train');
    return { made, chosen: stage?.chosen, peak: stage?.peak, rejected: stage?.rejected ?? [] };
  };

  it('counts tensors there and the process here', async () => {
    const { made, peak } = await train(64 * GIB, 64 * GIB);
    expect(made.diagnostics.map(({ message }) => message)).to.deep.equal([]);
    const { device } = peak ?? {};
    expect(device?.parts.activations).to.be.above(0);
    expect(device?.parts.weights).to.be.above(0);
    // AdamW computes there; a checkpoint copies what it remembers
    expect(device?.parts.optimizer).to.be.above(0);
    expect(peak?.parts.optimizer).to.be.at.least(device?.parts.optimizer ?? 0);
    expect(peak?.parts.activations).to.equal(0);
    expect(peak?.parts.weights).to.equal(0);
    const data = made.stages.find(({ kind }) => kind === 'data');
    expect(data?.peak?.device).to.equal(undefined);
    const text = renderPlanText(made, PLAIN);
    expect(text)
      .to.contain('on NVIDIA L4: 128 GiB, 64.0 GiB to plan with')
      .and.contain('Memory of adapter on NVIDIA L4');
  });

  it('counts a base in the process too where that keeps it', () => {
    const { config } = fixture('tied').recording;
    const kept = (format: string) =>
      keptByProcess({ config, format: () => format } as unknown as PlannedModel);
    expect(kept('BF16')).to.deep.equal({
      ...{ lora: false, qlora: false, full: true, head: false, paged: true },
      materialised: false,
    });
    expect(kept('Q4_K')).to.include({ lora: true, qlora: false, head: true });
  });

  it('goes down the ladder where the GPU is small, and not for the machine', async () => {
    const roomy = await train(64 * GIB, 64 * GIB);
    const { peak } = roomy;
    const tight = (peak?.device?.high ?? 0) - MIB;
    const small = await train(64 * GIB, tight);
    expect(small.chosen).not.to.deep.equal(roomy.chosen);
    expect(small.peak?.device?.high).to.be.at.most(tight);
    expect(small.rejected[0]?.why).to.match(/more than the .* available on NVIDIA L4/);
    expect(small.made.valid).to.equal(true);
  });

  it('says which of the two is too small where nothing fits', async () => {
    const gpu = await train(64 * GIB, 100 * MIB);
    const message = ({ made }: typeof gpu) =>
      made.diagnostics.find(({ code }) => code === 'FTP0901')?.message;
    expect(message(gpu)).to.contain('of NVIDIA L4 are available');
    expect(gpu.made.diagnostics.find(({ code }) => code === 'FTP0902')?.message).to.contain(
      'available on NVIDIA L4',
    );
    const host = await train(GIB, 64 * GIB);
    expect(message(host)).to.contain(`of ${host.made.machine.name} are available`);
  });
});

describe('the GPU of a plan', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  const found = (
    script: string,
    env: Readonly<Record<string, string>> = {},
    version = RUNTIME.version,
    asked?: number,
  ) => {
    const program = join(folder.path, 'bin', 'nvidia-smi');
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    const variables = { PATH: `${dirname(program)}${delimiter}${process.env['PATH']}`, ...env };
    const host: Host = { ...folder.host, env: (name) => (variables as Record<string, string>)[name] };
    return tensorDevice(host, { name: 'tensorflow', version }, asked);
  };
  const TWO = "printf '0, GPU-aaaa1, NVIDIA H100, 81559, 80000\\n1, GPU-bbbb2, NVIDIA L4, 20000, 10000\\n'";

  it('is the smallest that may be used, less a margin', async () => {
    expect(await found(TWO)).to.deep.equal({
      device: { name: 'NVIDIA L4', memoryBytes: 20_000 * MIB, availableBytes: 19_000 * MIB },
      diagnostics: [],
    });
    expect((await found(TWO, { CUDA_VISIBLE_DEVICES: '0' })).device?.name).to.equal('NVIDIA H100');
    expect(await found(TWO, { CUDA_VISIBLE_DEVICES: '' })).to.deep.equal({ diagnostics: [] });
    expect(await found(TWO, {}, '2.21.0'), 'installed for the CPU').to.deep.equal({ diagnostics: [] });
  });

  it('has the memory that may be taken, known or not', async () => {
    const limit = { FTPC_DEVICE_MEMORY: '6GiB' };
    expect((await found(TWO, limit)).device?.availableBytes).to.equal(6 * GIB);
    expect((await found('exit 3', limit)).device).to.include({ name: 'the GPU', availableBytes: 6 * GIB });
    expect((await found(TWO, limit, RUNTIME.version, 4 * GIB)).device?.availableBytes).to.equal(4 * GIB);
    expect((await found(TWO, limit, RUNTIME.version, 8 * GIB)).device?.availableBytes).to.equal(6 * GIB);
    expect((await found(TWO, {}, RUNTIME.version, 64 * GIB)).device?.isLimited).to.equal(undefined);
    const unknown = await found('exit 3');
    expect(unknown.device).to.equal(undefined);
    expect(unknown.diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0921']);
  });
});

describe('a limit of what tensors may take', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  const device = async (name: string, asked?: number, env: Readonly<Record<string, string>> = {}) => {
    const host: Host = { ...folder.host, env: (variable) => env[variable] };
    return tensorDevice(host, { name, version: '1' }, asked);
  };

  it('is what a plan reckons with on every runtime that counts them', async () => {
    const shared = { memoryBytes: 2 * GIB, availableBytes: 2 * GIB, isShared: true, isLimited: true };
    for (const [runtime, name] of Object.entries({
      tensorflow: 'the CPU',
      webgpu: 'the GPU',
      wasm: 'WebAssembly',
    })) {
      expect((await device(runtime, 2 * GIB)).device).to.deep.equal({ name, ...shared });
      const narrower = await device(runtime, 2 * GIB, { FTPC_DEVICE_MEMORY: '1GiB' });
      expect(narrower.device?.availableBytes).to.equal(GIB);
      const wider = await device(runtime, 2 * GIB, { FTPC_DEVICE_MEMORY: '3GiB' });
      expect(wider.device?.availableBytes).to.equal(2 * GIB);
    }
  });

  it('is that of the heap where none is set for WebAssembly, and none on the others', async () => {
    expect((await device('wasm')).device).to.include({ availableBytes: 3 * GIB, isLimited: false });
    expect((await device('wasm', 8 * GIB)).device).to.include({ availableBytes: 3 * GIB, isLimited: false });
    expect((await device('tensorflow')).device).to.equal(undefined);
    expect((await device('webgpu')).device).to.equal(undefined);
  });

  it('is said to be none where the machine computes in its memory', async () => {
    for (const runtime of ['onnx', 'cpu']) {
      const { device: none, diagnostics } = await device(runtime, 6 * GIB);
      expect(none).to.equal(undefined);
      expect(diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0923']);
      expect((await device(runtime)).diagnostics).to.deep.equal([]);
    }
  });

  it('sends a training down its ladder in the plan, before it does in the run', async () => {
    const runtime = { name: 'tensorflow', version: '2.21.0' };
    const planned = async (availableBytes: number) => {
      const limit = { name: 'the CPU', memoryBytes: availableBytes, availableBytes };
      const made = await plan(folder.program(), folder.host, {
        memoryBytes: 64 * GIB,
        device: { ...limit, isShared: true, isLimited: true },
        runtime,
        survey: async () => SURVEY,
        speed: async () => undefined,
      });
      return { made, train: made.stages.find(({ kind }) => kind === 'train') };
    };
    const roomy = await planned(64 * GIB);
    const { peak } = roomy.train ?? {};
    // the device is in the process
    expect(peak?.bytes).to.be.above(peak?.device?.bytes ?? Infinity);
    const tight = (peak?.device?.high ?? 0) - 1;
    const small = await planned(tight);
    expect(small.train?.chosen).not.to.deep.equal(roomy.train?.chosen);
    expect(small.train?.peak?.device?.high).to.be.at.most(tight);
    expect(small.train?.rejected[0]?.why).to.match(/more than the .* allowed on the CPU/);
    const none = await planned(MIB);
    const problem = none.made.diagnostics.find(({ code }) => code === 'FTP0901');
    expect(problem?.message).to.contain('1.00 MiB are allowed on the CPU');
    expect(problem?.help).to.contain('`device_memory`');
  });
});

describe('a GPU that takes tensors up to a size', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  const planned = async (largestTensor: number, machine?: string) => {
    const made = await plan(folder.program(), folder.host, {
      memoryBytes: 64 * GIB,
      ...{ machine, largestTensor },
      runtime: { name: 'webgpu', version: '4.22.0' },
      survey: async () => SURVEY,
      speed: async () => undefined,
    });
    return { made, train: made.stages.find(({ kind }) => kind === 'train') };
  };

  it('is planned for with fewer rows at a time, and the plan says why', async () => {
    const roomy = await planned(GIB);
    expect(roomy.train?.rejected[0]?.why).not.to.contain('in one piece');
    expect(roomy.train?.peak).not.to.have.property('refused');
    const small = await planned(4 * MIB);
    expect(small.made.diagnostics.map(({ code }) => code)).not.to.include('FTP0901');
    expect(small.train?.chosen?.microBatch).to.be.below(roomy.train?.chosen?.microBatch ?? 0);
    expect(small.train?.peak).not.to.have.property('refused');
    expect(small.train?.rejected[0]?.why).to.match(
      /^a tensor of .* MiB has to be in one piece, and the GPU takes 4.00 MiB$/,
    );
    expect(renderPlanText(small.made, PLAIN)).to.contain('and the GPU takes 4.00 MiB');
  });

  it('that is too small is an error before the run, for what trains and for what is evaluated', async () => {
    const { made, train } = await planned(64 * 1024);
    expect(made.valid).to.equal(false);
    expect(train?.peak?.refused?.largest).to.equal(64 * 1024);
    const errors = made.diagnostics.filter(({ code }) => ['FTP0901', 'FTP0902'].includes(code));
    expect(errors.map(({ code }) => code)).to.include.members(['FTP0901', 'FTP0902']);
    for (const { message, help } of errors) {
      expect(message).to.contain('has to be in one piece, and the GPU takes 64.0 KiB');
      expect(help).to.contain('`--runtime onnx`');
    }
  });

  it('is none of a machine that is not here', async () => {
    const { made } = await planned(64 * 1024, 'rtx3090');
    expect(made.valid).to.equal(true);
  });
});
