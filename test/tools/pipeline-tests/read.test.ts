import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { readTests } from '../../../src/tools/pipeline-tests/index.js';
import { annotate } from '../../helpers/annotate.js';
import { expectGolden } from '../../helpers/golden.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const FOLDER = 'test/tools/pipeline-tests/cases';
const root = nodeHost().packageFolder;

describe('files of tests', () => {
  for (const name of ['names', 'types', 'settings'])
    it(`are checked before anything is planned: ${name}`, () => {
      const file = `${FOLDER}/${name}.test.ftp`;
      const { diagnostics, sources, cases } = readTests(nodeHost(root), file);
      expect(cases).to.deep.equal([]);
      expectGolden(`${FOLDER}/${name}.golden`, annotate(file, diagnostics, sources));
    });

  it('give parameters of every type to the pipeline', () => {
    const text = `edition 2026
param half: Ratio = 50%
test "all" {
  with = { flag: true, whole: 3, number: 2.5e-4, text: "\\"b\\" c", tokens: 5tok, steps: 7steps, bytes: 1.5GiB,
    time: 90s, share: half / 2, model: local("somewhere") }
  expect program.valid
}
`;
    const pipeline = `edition 2026
param flag: Bool = false
param whole: Int = 1
param number: Number = 1
param text: String = ""
param tokens: Tokens = 1tok
param steps: Steps = 1steps
param bytes: Bytes = 1B
param time: Duration = 1s
param share: Ratio = 1%
param model: Model = starter()
`;
    const host = overlayHost(root, { 'x.test.ftp': text, 'x.ftp': pipeline });
    const { cases, diagnostics } = readTests(host, 'x.test.ftp');
    expect(diagnostics.map(({ message }) => message)).to.deep.equal([
      'the model folder `somewhere` cannot be used',
    ]);
    expect(cases).to.deep.equal([]);
    const without = overlayHost(root, {
      'x.test.ftp': text.replace(/, model: .*\}/, ' }'),
      'x.ftp': pipeline,
    });
    const [read] = readTests(without, 'x.test.ftp').cases;
    expect(read?.compiled.program?.params).to.deep.include({
      flag: true,
      whole: 3,
      number: 2.5e-4,
      text: '"b" c',
      tokens: 5,
      steps: 7,
      bytes: 1.5 * 2 ** 30,
      time: 90,
      share: 0.25,
    });
  });

  it('say that their pipeline is not there, once', () => {
    const host = overlayHost(root, {
      'alone.test.ftp': 'edition 2026\ntest "a" { expect plan.valid }\ntest "b" { expect plan.valid }\n',
    });
    expect(readTests(host, 'alone.test.ftp').diagnostics.map(({ code }) => code)).to.deep.equal(['FTP1204']);
  });

  it('refer to one stage of a matrix, once its value is chosen', () => {
    const read = (settings: string) => {
      const text = `edition 2026\ntest "it" { pipeline = "matrix.ftp"${settings}, expect program.adapter.lora.rank == 8 }\n`;
      const host = overlayHost(join(root, 'test/corpus/valid'), { 'it.test.ftp': text });
      return readTests(host, 'it.test.ftp').diagnostics.map(({ code, message }) => `${code} ${message}`);
    };
    expect(read('')).to.deep.equal([
      'FTP1213 `adapter` is several stages, one for each value of `rate` and `rank`',
    ]);
    expect(read(', with = { rank: 8 }')).to.deep.equal([
      'FTP1213 `adapter` is several stages, one for each value of `rate`',
    ]);
    expect(read(', with = { rank: 8, rate: 1e-4 }')).to.deep.equal([]);
  });

  it('are read where the pipeline has errors, which a test can expect', () => {
    const host = overlayHost(root, {
      'bad.ftp': 'edition 2026\nbudget b { require peak_memory <= 8 }\n',
      'bad.test.ftp': 'edition 2026\ntest "a" { expect program.reports("FTP0302") and not program.valid }\n',
    });
    const { cases, diagnostics } = readTests(host, 'bad.test.ftp');
    expect(diagnostics).to.deep.equal([]);
    expect(cases).to.have.length(1);
  });
});
