/** Which devices multiply bfloat16 by themselves, and what plans, keys and memory make of it. */
import { expect } from 'chai';
import type { Machine } from '../../../src/language/ir/machine.js';
import { engineLines } from '../../../src/pipeline/planner/render/engine.js';
import { prepare } from '../../../src/pipeline/prepare/index.js';
import { onGpus, onMachine } from '../../../src/pipeline/prepare/native-bf16.js';
import { type Folder, pipelineFolder, TEXT } from '../planner/pipeline.js';

describe('devices that multiply bfloat16', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const gpu = (name: string, capability?: number) => ({
    ...{ index: 0, uuid: 'GPU-1', name, memoryBytes: 2 ** 34, freeBytes: 2 ** 34 },
    ...(capability !== undefined && { capability }),
  });

  it('are GPUs of compute capability 8.0 or more, or, where a driver does not tell, of a known name', () => {
    const found = (...gpus: ReturnType<typeof gpu>[]) => onGpus(folder.host, gpus);
    expect(found(gpu('anything', 8))).to.equal(true);
    expect(found(gpu('anything', 12))).to.equal(true);
    expect(found(gpu('NVIDIA A100-SXM4-80GB', 7.5))).to.equal(false);
    for (const name of ['NVIDIA A100-SXM4-80GB', 'NVIDIA H100 80GB HBM3', 'NVIDIA GeForce RTX 3090'])
      expect(found(gpu(name)), name).to.equal(true);
    for (const name of ['Tesla T4', 'Tesla V100-SXM2-16GB', 'NVIDIA GeForce RTX 2080 Ti'])
      expect(found(gpu(name)), name).to.equal(false);
    expect(found(gpu('of no catalogue'))).to.equal(undefined);
    expect(found(gpu('of no catalogue'), gpu('one', 9))).to.equal(undefined);
    expect(found(gpu('of no catalogue'), gpu('other', 7))).to.equal(false);
    expect(found(gpu('one', 9), gpu('other', 7))).to.equal(false);
    expect(found()).to.equal(false);
  });

  it('are those of a machine with such a rate or, where it has none, of a known name', () => {
    const plain: Machine = { name: 'box', devices: 1, memory: 2 ** 34, aliases: [] };
    const has = (machine: Partial<Machine>) => onMachine(folder.host, { ...plain, ...machine });
    expect(has({ device: 'Mine', rates: { f32: 1e13, bf16: 1e14 } })).to.equal(true);
    expect(has({ device: 'Mine', rates: { f32: 1e13 } })).to.equal(false);
    expect(has({ device: 'NVIDIA A100-SXM4-80GB' })).to.equal(true);
    expect(has({ device: 'Mine' })).to.equal(undefined);
    expect(has({ rates: { bf16: 1e14 } })).to.equal(false);
  });

  const planned = async (machine: string, precision = '', declared = '') => {
    folder.write('p.ftp', `${TEXT.replace('fallback = [', `${precision}\n  fallback = [`)}\n${declared}\n`);
    const request = { file: 'p.ftp', params: {}, machine };
    const { plan, program } = await prepare(folder.host, request, { speed: 'nominal', runs: 'none' });
    const stage = plan?.stages.find(({ name }) => name === 'adapter');
    if (plan === undefined || stage?.peak == null) throw new Error('nothing is planned');
    const { settings } = program?.stages.find(({ name }) => name === 'adapter') ?? {};
    const evaluated = plan.stages.find(({ name }) => name === 'quality')?.peak;
    return { plan, stage, settings, weights: stage.peak.parts.weights, evaluated };
  };

  it('are trained on in it, which the plan says, with the key of who asks for it; older ones in float32', async () => {
    const [auto, asked, exact, old] = [
      await planned('a100-80gb'),
      await planned('a100-80gb', 'precision = bf16'),
      await planned('a100-80gb', 'precision = f32'),
      await planned('v100'),
    ];
    expect(auto.stage.effective['precision']).to.deep.equal({ value: 'bf16', from: 'planner' });
    expect(engineLines(auto.plan).at(-1)).to.equal('adapter: precision bf16: the GPU multiplies it');
    expect(auto.settings).to.include({ precision: 'bf16' });
    expect(asked.stage.effective['precision']).to.deep.equal({ value: 'bf16', from: 'author' });
    expect(engineLines(asked.plan)).to.have.length(1);
    expect(auto.plan.stages.map(({ key }) => key)).to.deep.equal(asked.plan.stages.map(({ key }) => key));
    expect(exact.stage.key).not.to.equal(auto.stage.key);
    const slow = [auto, asked, exact, old].map(({ plan }) =>
      plan.diagnostics.some(({ code }) => code === 'FTP2340'),
    );
    expect(slow, 'where float32 is asked for, and bfloat16 there').to.deep.equal([false, false, true, false]);
    expect(exact.stage.parts['settings.precision']).to.equal('"f32"');
    expect([auto.weights, auto.evaluated?.parts.weights]).to.deep.equal([
      ...[asked.weights, asked.evaluated?.parts.weights],
    ]);
    expect(auto.evaluated?.parts.weights).to.equal((exact.evaluated?.parts.weights ?? 0) / 2);
    expect(old.stage.effective['precision']).to.deep.equal({ value: 'f32', from: 'planner' });
    expect(engineLines(old.plan).at(-1)).to.equal('adapter: precision f32: the GPU does not multiply bf16');
    const unknown = await planned('box', '', 'machine box {\n  device = "Mine"\n  memory = 24GiB\n}');
    expect(engineLines(unknown.plan).at(-1)).to.equal(
      'adapter: precision f32: no `rates` are declared that say whether the GPU multiplies bf16, and its name is not known',
    );
    expect(old.plan.ranks).not.to.have.property('bf16Unknown');
    expect(old.stage.key).to.equal(exact.stage.key);
    expect(old.stage.peak).to.deep.equal(exact.stage.peak);
  });
});
