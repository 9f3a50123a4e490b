/** What a plan counts for pairs of answers: a pair is one row, as in the data. */
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import type { Survey } from '../../../src/pipeline/planner/expected-rows.js';
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

  it('counts both answers of each where no row could be looked at', async () => {
    const none = { rows: 0, sampled: 0, longest: 0, tokens: 0, supervised: 0, histogram: [] };
    const scaleOf = await scalesWith(async () => ({
      ...none,
      expected: { all: 0, train: 0, valid: 0, test: 0 },
    }));
    expect(scaleOf('by_pairs')).to.include({ rows: PAIRS, pairs: true, steps: 2 * Math.ceil(PAIRS / 4) });
    expect(scaleOf('by_answers')).to.include({ rows: 2 * PAIRS, steps: 2 * Math.ceil((2 * PAIRS) / 4) });
  });
});
