import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { ftpc } from '../cli/folders.js';
import { noGit, pipelineRepository, type Working } from './repository.js';

const schema = (name: string) =>
  new Ajv2020({ strict: false }).compile(
    JSON.parse(readFileSync(join(nodeHost().packageFolder, 'docs/schema', `${name}.json`), 'utf8')) as object,
  );

describe(`plan --against and snapshot on the command line${noGit === undefined ? '' : ` (skipped: ${noGit})`}`, () => {
  let work: Working;
  before(function () {
    if (noGit !== undefined) this.skip();
    work = pipelineRepository();
  });
  after(() => work?.remove());
  beforeEach(() => void work.git('checkout', '-q', '.'));

  /** Node warns where both are set. */
  const run = (...words: readonly string[]) => ftpc(work.path, words, { FORCE_COLOR: undefined });
  const plan = (...words: readonly string[]) => run('plan', 'pipe.ftp', '--machine', 'cpu-8gib', ...words);

  it('ends with 0, 1, 2 or 4 @long', async () => {
    expect((await plan('--against', 'HEAD', '--exit-code')).code).to.equal(0);
    work.edit('presets.ftp', 'rank: 2', 'rank: 4');
    expect((await plan('--against', 'HEAD')).code).to.equal(0);
    const changed = await plan('--against', 'HEAD', '--exit-code');
    expect([changed.code, changed.err]).to.deep.equal([2, '']);
    expect(changed.out).to.match(/^pipe.ftp against HEAD\n3 of 5 stages rerun, 1 setting changed\n/);
    work.edit('pipe.ftp', '<= 1GiB', '<= 1MiB');
    expect((await plan('--against', 'HEAD')).code).to.equal(4);
    work.commit();
    expect(
      (await plan('--against', 'HEAD', '--exit-code')).code,
      'a budget that was broken already',
    ).to.equal(4);
    work.git('reset', '-q', '--hard', 'HEAD~1');
    work.edit('pipe.ftp', 'rank', 'rang');
    const broken = await plan('--against', 'HEAD', '--format', 'markdown');
    expect(broken.code).to.equal(1);
    expect(broken.out).to.match(
      /^<!-- ftpc-plan: pipe.ftp -->\n\*\*`pipe.ftp`\*\*: cannot be planned, \d error/,
    );
  });

  it('prints JSON that fits its schema, also of an error', async () => {
    const validate = schema('review');
    for (const edit of ['rank: 2', 'rank: 4'] as const) {
      if (edit === 'rank: 4') work.edit('presets.ftp', 'rank: 2', edit);
      work.write('data/loose.jsonl', '{"instruction":"x","output":"y"}\n');
      const { out, err } = await plan('--against', 'HEAD', '--json', '-p', 'rate=1e-3');
      expect(err).to.equal('');
      expect(validate(JSON.parse(out)), JSON.stringify(validate.errors)).to.equal(true);
    }
    const wrong = await plan('--against', 'nothing', '--json');
    expect(wrong.code).to.equal(1);
    expect(JSON.parse(wrong.out).diagnostics[0].code).to.equal('FTP1303');
    const said = await plan('--against', 'nothing');
    expect([said.code, said.out]).to.deep.equal([1, '']);
    expect(said.err).to.match(/^error\[FTP1303\]: the repository has no commit `nothing`/);
  });

  it('says where options do not go together', async () => {
    expect((await plan('--format', 'markdown')).err).to.contain('`--format` needs `--against`');
    expect((await plan('--against', 'HEAD', '--format', 'text', '--json')).err).to.contain(
      'exclude each other',
    );
    for (const option of ['--locked', '--out=x', '--threads=2'])
      expect((await plan('--against', 'HEAD', option)).err).to.contain('cannot be combined with `--against`');
    const missing = await run('plan', 'no/such.ftp', '--against', 'HEAD');
    expect([missing.code, missing.out]).to.deep.equal([1, '']);
    expect(missing.err).to.contain('FTP0601');
    expect((await plan('--against', 'HEAD', '--format', 'html')).err).to.contain(
      '`--format` takes `text`, `markdown` or `json`',
    );
  });

  it('writes a snapshot, finds it as it is, and ends with 2 where the pipeline is another @long', async () => {
    const snapshot = (...words: readonly string[]) => run('snapshot', 'pipe.ftp', ...words);
    expect((await snapshot('--mode', 'validate')).code).to.equal(1);
    const written = await snapshot();
    expect([written.code, written.out, written.err]).to.deep.equal([0, '', 'wrote pipe.plan.json\n']);
    const file = () => readFileSync(join(work.path, 'pipe.plan.json'), 'utf8');
    const validate = schema('snapshot');
    expect(validate(JSON.parse(file())), JSON.stringify(validate.errors)).to.equal(true);
    expect((await snapshot()).err).to.equal('pipe.plan.json is up to date\n');
    expect((await snapshot('--mode', 'validate')).code).to.equal(0);
    work.edit('presets.ftp', 'rank: 2', 'rank: 4');
    const before = file();
    const other = await snapshot('--mode', 'validate');
    expect(other.code).to.equal(2);
    expect(other.out).to.match(/^pipe.ftp against pipe.plan.json\n1 setting changed\n/);
    expect(file()).to.equal(before);
    const json = await snapshot('--mode', 'validate', '--json');
    const fits = schema('review');
    expect(fits(JSON.parse(json.out)), JSON.stringify(fits.errors)).to.equal(true);
    expect((await snapshot('--mode', 'validate', '-p', 'rate=1')).err).to.contain('FTP1313');
    work.write('pipe.plan.json', '{');
    expect((await snapshot('--mode', 'validate')).err).to.contain('FTP1311');
    expect((await snapshot()).code).to.equal(0);
    expect(JSON.parse(file()).stages[2].settings['lora.rank']).to.equal('4');
    work.edit('pipe.ftp', 'dataset', 'datset');
    expect((await snapshot()).code).to.equal(1);
    expect(JSON.parse(file()).stages[2].settings['lora.rank']).to.equal('4');
  });
});
