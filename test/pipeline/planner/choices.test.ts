/** What a plan counts for rows that are read, and of which none is answered: questions with choices, and texts without a prompt. */
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { type Folder, pipelineFolder, QUICK, SURVEY } from './pipeline.js';

const evaluation = (name: string, samples: number, metric = 'accuracy'): string => `eval ${name} {
  model = starter()
  dataset = asked.all
  metrics = [${metric}]
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

const TEXTS = TEXT.slice(0, TEXT.indexOf('eval '))
  .replace('choices.jsonl', 'texts.jsonl')
  .replaceAll('choices', 'completion')
  .replace('accuracy', 'perplexity')
  .concat(evaluation('with_samples', 8, 'perplexity'), evaluation('without', 0, 'perplexity'));

describe('the plan of rows of which none is answered', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  const planned = async (name: string, content: string, text: string, given: object) => {
    folder.write(`${name}.jsonl`, content);
    folder.write(`${name}.ftp`, text);
    const { program, diagnostics } = compile(folder.host, `${name}.ftp`);
    expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
    if (program === undefined) return expect.fail('no program');
    const { stages } = await plan(program, folder.host, {
      ...QUICK,
      survey: async () => ({ ...SURVEY, ...given }),
    });
    return ['with_samples', 'without'].map((stage) => stages.find((each) => each.name === stage));
  };

  it('has no answers in it, whatever the report shows', async () => {
    const question = '{"question": "1 + 1?", "choices": ["1", "2"], "answer": 1}\n';
    const [one, other] = await planned('choices', question, TEXT, {});
    expect(one?.seconds?.expected).to.be.greaterThan(0);
    expect(one?.seconds).to.deep.equal(other?.seconds);
    expect(one?.peak?.bytes).to.equal(other?.peak?.bytes);
  });

  it('has answers to those texts alone that have a prompt', async () => {
    const given = (prompts: object) => planned('texts', '{"text": "That is it."}\n', TEXTS, { prompts });
    const [one, other] = await given({ longest: 0, histogram: [] });
    expect(one?.peak?.bytes).to.equal(other?.peak?.bytes);
    expect(one?.seconds).to.deep.equal(other?.seconds);
    const [asked, none] = await given({ longest: 200, histogram: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 400] });
    expect(asked?.peak?.bytes).to.be.above(none?.peak?.bytes ?? 0);
  });
});
