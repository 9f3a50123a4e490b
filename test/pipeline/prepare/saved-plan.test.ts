/** Saved plans of the accelerate engine: what has to be as it was. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Host } from '../../../src/language/host/host.js';
import { type PlanRequest, prepare } from '../../../src/pipeline/prepare/index.js';
import { openSavedPlan, savePlan } from '../../../src/pipeline/prepare/saved-plan.js';
import { expectSchema } from '../../helpers/schema.js';
import { type Folder, pipelineFolder, STARTER } from '../planner/pipeline.js';
import { withPython } from './fake-python.js';

const TEXT = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"
data rows { source = jsonl("data/*.jsonl") }
format dialogs {
  from = rows
  template = chat()
}
train adapter {
  base = untrained("${STARTER}", seed: 1)
  dataset = dialogs.train
  precision = f32
  optimizer = adamw(rate: 2e-4)
  batch = { global: 16 }
  stop = { epochs: 1 }
}
budget machine { engine = accelerate, devices = 2 }
`;

type Fake = NonNullable<Parameters<typeof withPython>[2]>;
const GPUS: Fake = { gpus: [81_559, 81_559] };

describe('a saved plan of the accelerate engine', () => {
  let folder: Folder;
  const request: PlanRequest = { file: 'p.ftp', params: {} };
  const hostWith = (fake: Fake): Host => withPython(folder.host, folder.path, fake);
  const edit = (change: (saved: Record<string, unknown>) => Record<string, unknown>): void => {
    const path = join(folder.path, 'p.plan');
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
  };
  const savedWith = async (fake: Fake): Promise<void> => {
    const host = hostWith(fake);
    const prepared = await prepare(host, request);
    expect(prepared.plan?.valid).to.equal(true);
    savePlan(host, 'p.plan', prepared, request);
  };
  /** What is said of it where Python and GPUs are these. */
  const said = async (fake: Fake): Promise<readonly string[]> => {
    const host = hostWith(fake);
    const { diagnostics } = await prepare(host, openSavedPlan(host, 'p.plan'));
    return diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(({ code, message, notes }) => `${code} ${message.split(' has changed')[0]}: ${notes?.join(', ')}`);
  };
  before(() => {
    folder = pipelineFolder();
    folder.write('p.ftp', TEXT);
  });
  after(() => folder.remove());
  beforeEach(() => savedWith(GPUS));

  it('has its engine, devices and GPU, as its schema says', async () => {
    const saved = JSON.parse(readFileSync(join(folder.path, 'p.plan'), 'utf8'));
    expectSchema('saved-plan', saved);
    expect(saved.engine).to.equal('accelerate');
    expect(saved.ranks).to.deep.equal({ device: 'cuda', devices: 2, nodes: 1, sharding: 'auto' });
    expect(saved.machine.device).to.deep.equal({ name: 'NVIDIA H100', memoryBytes: 81_559 * 2 ** 20 });
    expect(await said(GPUS)).to.deep.equal([]);
  });

  it('is refused with another version of a package, each for itself', async () => {
    const packages = { torch: '2.99.0', peft: '0.99.0' };
    const found = await said({ ...GPUS, packages });
    expect(found.map((text) => text.replace(/then [\d.]+/, 'then …'))).to.deep.equal([
      'FTP1431 the version of torch: then …, now 2.99.0',
      'FTP1431 the version of peft: then …, now 0.99.0',
    ]);
  });

  it('is refused where there is no GPU, and where there are too few', async () => {
    expect(await said({})).to.deep.equal([
      'FTP1431 what the ranks compute on: then cuda, now cpu',
      'FTP1431 the GPU: then NVIDIA H100, now not there',
    ]);
    const [few = ''] = await said({ gpus: [81_559] });
    expect(few).to.match(/^FTP1803 /);
  });

  it('is refused on a GPU with less memory, or of another name, and not with more', async () => {
    expect(await said({ gpus: [40_000, 81_559] })).to.deep.equal([
      `FTP1431 the memory of the GPU: then ${81_559 * 2 ** 20} bytes, now ${40_000 * 2 ** 20} bytes`,
    ]);
    expect(await said({ gpus: [90_000, 90_000] })).to.deep.equal([]);
    edit((saved) => ({
      ...saved,
      machine: { ...Object(saved['machine']), device: { name: 'NVIDIA L4', memoryBytes: 1 } },
    }));
    expect(await said(GPUS)).to.deep.equal(['FTP1431 the GPU: then NVIDIA L4, now NVIDIA H100']);
  });

  it('is refused by another engine', async () => {
    edit((saved) => ({ ...saved, engine: 'embedded' }));
    const [found = ''] = await said(GPUS);
    expect(found).to.equal('FTP1431 the engine: then embedded, now accelerate');
  });

  it('is refused where the planner would have to choose otherwise', async () => {
    edit((saved) => ({
      ...saved,
      stages: (saved['stages'] as readonly Record<string, unknown>[]).map((stage) =>
        stage['name'] === 'adapter'
          ? {
              ...stage,
              chosen: { ...Object(stage['chosen']), microBatch: 8, accumulation: 9 },
            }
          : stage,
      ),
    }));
    expect(await said(GPUS)).to.deep.equal([
      "FTP1431 the planner's choice of `accumulation` for `adapter`: then 9, now 2",
    ]);
  });
});
