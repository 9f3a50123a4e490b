/** A base that does not fit stays in its files: the plan says so, the run keeps to it, and the adapter is the same. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeBase } from '../../../bench/plans/bases.js';
import { planIn, runIn } from './command.js';
import { type Folder, pipelineFolder } from './pipeline.js';

const MIB = 2 ** 20;

/** The starter with more layers. */
const LAYERS = 16;

const PIPELINE = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

data rows {
  source = jsonl("data/a.jsonl")
  limit = 2
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
  stop = { steps: 1 }
}
eval quality {
  model = adapter.last
  dataset = dialogs.all
  baseline = local("base")
  metrics = [perplexity]
  generation = { max_tokens: 2tok, rows: 1 }
}
merge fused {
  base = local("base")
  adapter = adapter.last
}
`;

interface Ran {
  /** Of the adapter and of the merged model. */
  readonly bytes: readonly string[];
  readonly perplexity: number;
}

describe('a base that does not fit', () => {
  let folder: Folder;

  before(() => {
    folder = pipelineFolder();
    writeBase(join(folder.path, 'base'), { num_hidden_layers: LAYERS });
    folder.program(PIPELINE);
  });
  after(() => folder.remove());

  const planOf = (...limits: readonly string[]) => {
    const { stages } = planIn(folder.path, ...limits);
    return (name: string) => stages.find((stage) => stage.name === name) ?? expect.fail(`no ${name}`);
  };
  const run = (...limits: readonly string[]): Ran => {
    const done = runIn(folder.path, ...limits);
    const store = join(folder.path, '.ftp', 'store');
    const files = readdirSync(store, { recursive: true, encoding: 'utf8' });
    const bytesOf = (end: string) =>
      readFileSync(join(store, files.find((name) => name.endsWith(end)) ?? ''), 'base64');
    return {
      bytes: ['last/adapter_model.safetensors', 'model/model.safetensors'].map(bytesOf),
      perplexity: done.find(({ stage }) => stage === 'quality')?.metrics['perplexity'] ?? Number.NaN,
    };
  };

  it('is read a block at a time, within the limit, to the same bytes @long', () => {
    const free = planOf();
    const { chosen } = free('adapter');
    expect(chosen).not.to.have.property('pagedWeights');
    const highest = ['adapter', 'quality', 'fused'].map((name) => free(name).peak?.high ?? 0);
    const limit = `${Math.floor((Math.min(...highest) - 4 * MIB) / 0.9 / MIB)}MiB`;
    const limited = planOf('--memory', limit);
    // how much is computed again changes no result
    expect(limited('adapter').chosen).to.deep.include({ ...chosen, pagedWeights: true });
    const saved = (name: string): number =>
      (free(name).peak?.parts.weights ?? 0) - (limited(name).peak?.parts.weights ?? 0);

    const paged = run('--memory', limit);
    folder.program(PIPELINE.replace('max_tokens: 2tok', 'max_tokens: 3tok'));
    const changed = planOf('--memory', limit);
    expect(changed('adapter')).to.include({ action: 'cached' });
    expect(changed('adapter').chosen).to.include({ pagedWeights: true });
    expect(changed('quality')).to.include({ action: 'run' });
    expect(changed('quality').peak?.parts.weights).to.equal(limited('quality').peak?.parts.weights);
    folder.program(PIPELINE);
    // where the base fits after all, the outputs are the same and would come from the store
    rmSync(join(folder.path, '.ftp'), { recursive: true });
    const held = run();
    const { size } = statSync(join(folder.path, 'base', 'model.safetensors'));
    for (const name of ['adapter', 'quality', 'fused'])
      expect(saved(name), name).to.be.greaterThan(0.8 * size);
    expect(paged.bytes).to.deep.equal(held.bytes);
    expect(paged.perplexity).to.equal(held.perplexity);
  });
});
