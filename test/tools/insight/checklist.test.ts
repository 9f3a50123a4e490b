import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeDisk } from '../../../src/language/host/node-disk.js';
import { licenceTerms } from '../../../src/language/schemas/licences.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import {
  type Checklist,
  checklistGate,
  checklistOf,
  checklistText,
  openItems,
} from '../../../src/tools/insight/checklist/index.js';
import { newestRun } from '../../../src/tools/insight/runs/index.js';
import { pipelineFolder, QUICK, STARTER, TEXT } from '../../pipeline/planner/pipeline.js';
import { writeFinishedRun } from './finished.js';
import { expectSchema } from './schemas.js';

describe('the production checklist', () => {
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

  async function answers(text: string): Promise<Checklist> {
    const { program, analysis, compiled, plan } = await planned(text);
    const { host } = folder;
    const list = checklistOf({
      ...{ host, disk: nodeDisk(), program, plan },
      ...{ stages: analysis.stages, sources: compiled.sources },
      run: newestRun(host, 'pipeline.ftp'),
      terms: await licenceTerms(),
    });
    expectSchema('checklist', list);
    expect(list.items.length).to.equal(18);
    expect(list.done + list.open + list.waiting + list.unknown).to.equal(18);
    return list;
  }

  const item = ({ items }: Checklist, id: string) => items.find((each) => each.id === id);
  const without = (text: string, what: string): string => {
    expect(text).to.contain(what);
    return text.replace(what, '');
  };

  it('says of what is done where the file has it', async () => {
    const found = item(await answers(TEXT), 'losses');
    expect(found?.state).to.equal('done');
    const [{ text, at } = { text: '', at: undefined }] = found?.evidence ?? [];
    expect(text).to.equal('`validate = dialogs.valid` of `adapter`');
    expect(TEXT.split('\n')[(at?.line ?? 0) - 1]).to.equal('  validate = dialogs.valid');
    expect(at?.column).to.equal(3);
  });

  it('says of what is open what to write', async () => {
    const list = await answers(without(TEXT, 'validate = dialogs.valid'));
    expect(item(list, 'losses')).to.deep.include({
      state: 'open',
      todo: 'write `validate = ….valid` in `train adapter`',
    });
    expect(item(list, 'ab_test')?.state).to.equal('open');
    expect(item(list, 'general_capabilities')?.state).to.equal('open');
  });

  it('sees an evaluation of rows that are trained on', async () => {
    const list = await answers(TEXT.replace('dataset = dialogs.test', 'dataset = dialogs.train'));
    expect(item(list, 'held_out')).to.deep.include({ state: 'open' });
    expect(item(list, 'held_out')?.todo).to.contain('`dialogs.train` is trained on');
  });

  it('sees them in another form, too', async () => {
    const form = '\nformat other {\n  from = rows\n  template = chat(system: "Be brief.")\n}\n';
    const list = await answers(`${TEXT.replace('dataset = dialogs.test', 'dataset = other.train')}${form}`);
    expect(item(list, 'held_out')?.todo).to.contain('`dialogs.train` is trained on');
  });

  it('takes no name for a test of harm that only sounds so', async () => {
    expect(item(await answers(TEXT.replaceAll('quality', 'harmony')), 'safety')?.state).to.equal('open');
    expect(item(await answers(TEXT.replaceAll('quality', 'red_team')), 'safety')?.state).to.equal('done');
  });

  it('compares the licence of the base with what the file says it is for', async () => {
    expect(item(await answers(TEXT), 'base_licence')?.state).to.equal('unknown');
    const list = await answers(TEXT.replace('dedupe = [exact]', 'dedupe = [exact]\n  use = commercial'));
    expect(item(list, 'base_licence')).to.deep.include({ state: 'done' });
    expect(item(list, 'base_licence')?.evidence.map(({ text }) => text)).to.deep.equal([
      'the card of the base of `adapter` says apache-2.0',
      '`use = commercial` of `rows`',
    ]);
  });

  it('compares the licences of the rows with it, and asks for one that nothing says', async () => {
    const sold = TEXT.replace('dedupe = [exact]', 'dedupe = [exact]\n  use = commercial');
    const silent = item(await answers(sold), 'data_licence');
    expect(silent?.state).to.equal('open');
    expect(silent?.todo).to.match(/^nothing says the licence of `\S+`: write `license = "…"` in `data rows`/);
    const licensed = (name: string): string => sold.replace('use =', `license = "${name}"\n  use =`);
    expect(item(await answers(licensed('CC0-1.0')), 'data_licence')?.state).to.equal('done');
    const narrow = item(await answers(licensed('llama3.1')), 'data_licence');
    expect([narrow?.state, narrow?.todo]).to.deep.equal([
      'unknown',
      'llama3.1 allows commercial use under conditions: read it',
    ]);
    expect(item(await answers(licensed('CC-BY-NC-4.0')), 'data_licence')?.state).to.equal('open');
  });

  it('looks at the newest run', async () => {
    const before = await answers(TEXT);
    expect(before.run).to.equal(null);
    const { plan } = await planned(TEXT);
    writeFinishedRun(folder, { id: '20261129-100000-abcd', pipeline: 'pipeline.ftp', stages: plan.stages });
    const list = await answers(TEXT);
    expect(list.run).to.equal('20261129-100000-abcd');
    expect(
      item(list, 'losses')
        ?.evidence.map(({ text }) => text)
        .join(),
    ).to.contain('20261129-100000-abcd');
  });

  /** Everything that a file can say. */
  const READY = TEXT.replace(
    'dedupe = [exact]',
    'dedupe = [exact]\n  license = "CC0-1.0"\n  use = commercial',
  )
    .replace('import { jsonl }', 'import { jsonl, sample }')
    .replace('import { perplexity, rouge_l }', 'import { arc, forgetting, perplexity, rouge_l, safety }')
    .replace('stop = { epochs: 2 }', 'stop = { epochs: 2, patience: 3 }')
    .replace('  target = directory', '  canary = 10%\n  target = directory')
    .concat(`
data common {
  source = sample(general)
}
data prompts {
  source = sample(safety)
}
format questions using arc {
  from = common
}
format asked {
  from = prompts
  template = chat()
}
eval kept using forgetting {
  model = adapter.best
  dataset = questions.all
  baseline = untrained("${STARTER}", seed: 1)
}
eval declines using safety {
  model = adapter.best
  dataset = asked.all
  baseline = untrained("${STARTER}", seed: 1)
}
budget ready {
  require checklist.open == 0
  require checklist.unknown == 0
}
`);

  it('has nothing open, and nothing unknown, where the file says everything', async () => {
    const list = await answers(READY);
    expect(openItems(list)).to.deep.equal([]);
    expect(list.waiting).to.equal(4);
    // leaks are looked for within a data stage, and of another it is only known that nothing trains on it
    const apart = item(list, 'held_out')?.evidence.map(({ text }) => text) ?? [];
    expect(apart.filter((text) => text.includes('dropped as leaks'))).to.have.length(1);
    expect(apart).to.include.members(['nothing trains on `common`', 'nothing trains on `prompts`']);
  });

  it('is a gate of runs, which says what is open', async () => {
    const gateOf = async (text: string) => {
      const { program, analysis, compiled, plan } = await planned(text);
      return checklistGate(folder.host, { program, analysis, sources: compiled.sources, plan });
    };
    expect(await gateOf(READY)).to.deep.equal([]);
    expect(await gateOf(TEXT)).to.deep.equal([]);
    const [closed, more] = await gateOf(
      READY.replace('eval declines', 'eval others').replace('using safety', 'using forgetting'),
    );
    expect(more).to.equal(undefined);
    expect(closed?.code).to.equal('FTP2177');
    expect(closed?.notes).to.deep.equal([
      'open: Harmful output is tested for: write an `eval` stage `using safety` over `sample(safety)`, or over prompts of your own',
    ]);
  });

  it('is for people, too', async () => {
    const lines = checklistText(await answers(TEXT), PLAIN, 80);
    expect(lines.every((line) => line.length <= 80)).to.equal(true);
    expect(lines.at(-1)).to.match(
      /^\d+ done, \d+ open, \d+ waiting for a run, \d+ that cannot be known from here$/,
    );
    expect(lines).to.include('Before training');
  });
});
