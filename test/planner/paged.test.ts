/** A base that does not fit stays in its files: the plan says so, the run keeps to it, and the adapter is the same. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { RunEvent } from '../../src/ir/events.js';
import { expectedTensors } from '../../src/models/architectures/index.js';
import { openModel } from '../../src/models/load.js';
import { f32Writable, safetensorsChunks } from '../../src/models/safetensors/write.js';
import type { Plan } from '../../src/planner/types.js';
import { type Folder, pipelineFolder, STARTER } from './pipeline.js';

const MAIN = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', 'src', 'cli', 'main.js');
const MIB = 2 ** 20;

/** The starter with many more layers: 90 MiB of float32. */
const LAYERS = 60;

const PIPELINE = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"

data rows {
  source = jsonl("data/a.jsonl")
}
format dialogs {
  from = rows
  template = chat()
  max_length = 64tok
}
train adapter using lora {
  base = local("base")
  dataset = dialogs.all
  lora = { rank: 2, alpha: 4 }
  optimizer = adamw(rate: 1e-3)
  batch = { global: 2, micro: 2 }
  stop = { steps: 2 }
}
`;

interface Ran {
  readonly peak: number;
  readonly adapter: string;
}

describe('a base that does not fit', () => {
  let folder: Folder;
  const ftpc = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [MAIN, ...args], {
      cwd: folder.path,
      encoding: 'utf8',
      maxBuffer: 1e8,
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  before(function () {
    this.timeout(120_000);
    folder = pipelineFolder();
    const base = join(folder.path, 'base');
    mkdirSync(base);
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
      cpSync(join(STARTER, name), join(base, name));
    const config = JSON.parse(readFileSync(join(STARTER, 'config.json'), 'utf8'));
    writeFileSync(join(base, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: LAYERS }));
    let state = 1;
    const tensors = expectedTensors(openModel(folder.host, base).config).map(({ name, shape, role }) => {
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
      for (let i = 0; i < values.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        values[i] = role === 'norm' ? 1 : state / 2 ** 37;
      }
      return f32Writable(name, shape, values);
    });
    writeFileSync(join(base, 'model.safetensors'), Buffer.concat([...safetensorsChunks(tensors)]));
    folder.program(PIPELINE);
  });
  after(() => folder.remove());

  const planOf = (...limits: readonly string[]) => {
    const plan = JSON.parse(ftpc('plan', 'pipeline.ftp', '--json', ...limits)) as Plan;
    const stage = plan.stages.find(({ name }) => name === 'adapter');
    return stage ?? expect.fail('no stage adapter');
  };
  const run = (...limits: readonly string[]): Ran => {
    const events = ftpc('run', 'pipeline.ftp', '--json', ...limits)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    const finished = events.find((event) => event.type === 'stage.finished' && event.stage === 'adapter');
    if (finished?.type !== 'stage.finished' || finished.status !== 'done')
      return expect.fail(`adapter is ${JSON.stringify(finished)}`);
    const store = join(folder.path, '.ftp', 'store');
    const file = readdirSync(store, { recursive: true, encoding: 'utf8' }).find((name) =>
      name.endsWith('last/adapter_model.safetensors'),
    );
    return { peak: finished.peakMemoryBytes, adapter: readFileSync(join(store, file ?? ''), 'base64') };
  };

  it('is read a block at a time, within the limit, to the same bytes', () => {
    const free = planOf();
    expect(free.chosen).not.to.have.property('paged');
    const limit = `${Math.floor(((free.peak?.high ?? 0) - 50 * MIB) / 0.9 / MIB)}MiB`;
    const limited = planOf('--memory', limit);
    expect(limited.chosen).to.deep.equal({ ...free.chosen, paged: true });
    const weights = (free.peak?.parts.weights ?? 0) - (limited.peak?.parts.weights ?? 0);
    expect(weights).to.be.greaterThan(80 * MIB);

    const paged = run('--memory', limit);
    expect(paged.peak).to.be.at.most(limited.peak?.high ?? 0);
    // where the base fits after all, its adapter is the same and would come from the store
    rmSync(join(folder.path, '.ftp'), { recursive: true });
    const held = run();
    expect(held.peak - paged.peak).to.be.greaterThan(0.6 * weights);
    expect(paged.adapter).to.equal(held.adapter);
  }).timeout(120_000);
});
