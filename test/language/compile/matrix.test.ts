import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/valid');
const text = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

matrix rate: Number = [1e-4, 0.0002]
matrix most: Int = [10, 20]

data rows { source = jsonl("data/general.jsonl"), limit = most, split = { train: 50%, test: 50% } }
data others { source = jsonl("data/general.jsonl"), require rows >= 1 }
format dialogs { from = rows, template = chat() }
train adapter { base = starter(), dataset = dialogs.train, optimizer = adamw(rate: rate) }
eval quality { model = adapter.best, dataset = dialogs.test, metrics = [perplexity] }
merge fused { base = starter(), adapter = adapter.best }
deploy local { model = fused, when = quality.passed, target = directory("out") }
budget machine { require wall_time <= 1h }
`;
const compiled = (params: Record<string, string> = {}, written = text) =>
  compile(overlayHost(folder, { 'p.ftp': written }), 'p.ftp', { params });
const names = (params?: Record<string, string>) =>
  compiled(params).program?.stages.map(({ name }) => name) ?? [];

describe('a matrix', () => {
  it('makes a stage of each value, in those stages alone that follow from it', () => {
    expect(names()).to.deep.equal([
      'rows@most=10',
      'rows@most=20',
      'others',
      'dialogs@most=10',
      'dialogs@most=20',
      'adapter@rate=1e-4,most=10',
      'adapter@rate=1e-4,most=20',
      'adapter@rate=2e-4,most=10',
      'adapter@rate=2e-4,most=20',
      'quality@rate=1e-4,most=10',
      'quality@rate=1e-4,most=20',
      'quality@rate=2e-4,most=10',
      'quality@rate=2e-4,most=20',
      'fused@rate=1e-4,most=10',
      'fused@rate=1e-4,most=20',
      'fused@rate=2e-4,most=10',
      'fused@rate=2e-4,most=20',
    ]);
  });

  it('joins stages on the values that they share', () => {
    const { program } = compiled();
    for (const stage of program?.stages ?? []) {
      for (const input of stage.inputs) {
        const read = program?.stages.find(({ name }) => name === input);
        expect(stage.instance?.at, stage.name).to.include(read?.instance?.at);
      }
    }
    const quality = program?.stages.find(({ name }) => name === 'quality@rate=2e-4,most=20');
    expect(quality?.settings['model']).to.deep.equal({ stage: 'adapter@rate=2e-4,most=20', port: 'best' });
    expect(quality?.settings['dataset']).to.deep.equal({ stage: 'dialogs@most=20', port: 'test' });
    expect(quality?.instance).to.deep.equal({ of: 'quality', at: { rate: 2e-4, most: 20 } });
    const adapter = program?.stages.find(({ name }) => name === 'adapter@rate=2e-4,most=20');
    expect(adapter?.settings['optimizer']).to.have.nested.property('args.rate', 2e-4);
    expect(adapter?.origins['optimizer']).to.equal('author');
  });

  it('leaves a release out until one value is chosen, and says how', () => {
    const { diagnostics } = compiled();
    expect(diagnostics.map(({ code, severity }) => [code, severity])).to.deep.equal([['FTP0412', 'info']]);
    expect(diagnostics[0]?.help).to.equal('choose one value: `-p rate=1e-4 -p most=10`');
    expect(compiled({ most: '10' }).diagnostics[0]?.help).to.equal('choose one value: `-p rate=1e-4`');
  });

  it('is one value once it is chosen, and names go back to what is declared', () => {
    const { program, diagnostics } = compiled({ rate: '0.0002', most: '10 + 10' });
    expect(diagnostics).to.deep.equal([]);
    expect(program?.stages.map(({ name }) => name)).to.deep.equal([
      'rows',
      'others',
      'dialogs',
      'adapter',
      'quality',
      'fused',
      'local',
    ]);
    expect(program?.stages.every(({ instance }) => instance === undefined)).to.equal(true);
    expect(program?.params).to.deep.equal({ rate: 2e-4, most: 20 });
    expect(names({ rate: '2e-4' }))
      .to.include('adapter@most=10')
      .and.not.include('local');
  });

  it('takes none of its values but from its list', () => {
    const [found] = compiled({ rate: '3e-4' }).diagnostics;
    expect(found?.code).to.equal('FTP0513');
    expect(found?.help).to.equal(
      'its values are `1e-4` and `0.0002`; add it to the list, or choose one of them',
    );
    expect(compiled({ rat: '1' }).diagnostics[0]?.help).to.equal('did you mean `-p rate=…`?');
  });

  it('reports a mistake in a block once, however many combinations it is in', () => {
    const broken = text.replace('metrics = [perplexity]', 'metrics = [perplexty], sampels = 3');
    expect(compiled({}, broken).diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0211', 'FTP0213']);
    const circle = text.replace(
      'source = jsonl("data/general.jsonl"), limit = most',
      'source = dialogs.train',
    );
    expect(compiled({}, circle).program).to.equal(undefined);
  });

  it('takes functions and choices for no stages of that name', () => {
    const named = text
      .replace('deploy local', 'deploy starter')
      .replaceAll('others', 'exact')
      .replace('train adapter', 'train assistant')
      .replaceAll('adapter.best', 'assistant.best')
      .replace('template = chat()', 'template = chat(), loss_on = assistant');
    const { program } = compiled({}, named);
    const found = program?.stages.map(({ name }) => name) ?? [];
    expect(found).to.include.members(['exact', 'dialogs@most=10', 'assistant@rate=1e-4,most=10']);
    expect(found).to.have.length(17);
  });

  it('names stages with signs that no shell minds', () => {
    const models = text
      .replace('matrix most: Int = [10, 20]', 'matrix most: String = ["a b/c", "ü", "$(x)"]')
      .replace('limit = most, ', '')
      .replace('template = chat()', 'template = chat(system: most)');
    const found = compiled({}, models).program?.stages.map(({ name }) => name) ?? [];
    expect(found.filter((name) => name.startsWith('dialogs'))).to.deep.equal([
      'dialogs@most=a-b-c',
      'dialogs@most=ü',
      'dialogs@most=x',
    ]);
  });
});
