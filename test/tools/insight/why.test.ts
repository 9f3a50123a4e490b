import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { type WhyAnswer, whyOf, whyText } from '../../../src/tools/insight/why/index.js';
import { pipelineFolder, QUICK, TEXT } from '../../pipeline/planner/pipeline.js';
import { writeFinishedRun } from './finished.js';
import { expectSchema } from './schemas.js';

describe('why a stage runs', () => {
  const folder = pipelineFolder();
  after(() => folder.remove());

  async function planned(text: string) {
    folder.write('pipeline.ftp', text);
    const compiled = compile(folder.host, 'pipeline.ftp');
    const { program, analysis } = compiled;
    if (program === undefined || analysis === undefined)
      throw new Error(compiled.diagnostics.map(({ message }) => message).join('\n'));
    return { program, analysis, compiled, plan: await plan(program, folder.host, QUICK) };
  }

  async function why(text: string, stage: string): Promise<WhyAnswer> {
    const { program, analysis, compiled, plan } = await planned(text);
    const answer = whyOf(stage, {
      host: folder.host,
      file: 'pipeline.ftp',
      plan,
      stages: analysis.stages,
      inputs: Object.fromEntries(program.stages.map(({ name, inputs }) => [name, inputs])),
      sources: compiled.sources,
    });
    expectSchema('why', answer);
    return answer;
  }

  /** What a run of the pipeline as it stands would have left: records of its stages, and a journal. */
  async function run(text: string, id: string): Promise<void> {
    const { plan } = await planned(text);
    writeFinishedRun(folder, { id, pipeline: 'pipeline.ftp', stages: plan.stages });
  }

  it('says that it never ran', async () => {
    const answer = await why(TEXT, 'adapter');
    expect(answer).to.deep.include({
      action: 'run',
      comparedWith: null,
      downstream: ['quality', 'fused', 'local'],
    });
    expect(whyText(answer, PLAIN)).to.equal(
      [
        'train adapter would run',
        '├─ has not run yet',
        '├─ then `quality`, `fused`, `local` run too',
        '└─ nothing in the store to compare it with',
      ].join('\n'),
    );
  });

  it('says that it is cached, and which run made it', async () => {
    await run(TEXT, '20270101-000000-0001');
    const answer = await why(TEXT, 'adapter');
    expect(answer.action).to.equal('cached');
    expect(answer.comparedWith).to.deep.include({ key: answer.key, run: '20270101-000000-0001' });
    expect(whyText(answer, PLAIN)).to.match(
      /^train adapter is cached: nothing would run\n└─ output [0-9a-f]{8}, made by run 20270101-000000-0001: all \d+ parts of its key are unchanged$/,
    );
  });

  it('goes back to the setting and the file that changed, and explains each stage once', async () => {
    folder.write('prompt.md', 'Answer at length.');
    const answer = await why(
      TEXT.replace('rate: 2e-3', 'rate: 1e-4').replace('dropout: 5%', 'dropout: 10%'),
      'local',
    );
    folder.write('prompt.md', 'Answer briefly.');
    const text = whyText(answer, PLAIN).replace(/(?<!run )\b[0-9a-f]{8}\b/g, 'DIGEST');
    expect(text).to.equal(
      `deploy local would run
├─ fused differs from last time DIGEST → DIGEST
│  └─ adapter differs from last time DIGEST → DIGEST
│     ├─ lora.dropout: 5% → 10%  pipeline.ftp:20:42
│     ├─ optimizer.rate: 0.002 → 1e-4  pipeline.ftp:21:27
│     └─ dialogs differs from last time DIGEST → DIGEST
│        └─ prompt.md changed DIGEST → DIGEST
├─ quality differs from last time DIGEST → DIGEST
│  ├─ adapter differs from last time DIGEST → DIGEST (see above)
│  └─ dialogs differs from last time DIGEST → DIGEST (see above)
└─ compared with output DIGEST, made by run 20270101-000000-0001`,
    );
    expect(answer.upstream.map(({ stage, action }) => `${stage} ${action}`)).to.deep.equal([
      'rows cached',
      'dialogs run',
      'adapter run',
      'quality run',
      'fused run',
    ]);
  });

  it('says what is new, what is gone, and files that come and go', async () => {
    folder.write('data/c.jsonl', '{"instruction": "a", "output": "b"}\n');
    const more = TEXT.replace('dedupe = [exact]', 'dedupe = [exact]\n  limit = 100');
    const answer = await why(more, 'rows');
    expect(whyText(answer, PLAIN).split('\n').slice(1, 3)).to.deep.equal([
      '├─ data/c.jsonl is new',
      '├─ limit is new: 100  pipeline.ftp:9:11',
    ]);
    expect(answer.reasons.map(({ code }) => code)).to.deep.equal(['file_added', 'setting_added']);
  });
});
