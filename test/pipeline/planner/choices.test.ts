/** What a plan counts for questions with choices: they are read, and nothing is answered. */
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { type Folder, pipelineFolder, QUICK, SURVEY } from './pipeline.js';

const evaluation = (name: string, samples: number): string => `eval ${name} {
  model = starter()
  dataset = asked.all
  metrics = [accuracy]
  samples = ${samples}
  generation = { max_tokens: 500tok }
}
`;

const TEXT = `edition 2026
import { jsonl } from "std/data"
import { choices } from "std/format"
import { accuracy } from "std/eval"

data rows { source = jsonl("choices.jsonl") }
format asked {
  from = rows
  template = choices()
}
${evaluation('with_samples', 8)}${evaluation('without', 0)}`;

describe('the plan of questions with choices', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  it('has no answers in it, whatever the report shows', async () => {
    folder.write('choices.jsonl', '{"question": "1 + 1?", "choices": ["1", "2"], "answer": 1}\n');
    folder.write('choices.ftp', TEXT);
    const { program, diagnostics } = compile(folder.host, 'choices.ftp');
    expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
    if (program === undefined) return;
    const { stages } = await plan(program, folder.host, { ...QUICK, survey: async () => SURVEY });
    const [one, other] = ['with_samples', 'without'].map((name) =>
      stages.find((stage) => stage.name === name),
    );
    expect(one?.seconds?.expected).to.be.greaterThan(0);
    expect(one?.seconds).to.deep.equal(other?.seconds);
    expect(one?.peak?.bytes).to.equal(other?.peak?.bytes);
  });
});
