/** Which engine is taken, on which devices, and what is refused. */
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { decideEngine, type EngineInput } from '../../../src/pipeline/prepare/engine.js';
import { type Folder, pipelineFolder } from '../planner/pipeline.js';
import { withPython } from './fake-python.js';

type Fake = NonNullable<Parameters<typeof withPython>[2]>;

describe('the engine of a pipeline', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const decide = (settings: string, options: EngineInput['options'] = {}, fake?: Fake) => {
    folder.write('asked.ftp', `edition 2026\nbudget machine { ${settings} }\n`);
    const compiled = compile(folder.host, 'asked.ftp');
    expect(compiled.diagnostics.map(({ message }) => message)).to.deep.equal([]);
    const host = fake === undefined ? folder.host : withPython(folder.host, folder.path, fake);
    return decideEngine(host, { options, program: compiled.program, analysis: compiled.analysis });
  };
  const codes = async (...given: Parameters<typeof decide>) =>
    (await decide(...given)).diagnostics.map(({ code }) => code);
  const CPU: Fake = {};
  const GPUS: Fake = { gpus: [81_559, 24_576] };

  it('is the embedded one, unless a GPU and the environment are there and no runtime is asked for', async () => {
    const named = async (...given: Parameters<typeof decide>) => (await decide(...given)).engine.name;
    expect(await named('require peak_memory <= 8GiB')).to.equal('embedded');
    expect(await named('engine = auto', {}, CPU)).to.equal('embedded');
    expect(await named('engine = auto', {}, GPUS)).to.equal('accelerate');
    expect(await named('runtime = auto', {}, GPUS)).to.equal('accelerate');
    expect(await named('runtime = onnx', {}, GPUS)).to.equal('embedded');
    expect(await named('engine = embedded', {}, GPUS)).to.equal('embedded');
    expect(await named('engine = auto', { runtime: 'wasm' }, GPUS)).to.equal('embedded');
    expect(await named('engine = embedded', { engine: 'accelerate' }, CPU)).to.equal('accelerate');
    expect(await named('engine = accelerate', { engine: 'embedded' }, CPU)).to.equal('embedded');
  });

  it('computes on all GPUs that may be used, or on as many as are asked for, and else on the CPU', async () => {
    const place = async (...given: Parameters<typeof decide>) => {
      const { engine, device } = await decide(...given);
      if (engine.name === 'embedded') return undefined;
      const { device: kind, devices, nodes, sharding } = engine;
      return { kind, devices, nodes, sharding, bytes: device?.memoryBytes };
    };
    const one = { kind: 'cpu', devices: 1, nodes: 1, sharding: 'auto', bytes: undefined };
    const gpus = { kind: 'cuda', devices: 2, nodes: 1, sharding: 'auto', bytes: 24_576 * 2 ** 20 };
    expect(await place('engine = accelerate', {}, CPU)).to.deep.equal(one);
    expect(await place('engine = accelerate, devices = 3', {}, CPU)).to.deep.equal({ ...one, devices: 3 });
    expect(await place('engine = accelerate', {}, GPUS)).to.deep.equal(gpus);
    const asked = { devices: 1, nodes: 2, sharding: 'fsdp' } as const;
    expect(await place('engine = accelerate, devices = 2', asked, GPUS)).to.deep.equal({
      ...{ ...gpus, ...asked },
    });
  });

  it('has the versions of what computes as its identity', async () => {
    const { engine } = await decide('engine = accelerate', {}, { packages: { bitsandbytes: undefined } });
    expect(engine).to.include({ version: 'torch 2.15.0, transformers 5.24.0, peft 0.21.2' });
    const flash = await decide('engine = accelerate', {}, { ...GPUS, packages: { flash_attn: '2.8.3' } });
    expect(flash.engine).to.include({ attention: 'flash_attention_2' });
    expect(flash.engine).to.have.property('version').that.contains('flash_attn 2.8.3');
  });

  it('knows whether its devices multiply bfloat16', async () => {
    const has = async (...given: Parameters<typeof decide>) =>
      'multipliesBf16' in (await decide(...given)).engine;
    expect(await has('engine = accelerate', {}, GPUS)).to.equal(true);
    expect(await has('engine = accelerate', {}, CPU)).to.equal(false);
    expect(await has('engine = accelerate', { machine: 'a100-80gb' })).to.equal(true);
    expect(await has('engine = accelerate', { machine: 't4' })).to.equal(false);
  });

  it('is planned without Python for a machine that is not here', async () => {
    const { engine, diagnostics } = await decide('engine = accelerate', { machine: 'h100-80gb', devices: 8 });
    expect(diagnostics).to.deep.equal([]);
    expect(engine).to.include({ name: 'accelerate', device: 'cuda', devices: 8 });
    expect(engine).not.to.have.property('python');
    expect(await codes('require peak_memory <= 8GiB', { machine: 'h100-80gb', devices: 8 })).to.deep.equal(
      [],
    );
  });

  const refusals: readonly (readonly [code: string, ...given: Parameters<typeof decide>])[] = [
    ['FTP1800', 'runtime = onnx', { engine: 'accelerate' }, CPU],
    ['FTP1800', 'engine = accelerate', { runtime: 'onnx' }, CPU],
    ['FTP1801', 'devices = 2', { engine: 'embedded' }],
    ['FTP1801', 'devices = 2', {}],
    ['FTP1801', 'nodes = 2', { runtime: 'onnx' }],
    ['FTP1801', 'engine = embedded', { python: 'python3' }],
    ['FTP1803', 'engine = accelerate, devices = 3', {}, GPUS],
    ['FTP1804', 'engine = accelerate', { sharding: 'fsdp' }, CPU],
    ['FTP1806', 'engine = accelerate', { node: 0 }, CPU],
    ['FTP1806', 'engine = accelerate, nodes = 2', { node: 2 }, CPU],
    ['FTP1851', 'engine = accelerate', { python: 'nowhere/python' }],
  ];
  for (const [code, ...given] of refusals)
    it(`refuses \`${given[0]}\` with ${JSON.stringify(given[1])}: ${code}`, async () => {
      expect(await codes(...given)).to.deep.equal([code]);
    });

  it('says where a setting is that it refuses', async () => {
    const { diagnostics } = await decide('engine = accelerate, devices = 3', {}, GPUS);
    expect(diagnostics[0]?.at).to.include({ file: 'asked.ftp' });
    expect(diagnostics[0]?.message).to.contain('2 GPUs');
  });
});
