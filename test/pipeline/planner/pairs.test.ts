/** What a plan counts for pairs of answers: a pair is one row, as in the data, and its texts one or two that are computed. */
import { join } from 'node:path';
import { expect } from 'chai';
import type { ModelConfig } from '../../../src/compute/models/types.js';
import { compile } from '../../../src/language/compile.js';
import type { Lengths, Survey } from '../../../src/pipeline/planner/expected-rows.js';
import { computedRows, longestPadded } from '../../../src/pipeline/planner/memory/train.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { surveyOnce } from '../../../src/pipeline/planner/plan-session.js';
import { scaleText } from '../../../src/pipeline/planner/quantities.js';
import { type Folder, pipelineFolder, QUICK } from './pipeline.js';

const training = (name: string, objective: string): string => `train ${name} using lora {
  base = starter()
  dataset = compared.all
  objective = ${objective}
  optimizer = adamw(rate: 1e-4)
  batch = { global: 4 }
  stop = { epochs: 2 }
}
`;

const TEXT = `edition 2026
import { jsonl } from "std/data"
import { preference } from "std/format"
import { preference_accuracy } from "std/eval"

data rows { source = jsonl("pairs.jsonl") }
format compared {
  from = rows
  template = preference()
}
${training('by_pairs', 'dpo()')}${training('by_answers', 'kto()')}eval quality {
  model = by_pairs.last
  dataset = compared.all
  metrics = [preference_accuracy]
}
`;

const PAIRS = 10;

const FUSED = `merge fused { base = starter(), adapter = by_answers.best }
`;

/** Of its embedding alone, about. */
const LARGE_WEIGHTS = 32e6;

/** A folder with the shape of a model that is larger than the starter, and its tokenizer. */
function largeModel({ host, write }: Folder): string {
  const starter = join(host.packageFolder, 'stdlib/models/starter');
  const config = JSON.parse(host.readText(join(starter, 'config.json')));
  const hidden_size = Math.round(LARGE_WEIGHTS / config.vocab_size / 64) * 64;
  const heads = { num_attention_heads: 1, num_key_value_heads: 1, head_dim: 64 };
  const shape = { hidden_size, intermediate_size: 64, num_hidden_layers: 1, ...heads };
  write('large/config.json', JSON.stringify({ ...config, ...shape }));
  write('large/tokenizer.json', host.readText(join(starter, 'tokenizer.json')));
  return 'large';
}

describe('the plan of pairs of answers', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
    const rows = Array.from({ length: PAIRS }, (_, row) =>
      JSON.stringify({ prompt: `Q${row}?`, chosen: ' yes', rejected: ' no, never' }),
    );
    folder.write('pairs.jsonl', `${rows.join('\n')}\n`);
    folder.write('pairs.ftp', TEXT);
  });
  after(() => folder.remove());

  /** What is planned for a stage, by its name. */
  async function scalesWith(survey: Survey) {
    const { program, diagnostics } = compile(folder.host, 'pairs.ftp');
    expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
    if (program === undefined) throw new Error('the pipeline has errors');
    const { stages } = await plan(program, folder.host, { ...QUICK, survey });
    return (name: string) => stages.find((stage) => stage.name === name)?.scale ?? null;
  }

  it('counts pairs, the steps over them and the tokens of both answers', async () => {
    const scaleOf = await scalesWith(surveyOnce());
    for (const name of ['compared', 'by_pairs', 'quality']) {
      expect(scaleOf(name), name).to.include({ rows: PAIRS, pairs: true });
      expect(scaleText(scaleOf(name))).to.match(/^~10 pairs\b/);
    }
    const [pairs, answers] = [scaleOf('by_pairs'), scaleOf('by_answers')];
    expect(pairs?.steps).to.equal(2 * Math.ceil(PAIRS / 4));
    expect(pairs?.tokensSeen).to.equal(2 * (pairs?.tokens ?? Number.NaN));
    expect(answers).to.include({ rows: 2 * PAIRS, steps: 2 * Math.ceil((2 * PAIRS) / 4) });
    expect(answers).not.to.have.property('pairs');
    expect(scaleText(answers)).to.match(/^~20 rows\b/);
  });

  it('reads the stage that makes the reference, and counts with the larger of two models', async () => {
    const planned = async (reference: string | undefined) => {
      const objective = reference === undefined ? 'dpo()' : `dpo(reference: ${reference})`;
      folder.write(
        'next.ftp',
        TEXT.replace('dpo()', objective).replace('eval quality', `${FUSED}eval quality`),
      );
      const { program } = compile(folder.host, 'next.ftp');
      if (program === undefined) throw new Error('it does not compile');
      const { stages } = await plan(program, folder.host, { ...QUICK, survey: surveyOnce() });
      const stage = stages.find(({ name }) => name === 'by_pairs');
      if (stage === undefined) throw new Error('no stage');
      return { program, stage };
    };
    const none = await planned(undefined);
    const { program, stage } = await planned('fused');
    const order = program.stages.map(({ name }) => name);
    expect(program.stages.find(({ name }) => name === 'by_pairs')?.inputs).to.include('fused');
    expect(order.indexOf('fused')).to.be.below(order.indexOf('by_pairs'));
    expect(stage.parts).to.include.keys('stage:fused');
    expect(stage.key).not.to.equal(none.stage.key);
    // of the size of the base, it takes no more than training does
    expect(stage.peak?.bytes).to.equal(none.stage.peak?.bytes);
    const { stage: larger } = await planned(`untrained("${largeModel(folder)}", seed: 3)`);
    expect(Object.keys(larger.parts).some((part) => /^file:.*large\/config\.json$/.test(part))).to.equal(
      true,
    );
    const weights = 4 * LARGE_WEIGHTS;
    expect(larger.peak?.parts.weights).to.be.within(weights, 1.2 * weights);
    expect(larger.peak?.parts.optimizer).to.equal(0);
  });

  it('counts both answers of each where no row could be looked at', async () => {
    const none = { rows: 0, sampled: 0, longest: 0, tokens: 0, supervised: 0, histogram: [] };
    const scaleOf = await scalesWith(async () => ({
      ...none,
      expected: { all: 0, train: 0, valid: 0, test: 0 },
    }));
    expect(scaleOf('by_pairs')).to.include({ rows: PAIRS, pairs: true, steps: 2 * Math.ceil(PAIRS / 4) });
    expect(scaleOf('by_answers')).to.include({ rows: 2 * PAIRS, steps: 2 * Math.ceil((2 * PAIRS) / 4) });
  });

  it('plans less where the prompt of a pair is computed once', async () => {
    const rows = Array.from({ length: PAIRS }, (_, row) => {
      const prompt = `Q${row} ${'about the law of contracts '.repeat(8)}?`;
      return JSON.stringify({ prompt, chosen: ' yes', rejected: ' no, never' });
    });
    folder.write('pairs.jsonl', `${rows.join('\n')}\n`);
    folder.write('pairs.ftp', TEXT);
    const { program } = compile(folder.host, 'pairs.ftp');
    if (program === undefined) return expect.fail('it does not compile');
    const survey = surveyOnce();
    const counted: typeof survey = async (...asked) => ({ ...(await survey(...asked)), joined: undefined });
    const planned = async (of: typeof survey) => {
      const { stages } = await plan(program, folder.host, { ...QUICK, survey: of });
      const found = stages.find(({ name }) => name === 'by_pairs');
      return { activations: found?.peak?.parts.activations ?? 0, micro: found?.chosen?.microBatch };
    };
    const [once, twice] = [await planned(survey), await planned(counted)];
    expect(once.micro).to.equal(twice.micro);
    expect(once.activations / twice.activations).to.be.within(0.4, 0.75);
  });
});

describe('the rows that are computed for pairs', () => {
  const histogram = (length: number, rows: number): readonly number[] =>
    Array.from({ length: Math.ceil(length / 16) }, (_, bin) =>
      bin === Math.ceil(length / 16) - 1 ? rows : 0,
    );
  const lengths: Lengths = {
    ...{ rows: 40, tokens: 40 * 500, supervised: 40 * 116, longest: 500, known: 'counted' },
    histogram: histogram(500, 40),
    joined: { longest: 618, tokens: 20 * 618, histogram: histogram(618, 20) },
  };
  const memory = (sharesPrompts: boolean) => ({
    ...{ config: { maxPositions: 512 } as unknown as ModelConfig, lengths },
    preferences: { texts: 2, supervised: 'answers', references: 1, sharesPrompts } as const,
  });

  it('are two texts each, or one row that may be longer than the model has positions', () => {
    expect(longestPadded(memory(false), { maxLength: 512 })).to.equal(512);
    expect(longestPadded(memory(true), { maxLength: 512 })).to.equal(640);
    expect(computedRows(memory(false), 512)).to.include({ rows: 40, longest: 500 });
    expect(computedRows(memory(true), 512)).to.include({ rows: 20, longest: 618, tokens: 20 * 618 });
  });

  it('are no longer than two texts of what is left', () => {
    expect(longestPadded(memory(true), { maxLength: 256 })).to.equal(512);
  });
});
