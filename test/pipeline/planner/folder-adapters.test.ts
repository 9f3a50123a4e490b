/** Plans of stages over an adapter of a folder: as those over the same adapter of a training. */
import { join } from 'node:path';
import { expect } from 'chai';
import type { AdapterConfig, LoraConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../src/compute/models/load.js';
import { writeAdapter } from '../../../src/compute/packaging/adapters.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { RunEngine } from '../../../src/language/ir/engines.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import type { PlannedStage } from '../../../src/pipeline/planner/plan-json.js';
import { plainOutput } from '../../compute/evaluation/tiny.js';
import { type Folder, pipelineFolder, QUICK, STARTER, TEXT } from './pipeline.js';

const GIB = 2 ** 30;

const ENGINES: readonly RunEngine[] = [
  { name: 'embedded' },
  {
    ...{ name: 'accelerate', version: 'torch 2.15.0, transformers 5.24.0', versions: { torch: '2.15.0' } },
    ...{
      python: '/usr/bin/python3',
      attention: 'sdpa',
      device: 'cpu',
      devices: 1,
      nodes: 1,
      sharding: 'auto',
    },
  },
];

const LORA: LoraConfig = {
  ...{ kind: 'lora', rank: 16, alpha: 32, dropout: 0 },
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};

describe('a plan with an adapter of a folder', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const ROOMY = TEXT.replace('<= 2GiB', '<= 200GiB');
  const BASE = `untrained("${STARTER}", seed: 1)`;
  const OVER = ROOMY.replace('model = adapter.best', `model = ${BASE}\n  adapter = peft("own")`).replace(
    'adapter = adapter.best',
    'adapter = peft("own")',
  );

  function save(config: AdapterConfig): void {
    const { config: model } = openModel(nodeHost(), STARTER);
    const base = { name: 'starter', revision: null, transposed: false, shape: model };
    writeAdapter(plainOutput(join(folder.path, 'own')), '.', initAdapter(model, config, { seed: 1 }), {
      base,
    });
  }

  const planned = async (text: string, engine: RunEngine): Promise<(name: string) => PlannedStage> => {
    const { runtime, ...quick } = QUICK;
    const own = engine.name === 'embedded' ? { runtime } : {};
    const made = await plan(folder.program(text), folder.host, {
      ...{ ...quick, ...own, memoryBytes: 64 * GIB, engine },
    });
    expect(made.diagnostics).to.deep.equal([]);
    return (name) => {
      const stage = made.stages.find((one) => one.name === name);
      if (stage === undefined) throw new Error(`no stage ${name}`);
      return stage;
    };
  };

  for (const engine of ENGINES)
    it(`takes memory, time and disk for it: ${engine.name}`, async () => {
      save(LORA);
      const [port, own] = [await planned(ROOMY, engine), await planned(OVER, engine)];
      const of = ({ peak, seconds, diskBytes }: PlannedStage) => ({ parts: peak?.parts, seconds, diskBytes });
      expect(port('quality').peak?.parts.adapter).to.be.above(0);
      expect(of(own('quality'))).to.deep.equal(of(port('quality')));
      expect(own('fused').peak?.parts.adapter).to.equal(port('fused').peak?.parts.adapter);
      expect(own('fused').diskBytes).to.equal(port('fused').diskBytes);
    });

  it('knows that what a head over labels was merged into writes nothing', async () => {
    const [embedded = { name: 'embedded' } as const] = ENGINES;
    save(LORA);
    const written = (await planned(OVER, embedded))('local').peak?.parts.logits ?? 0;
    save({ ...LORA, labels: ['a', 'b'] });
    const labels = (
      await planned(
        OVER.replace(/\neval [\s\S]*?\n}\n/, '\n').replace('  when = quality.passed\n', ''),
        embedded,
      )
    )('local');
    expect(labels.peak?.parts.logits).to.be.below(written);
  });
});
