import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EvaluationReport } from '../../../src/compute/evaluation/report.js';
import { openModel } from '../../../src/compute/models/load.js';
import { f32Writable, safetensorsChunks } from '../../../src/compute/models/safetensors/write.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { ftpc, objects } from '../../tools/cli/folders.js';
import { finish } from './processes.js';
import { freshFolder } from './worlds.js';

const host = nodeHost();
/** Others write of themselves to standard error. */
const ONNX = ['--runtime', 'onnx'];
const MODEL = join(host.packageFolder, 'test/fixtures/evaluation/tiny/base');

const PIPELINE = `edition 2026

import { jsonl } from "std/data"
import { labelled } from "std/format"
import { accuracy, f1, loss } from "std/eval"

data rows {
  source = jsonl("data/rows.jsonl", columns: { text: "said", label: "topic" })
  split = { train: 60%, valid: 20%, test: 20% }
}

format topics {
  from = rows
  template = labelled()
  max_length = 64tok
}

train frozen using head {
  base = local("model")
  dataset = topics.train
  validate = topics.valid
  optimizer = adamw(rate: 1e-2)
  batch = { global: 8, micro: 4 }
  stop = { steps: 4 }
  checkpoint = { every: 2steps, keep: 1 }
}

train tagger using lora {
  base = local("model")
  dataset = topics.train
  validate = topics.valid
  lora = { rank: 4, alpha: 8 }
  optimizer = adamw(rate: 1e-2)
  batch = { global: 16, packing: true }
  stop = { steps: 60, epochs: 1000 }
  checkpoint = { every: 20steps, keep: 1 }
}

train whole using full {
  base = local("model")
  dataset = topics.train
  validate = topics.valid
  optimizer = adamw(rate: 1e-2)
  batch = { global: 16 }
  stop = { steps: 20, epochs: 1000 }
  checkpoint = { every: 10steps, keep: 1 }
}

eval of_all {
  model = whole.best
  dataset = topics.test
  metrics = [accuracy, loss]
}

merge halved { base = whole.best, dtype = bf16 }

eval of_half {
  model = halved
  dataset = topics.test
  metrics = [accuracy, loss]
}

eval untouched {
  model = frozen.last
  dataset = topics.test
  metrics = [accuracy]
}

eval quality {
  model = tagger.best
  dataset = topics.test
  metrics = [accuracy, f1, loss]
  require accuracy > untouched.accuracy
}

merge fused { base = local("model"), adapter = tagger.best, dtype = f32 }

eval merged {
  model = fused
  dataset = topics.test
  metrics = [f1, loss]
}

deploy release {
  model = fused
  when = quality.passed
  target = directory("releases")
  smoke = "alpha beta"
}
`;

/** Texts whose label is told by their first letter. */
const rows = Array.from({ length: 120 }, (_, index) => {
  const topic = ['animal', 'boat', 'cloud'][index % 3] ?? '';
  return JSON.stringify({ said: `${topic[0]?.repeat(4)} ${index}`, topic });
});

/** Gives a model a head over the vocabulary that is no number, and that nobody must read. */
function untie(folder: string): void {
  const path = join(folder, 'config.json');
  const weights = openModel(host, folder).loadWeights('f32');
  const tensors = weights.names().map((name) => weights.get(name));
  const [shape = []] = tensors.filter(({ name }) => name.includes('embed')).map((tensor) => tensor.shape);
  const head = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(Number.NaN);
  const written = [
    ...tensors.map(({ name, shape: own, view }) => f32Writable(name, own, view() ?? new Float32Array(0))),
    f32Writable('lm_head.weight', shape, head),
  ];
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([...safetensorsChunks(written)]));
  const config = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...config, tie_word_embeddings: false }));
}

describe('a pipeline of classifiers', () => {
  const cwd = freshFolder();
  let stages: readonly { readonly name: string; readonly outputs: Readonly<Record<string, string>> }[] = [];
  const output = (stage: string, name: string): string =>
    join(cwd, stages.find((one) => one.name === stage)?.outputs[name] ?? '');
  const report = (stage: string): EvaluationReport =>
    JSON.parse(readFileSync(output(stage, 'report'), 'utf8')) as EvaluationReport;

  before(async () => {
    mkdirSync(join(cwd, 'data'));
    cpSync(MODEL, join(cwd, 'model'), { recursive: true });
    untie(join(cwd, 'model'));
    writeFileSync(join(cwd, 'data/rows.jsonl'), `${rows.join('\n')}\n`);
    writeFileSync(join(cwd, 'tiny.ftp'), PIPELINE);
    const { code, lines, err } = await finish(cwd, ['run', 'tiny.ftp', '--json', ...ONNX]);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    stages = lines.at(-1)?.['stages'] as typeof stages;
  });

  it('learns to tell the labels apart, which a head alone does not in as little', () => {
    expect(report('quality').metrics.accuracy).to.be.above(0.9);
    expect(report('quality').requires.map(({ holds }) => holds)).to.deep.equal([true]);
    expect(report('untouched').metrics).to.have.keys('accuracy');
    expect(report('quality').metrics).to.have.keys('accuracy', 'f1', 'loss');
  });

  it('reports every label, and which is taken for which', () => {
    const { classes, rows: count } = report('quality');
    expect(classes?.labels).to.deep.equal(['animal', 'boat', 'cloud']);
    expect(classes?.scores.reduce((sum, { rows: own }) => sum + own, 0)).to.equal(count);
    expect(classes?.confusion?.flat().reduce((sum, cell) => sum + cell, 0)).to.equal(count);
    const answers = objects(readFileSync(output('quality', 'answers'), 'utf8'));
    expect(answers).to.have.length(count);
    expect(answers.every(({ answer }) => classes?.labels.includes(String(answer)))).to.equal(true);
    const runs = readFileSync(join(cwd, '.ftp/runs', runName(), 'report.html'), 'utf8');
    expect(runs)
      .to.include('Confusion matrix')
      .and.to.match(/<th [^>]*scope="row"[^>]*>cloud<\/th>/);
  });

  const runName = (): string => host.list(join(cwd, '.ftp/runs')).at(-1) ?? '';

  it('shows rows with their labels before they are trained on', async () => {
    const text = await ftpc(cwd, ['preview', 'tiny.ftp', 'topics', '--split', 'test', '--rows', '1']);
    expect(text.out).to.match(/rows\.jsonl:\d+ {2}\d+ tokens, label (animal|boat|cloud)\n/);
    const json = await ftpc(cwd, ['preview', 'tiny.ftp', 'topics', '--rows', '1', '--json']);
    const [found] = objects(json.out);
    const [row] = (found?.['rows'] ?? []) as readonly { readonly label: string; readonly text: string }[];
    expect(row?.label[0]).to.equal(/[abc]/.exec(row?.text ?? '')?.[0]);
  });

  it('merges into a folder of transformers that classifies alike', () => {
    const folder = output('fused', 'model');
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config['architectures']).to.deep.equal(['LlamaForSequenceClassification']);
    expect(config['id2label']).to.deep.equal({ 0: 'animal', 1: 'boat', 2: 'cloud' });
    expect(config['label2id']).to.deep.equal({ animal: 0, boat: 1, cloud: 2 });
    expect(openModel(host, folder).config.labels).to.deep.equal(['animal', 'boat', 'cloud']);
    expect(report('merged').metrics.f1).to.equal(report('quality').metrics.f1);
    expect(report('merged').metrics.loss).to.be.closeTo(report('quality').metrics.loss ?? 0, 1e-5);
  });

  it('trains every weight with the head, into a folder of transformers that is merged and asked like any', async () => {
    const folder = output('whole', 'model');
    const model = openModel(host, folder);
    expect(model.config).to.deep.include({ labels: ['animal', 'boat', 'cloud'], padTokenId: 256 });
    expect(model.configJson()).to.deep.include({
      architectures: ['LlamaForSequenceClassification'],
      id2label: { 0: 'animal', 1: 'boat', 2: 'cloud' },
      problem_type: 'single_label_classification',
    });
    const weights = model.loadWeights('stored');
    expect(weights.has('lm_head.weight')).to.equal(false);
    expect(weights.get('score.weight').shape).to.deep.equal([3, model.config.hiddenSize]);
    expect(report('of_all').metrics.accuracy).to.be.above(0.9);
    expect(report('of_half').metrics.loss).to.be.closeTo(report('of_all').metrics.loss ?? 0, 0.05);
    const card = readFileSync(join(output('halved', 'model'), 'README.md'), 'utf8');
    expect(card)
      .to.include('pipeline_tag: text-classification')
      .and.to.include('| Labels | animal, boat, cloud |');
    const asked = await ftpc(cwd, ['classify', folder, 'aaaa 9', '--json', ...ONNX]);
    expect(objects(asked.out)[0]).to.include({ label: 'animal' });
  });

  it('gives labels on the command line: of a release, an adapter, and many texts', async () => {
    const one = await ftpc(cwd, ['classify', 'releases', 'bbbb 7', '--json', ...ONNX]);
    expect(one.err).to.equal('');
    const [found] = objects(one.out);
    expect(found).to.deep.include({ version: 1, text: 'bbbb 7', label: 'boat' });
    const shares = Object.values(found?.['probabilities'] as Record<string, number>);
    expect(shares.reduce((sum, share) => sum + share, 0)).to.be.closeTo(1, 1e-6);
    const table = await ftpc(cwd, [
      'classify',
      output('tagger', 'adapter'),
      'cccc 8',
      '--base',
      'model',
      ...ONNX,
    ]);
    expect(table.err, 'no complaint').to.equal('');
    expect(table.out).to.match(/^label +probability\ncloud +\d+\.\d %\n(\w+ +\d+\.\d %\n){2}$/);
    const many = await ftpc(cwd, ['classify', 'releases', '-', ...ONNX], {}, 'aaaa 1\n\ncccc 2\n');
    expect(many.out).to.equal('animal\taaaa 1\ncloud\tcccc 2\n');
  });

  it('trains the head alone with the memory of a forward pass, and writes it as PEFT loads it', () => {
    const folder = output('frozen', 'adapter');
    const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(config).to.deep.include({ task_type: 'SEQ_CLS', target_modules: 'dummy-target-modules' });
    expect(config['modules_to_save']).to.deep.equal(['classifier', 'score']);
    expect([...host.list(folder)].sort()).to.deep.equal([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'labels.json',
    ]);
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    expect(card).to.include('# Classification head for').and.to.include('pipeline_tag: text-classification');
  });
});
