import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EvaluationReport } from '../../../src/compute/evaluation/report.js';
import { openModel } from '../../../src/compute/models/load.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { ftpc, objects } from '../../tools/cli/folders.js';
import { finish } from './processes.js';
import { freshFolder } from './worlds.js';

const host = nodeHost();
const ONNX = ['--runtime', 'onnx'];
const MODEL = join(host.packageFolder, 'test/fixtures/evaluation/tiny/base');

const PIPELINE = `edition 2026

import { jsonl } from "std/data"
import { preference } from "std/format"
import { preference_accuracy } from "std/eval"

data rows {
  source = jsonl("data/rows.jsonl")
  split = { train: 70%, test: 30% }
}

format pairs {
  from = rows
  template = preference()
  max_length = 64tok
}

train scorer using lora {
  base = local("model")
  dataset = pairs.train
  objective = reward()
  lora = { rank: 4, alpha: 8 }
  optimizer = adamw(rate: 1e-2)
  batch = { global: 8 }
  stop = { steps: 40, epochs: 1000 }
}

merge fused { base = local("model"), adapter = scorer.last, dtype = f32 }

train more using full {
  base = fused
  dataset = pairs.train
  objective = reward()
  optimizer = adamw(rate: 1e-12)
  batch = { global: 8 }
  stop = { steps: 1 }
}

eval quality {
  model = scorer.last
  dataset = pairs.test
  baseline = local("model")
  metrics = [preference_accuracy]
  require preference_accuracy >= 90%
}

eval merged {
  model = fused
  dataset = pairs.test
  metrics = [preference_accuracy]
}

eval continued {
  model = more.last
  dataset = pairs.test
  metrics = [preference_accuracy]
}

deploy release {
  model = fused
  when = quality.passed
  target = directory("releases")
  smoke = "alpha beta"
}
`;

/** The better answer begins with an a. */
const rows = Array.from({ length: 60 }, (_, index) =>
  JSON.stringify({ prompt: `Q${index}:`, chosen: ` aaa ${index}`, rejected: ` zzz ${index + 1}` }),
);

describe('a pipeline of a reward model @long', () => {
  const cwd = freshFolder();
  let stages: readonly { readonly name: string; readonly outputs: Readonly<Record<string, string>> }[] = [];
  const output = (stage: string, name: string): string =>
    join(cwd, stages.find((one) => one.name === stage)?.outputs[name] ?? '');
  const report = (stage: string): EvaluationReport =>
    JSON.parse(readFileSync(output(stage, 'report'), 'utf8')) as EvaluationReport;
  const rewards = (stage: string): readonly number[] =>
    objects(readFileSync(output(stage, 'answers'), 'utf8')).flatMap((line) => line['rewards'] as number[]);

  before(async () => {
    mkdirSync(join(cwd, 'data'));
    cpSync(MODEL, join(cwd, 'model'), { recursive: true });
    writeFileSync(join(cwd, 'data/rows.jsonl'), `${rows.join('\n')}\n`);
    writeFileSync(join(cwd, 'tiny.ftp'), PIPELINE);
    const { code, lines, err } = await finish(cwd, ['run', 'tiny.ftp', '--json', ...ONNX]);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    stages = lines.at(-1)?.['stages'] as typeof stages;
  });

  it('scores the chosen answers higher, and says so in the report', () => {
    const { metrics, rewards: found } = report('quality');
    expect(metrics.preference_accuracy).to.be.above(0.9);
    expect(found?.model.reward).to.equal('score of the reward model');
    expect(found?.model.chosen).to.be.above(found?.model.rejected ?? Number.NaN);
    expect(found?.baseline?.reward).to.equal('log-probability');
    const runs = host.list(join(cwd, '.ftp/runs')).at(-1) ?? '';
    const page = readFileSync(join(cwd, '.ftp/runs', runs, 'report.html'), 'utf8');
    expect(page).to.include('score of the reward model').and.to.include('two answers each');
  });

  it('merges into a folder of transformers with a head of one score, which scores alike', () => {
    const { config, ...model } = openModel(host, output('fused', 'model'));
    expect(model.configJson()).to.deep.include({
      architectures: ['LlamaForSequenceClassification'],
      id2label: { 0: 'reward' },
      problem_type: 'regression',
    });
    expect(config.labels).to.deep.equal(['reward']);
    const own = rewards('quality');
    for (const [at, reward] of rewards('merged').entries())
      expect(reward).to.be.closeTo(own[at] ?? Number.NaN, 1e-5 * Math.max(1, Math.abs(reward)));
  });

  it('goes on from the merged model with its head', () => {
    const own = rewards('merged');
    for (const [at, reward] of rewards('continued').entries())
      expect(reward).to.be.closeTo(own[at] ?? Number.NaN, 1e-4 * Math.max(1, Math.abs(reward)));
  });

  it('scores texts on the command line: of a release, and many', async () => {
    const scoreOf = async (text: string): Promise<number> => {
      const { out, err } = await ftpc(cwd, ['classify', 'releases', text, '--json', ...ONNX]);
      expect(err).to.equal('');
      const [found] = objects(out);
      expect(found).to.include({ text, label: 'reward' }).and.not.to.have.property('probabilities');
      return Number(found?.['score']);
    };
    const better = await scoreOf('Q1: aaa 1');
    expect(better).to.be.above(await scoreOf('Q1: zzz 2'));
    const many = await ftpc(cwd, ['classify', 'releases', '-', ...ONNX], {}, 'Q1: aaa 1\n');
    expect(many.out).to.equal(`${better}\tQ1: aaa 1\n`);
    const table = await ftpc(cwd, ['classify', 'releases', 'Q1: aaa 1', ...ONNX]);
    expect(table.out).to.match(/^label +score\nreward +-?\d/);
  });
});
