/** Plans for the accelerate engine: how ranks share a model, what they take, and what no key has. */
import { expect } from 'chai';
import type { CountQuestion } from '../../../src/compute/accelerate/count-tensors.js';
import type { AccelerateRun } from '../../../src/language/ir/engines.js';
import { fitsIn } from '../../../src/pipeline/planner/memory-budget.js';
import { type PlanOptions, plan } from '../../../src/pipeline/planner/plan.js';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { engineLines } from '../../../src/pipeline/planner/render/engine.js';
import { renderPlanText } from '../../../src/pipeline/planner/render/text.js';
import { type Folder, pipelineFolder, QUICK, TEXT } from './pipeline.js';

const GIB = 2 ** 30;

const ENGINE: AccelerateRun = {
  name: 'accelerate',
  version: 'torch 2.15.0, transformers 5.24.0',
  versions: { torch: '2.15.0' },
  python: '/usr/bin/python3',
  attention: 'sdpa',
  ...{ device: 'cpu', devices: 1, nodes: 1, sharding: 'auto' },
};
const ROOMY = TEXT.replace('<= 2GiB', '<= 200GiB');

describe('a plan for ranks', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const planned = (
    engine: Partial<AccelerateRun> = {},
    options: PlanOptions = {},
    text = ROOMY,
  ): Promise<Plan> => {
    const { runtime: _, ...quick } = QUICK;
    return plan(folder.program(text), folder.host, {
      ...{ ...quick, memoryBytes: 64 * GIB },
      ...options,
      engine: { ...ENGINE, ...engine },
    });
  };
  const trained = (made: Plan) => {
    const stage = made.stages.find(({ name }) => name === 'adapter');
    if (stage?.peak == null || stage.chosen === null) throw new Error('nothing is planned');
    return { ...stage, peak: stage.peak, chosen: stage.chosen };
  };

  it('has the engine in its keys, and neither the number of ranks nor the sharding', async () => {
    const text = ROOMY.replace('{ global: 16 }', '{ global: 16, micro: 4 }');
    const [one, two, sharded] = [
      await planned({}, {}, text),
      await planned({ devices: 2 }, {}, text),
      await planned({ devices: 2, sharding: 'fsdp' }, {}, text),
    ];
    expect(one.engine).to.equal('accelerate');
    expect(one.runtime).to.equal('accelerate torch 2.15.0, transformers 5.24.0');
    expect(one.ranks).to.deep.equal({ device: 'cpu', devices: 1, nodes: 1, sharding: 'auto' });
    expect(trained(one).parts['runtime']).to.equal(one.runtime);
    expect(trained(two).key).to.equal(trained(one).key);
    expect(trained(sharded).key).to.equal(trained(one).key);
    const other = await planned({ version: 'torch 2.16.0, transformers 5.24.0' }, {}, text);
    expect(trained(other).key).not.to.equal(trained(one).key);
  });

  it('counts the adapter that is evaluated, and that is merged', async () => {
    const made = await planned();
    const adapterOf = (name: string) => made.stages.find((stage) => stage.name === name)?.peak?.parts.adapter;
    const trained = adapterOf('adapter');
    expect(trained).to.be.above(0);
    expect([adapterOf('quality'), adapterOf('fused')]).to.deep.equal([trained, trained]);
  });

  it('gives each rank a replica where one fits, and shards otherwise', async () => {
    expect(trained(await planned()).chosen).not.to.have.property('sharding');
    expect(trained(await planned({ devices: 2 })).chosen.sharding).to.equal('ddp');
    expect(trained(await planned({ devices: 2, sharding: 'fsdp' })).chosen.sharding).to.equal('fsdp');
    const gpu = { device: 'cuda', devices: 4 } as const;
    const device = (bytes: number) => ({
      device: { name: 'GPU', memoryBytes: bytes, availableBytes: bytes },
    });
    const text = ROOMY.replace('lora = { rank: 16, alpha: 32, dropout: 5% }', '')
      .replace('train adapter {', 'train adapter using full {')
      .replace(/fallback = .*/, 'fallback = []')
      .replace(/merge fused[\s\S]*when = quality.passed\n/, 'deploy local {\n  model = adapter.best\n');
    const roomy = trained(await planned(gpu, device(8 * GIB), text));
    expect(roomy.chosen.sharding).to.equal('ddp');
    const ddp = roomy.peak.device;
    if (ddp === undefined) throw new Error('no device');
    // what the rows take, all but a little, may be saved by smaller micro batches: a replica has to be too much
    const { activations, logits, workspace } = ddp.parts;
    const room = ddp.high - 1.25 * (activations + logits + workspace);
    const tight = trained(await planned(gpu, device(room), text));
    expect(tight.chosen.sharding).to.equal('fsdp');
    expect(tight.peak.device?.parts.optimizer).to.equal(Math.ceil(ddp.parts.optimizer / 4));
    expect(tight.rejected[0]?.sharding).to.equal('ddp');
  });

  it('counts one rank, and of those on the CPU how many a machine holds', async () => {
    const one = trained(await planned()).peak;
    const two = trained(await planned({ devices: 2 })).peak;
    expect([one.ranks, two.ranks]).to.deep.equal([undefined, 2]);
    expect(two.parts.weights).to.equal(one.parts.weights);
    expect(fitsIn(two, { availableBytes: 1.9 * two.high })).to.equal(false);
    expect(fitsIn(two, { availableBytes: 2.1 * two.high })).to.equal(true);
    expect(one.low).to.be.lessThan(one.bytes);
    expect(one.high).to.be.greaterThan(one.bytes);
    const device = { name: 'GPU', memoryBytes: 80 * GIB, availableBytes: 76 * GIB };
    const four = trained(await planned({ device: 'cuda', devices: 4 }, { device })).peak;
    expect(four.device?.parts.weights).to.equal(one.parts.weights);
    expect(four.device?.bytes).to.be.lessThan(4 * GIB);
  });

  it('leaves no rank without a micro batch', async () => {
    const { chosen } = trained(await planned({ devices: 8 }));
    expect(chosen.microBatch * chosen.accumulation).to.equal(16);
    expect(chosen.accumulation).to.be.at.least(8);
  });

  it('recomputes whole blocks alone, and pages no weights', async () => {
    const { chosen, rejected } = trained(await planned({}, { memoryBytes: 1.55 * GIB }));
    for (const one of [chosen, ...rejected]) {
      expect(one).not.to.have.any.keys('recomputedMlps', 'pagedWeights', 'vocabularyShard', 'materialised');
      expect(one.recomputedAttention ?? 0).to.equal(0);
    }
  });

  it('moves shards to the memory of the machine where the file lists it', async () => {
    const gpu = { device: 'cuda', devices: 1 } as const;
    const on = (bytes: number) => ({ device: { name: 'GPU', memoryBytes: bytes, availableBytes: bytes } });
    const falling = (list: string) => ROOMY.replace(/fallback = .*/, `fallback = [${list}]`);
    // the least that there is without it
    const least = trained(await planned(gpu, on(1), falling(''))).peak.device?.high ?? 0;
    const { chosen, peak } = trained(await planned(gpu, on(least - 1), falling('cpu_offload')));
    expect(chosen).to.include({ cpuOffload: true, sharding: 'fsdp' });
    // an adapter stays on its device, and so does what its optimiser remembers
    expect(peak.device?.parts.optimizer).to.be.greaterThan(0);
  });

  it('says in which phase most is taken, and what allocator and driver show', async () => {
    const device = { name: 'GPU', memoryBytes: 80 * GIB, availableBytes: 76 * GIB };
    const { peak } = trained(await planned({ device: 'cuda' }, { device }));
    const { allocation, parts } = peak.device ?? {};
    if (allocation === undefined || parts === undefined) throw new Error('no allocation');
    const { phase, bytes, low, high, phases, reserved, driver } = allocation;
    expect(phases.find((one) => one.phase === phase)?.bytes).to.equal(bytes);
    expect(Math.max(...phases.map((one) => one.bytes))).to.equal(bytes);
    const { runtime, ...tensors } = parts;
    expect(runtime).to.be.greaterThan(0);
    expect(Object.values(tensors).reduce((sum, part) => sum + part, 0)).to.be.closeTo(bytes, 10);
    expect([low, bytes, high, reserved?.high, driver?.high]).to.deep.equal(
      [low, bytes, high, reserved?.high, driver?.high].sort((a = 0, b = 0) => a - b),
    );
    expect(trained(await planned()).peak.allocation).not.to.have.any.keys('reserved', 'driver');
  });

  it('says that it estimates where nothing was counted for the versions', async () => {
    const [counted, other] = [
      trained(await planned()).peak.allocation,
      trained(await planned({ versions: { torch: '2.16.1' } })).peak.allocation,
    ];
    expect(counted).not.to.have.property('uncounted');
    expect(other?.uncounted).to.equal('versions');
    expect(other?.bytes).to.equal(counted?.bytes);
    expect(other?.high).to.be.greaterThan(counted?.high ?? 0);
  });

  it('takes what is counted here where the tables lack the versions, and asks for no more than that', async () => {
    const asked: CountQuestion[] = [];
    const saved = {
      ...{ constant: 0, hidden: 1e4, queries: 0, keys: 0, inner: 0, heads: 0, keyHeads: 0, scores: 0 },
    };
    const count: PlanOptions['count'] = async (question) => {
      asked.push(question);
      return { block: { saved, logits: 12 }, update: { all: 0, largest: 0 } };
    };
    const { allocation } = trained(await planned({}, { count })).peak;
    expect(asked).to.have.lengthOf(0);
    expect(allocation?.counted).to.deep.equal({ by: 'tables', torch: '2.15' });
    const other = trained(await planned({ versions: { torch: '2.16.1' } }, { count })).peak.allocation;
    expect(other?.counted).to.deep.equal({ by: 'here', torch: '2.16.1' });
    expect(other).not.to.have.property('uncounted');
    expect(other?.bytes).to.be.greaterThan(allocation?.bytes ?? 0);
    const [{ config, ...question } = { config: null }] = asked;
    expect(config).to.include({ model_type: 'llama' });
    expect(question).to.deep.equal({
      ...{ optimizer: 'adamw', device: 'cpu' },
      variant: {
        ...{ trained: 'adapter', precision: 'f32', attention: 'sdpa' },
        targets: [
          ...['mlp.down_proj', 'mlp.gate_proj', 'mlp.up_proj'],
          ...['self_attn.k_proj', 'self_attn.o_proj', 'self_attn.q_proj', 'self_attn.v_proj'],
        ],
      },
    });
  });

  it('predicts no time of what was not measured', async () => {
    expect(trained(await planned({}, { speed: undefined })).seconds).to.equal(null);
  });

  it('says what computes, and why ranks share as they do', async () => {
    expect(engineLines(await planned({ devices: 2, nodes: 2 }))).to.deep.equal([
      'Computed by the accelerate engine, as the machine has a GPU: 2 ranks on the CPU, on each of 2 nodes; torch 2.15.0, transformers 5.24.0',
      'adapter: each rank has a replica of the model (ddp), since one fits',
    ]);
    const [, asked] = engineLines(await planned({ devices: 2, sharding: 'fsdp' }));
    expect(asked).to.equal('adapter: the ranks have shards of the model (fsdp), as asked for');
  });

  it('says how fast machines are taken to reach each other', async () => {
    const cards = { device: 'cuda', devices: 8, nodes: 2 } as const;
    const lines = async (machine: string) => engineLines(await planned(cards, { machine, devices: 8 }));
    expect((await lines('aws_p4d_24xlarge'))[1]).to.equal('network between machines: 50GB/s, as declared');
    expect((await lines('h100_sxm'))[1]).to.match(
      /^network between machines: 400GB\/s, as of aws_p5_48xlarge, since none is declared; the run takes at least \d+ .*, with 400GB\/s, and at most \d+ .*, with 100GB\/s$/,
    );
    expect((await lines('rtx_4090'))[1]).to.match(
      /^network between machines: 1\.25GB\/s, as of 10 Gbit\/s, since none is declared; the run takes at least \d+ .*, with 400GB\/s, and at most \d+ .*, with 1\.25GB\/s$/,
    );
    expect(await planned({ ...cards, nodes: 1 }, { machine: 'h100_sxm' })).not.to.have.property('network');
    const timeOn = async (machine: string) =>
      trained(await planned({ ...cards, sharding: 'fsdp' }, { machine })).seconds;
    const [assumed400, declared400] = [await timeOn('h100_sxm'), await timeOn('aws_p5_48xlarge')];
    expect(assumed400).to.include({ expected: declared400?.expected, low: declared400?.low });
    expect(assumed400?.high, 'with the slowest network of such machines').to.be.above(declared400?.high ?? 0);
  });

  it('says where ranks have no rows', async () => {
    const few = await planned(
      { devices: 24 },
      {},
      ROOMY.replace('{ global: 16 }', '{ global: 16, micro: 2 }'),
    );
    expect(engineLines(few).at(-1)).to.equal(
      'adapter: a step has 16 rows, so that 16 of 24 ranks have none: raise `batch.global`, or use fewer devices',
    );
    const enough = await planned(
      { devices: 8 },
      {},
      ROOMY.replace('{ global: 16 }', '{ global: 16, micro: 2 }'),
    );
    expect(engineLines(enough).join()).not.to.contain('ranks have none');
  });

  it('takes as long for a batch that no rows fill as for all rows in one', async () => {
    const cards = { device: 'cuda', devices: 1 } as const;
    const secondsOf = async (global: number): Promise<number> => {
      const text = ROOMY.replace('{ global: 16 }', `{ global: ${global}, micro: 2 }`);
      return trained(await planned(cards, { machine: 'h100_sxm' }, text)).seconds?.expected ?? Number.NaN;
    };
    expect(await secondsOf(1_000_000)).to.equal(await secondsOf(100_000));
  });

  it('says of whom memory is', async () => {
    const two = renderPlanText(await planned({ devices: 2 }), PLAIN, 80);
    expect(two).to.match(/peak .* at most .* per rank/);
    expect(two).to.contain('Memory of adapter per rank\n');
    expect(two).to.match(/ to run, \d cached, peak \S+ \S+ per rank,/);
    expect(renderPlanText(await planned(), PLAIN, 80)).not.to.contain('per rank');
    const cards = await planned({ device: 'cuda', devices: 8 }, { machine: 'h100-80gb', devices: 8 });
    expect(renderPlanText(cards, PLAIN, 80))
      .to.contain('Memory of adapter per GPU\n')
      .and.not.contain('per rank');
  });
});
