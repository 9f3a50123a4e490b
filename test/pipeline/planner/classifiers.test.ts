/** What a plan counts for classifiers over a base whose head is a tensor of its own. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Survey } from '../../../src/pipeline/planner/expected-rows.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import type { PlannedStage } from '../../../src/pipeline/planner/plan-json.js';
import { type Folder, pipelineFolder, QUICK, STARTER, SURVEY } from './pipeline.js';

const LABELS = ['answer', 'question'];

const trainer = (name: string, method: string, rows: string): string => `train ${name} using ${method} {
  base = untrained("base", seed: 1)
  dataset = ${rows}.train
  optimizer = adamw(rate: 1e-4)
}
`;
const evaluation = (name: string, model: string): string => `eval ${name} {
  model = ${model}
  dataset = labels.test
  metrics = [accuracy]
}
`;

const TEXT = `edition 2026
import { jsonl } from "std/data"
import { chat, labelled } from "std/format"
import { accuracy } from "std/eval"

data rows {
  source = jsonl("data/*.jsonl")
  split = { train: 80%, test: 20% }
}
format labels {
  from = rows
  template = labelled(text: "instruction", label: "output", labels: ["answer", "question"])
}
format texts {
  from = rows
  template = chat()
}
${trainer('writer', 'lora', 'texts')}${trainer('whole_writer', 'full', 'texts')}
${trainer('frozen', 'head', 'labels')}${trainer('tagger', 'lora', 'labels')}${trainer('whole', 'full', 'labels')}
merge fused { base = untrained("base", seed: 1), adapter = tagger.best, dtype = f32 }
${evaluation('of_tagger', 'tagger.best')}${evaluation('of_whole', 'whole.best')}${evaluation('of_fused', 'fused')}
`;

describe('the plan of classifiers', () => {
  let folder: Folder;
  let stages: readonly PlannedStage[];
  const stageOf = (name: string): PlannedStage =>
    stages.find((stage) => stage.name === name) ?? expect.fail(`no stage ${name}`);
  const parts = (name: string) => stageOf(name).peak?.parts ?? expect.fail(`${name} has no peak`);
  let head = 0;
  let score = 0;

  before(async () => {
    folder = pipelineFolder();
    const base = join(folder.path, 'base');
    cpSync(STARTER, base, { recursive: true });
    const path = join(base, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8')) as { vocab_size: number; hidden_size: number };
    writeFileSync(path, JSON.stringify({ ...config, tie_word_embeddings: false }));
    head = 4 * config.vocab_size * config.hidden_size;
    score = 4 * LABELS.length * config.hidden_size;
    const survey: Survey = async (_program, _host, { name }) => ({
      ...SURVEY,
      expected: { train: 320, valid: 0, test: 80, all: 400 },
      ...(name === 'labels' ? { labels: LABELS } : {}),
    });
    const made = await plan(folder.program(TEXT), folder.host, { ...QUICK, survey });
    expect(made.diagnostics.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    stages = made.stages;
  });
  after(() => folder.remove());

  it('holds no head over the vocabulary, in training, evaluation or merge', () => {
    const { weights } = parts('writer');
    for (const name of ['frozen', 'tagger', 'of_tagger', 'fused'])
      expect(parts(name).weights, name).to.equal(weights - head);
    for (const name of ['of_whole', 'of_fused'])
      expect(parts(name).weights, name).to.equal(weights - head + score);
  });

  it('counts the head over labels among what full training trains', () => {
    expect(parts('whole').gradients).to.equal(parts('whole_writer').gradients - head + score);
    expect(parts('whole').optimizer).to.equal(parts('whole_writer').optimizer - 2 * (head - score));
    expect(stageOf('whole').coverage?.map(({ module }) => module)).to.include('score');
    expect(stageOf('whole').rejected.map(({ method }) => method)).to.deep.equal(['lora', 'qlora']);
    expect(stageOf('frozen').rejected).to.deep.equal([]);
  });
});
