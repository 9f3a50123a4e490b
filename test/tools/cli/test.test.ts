import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type Ended, freshFolder, ftpc } from './folders.js';

const root = nodeHost().packageFolder;
const cases = join(root, 'test/tools/pipeline-tests/cases');
const schema = JSON.parse(readFileSync(join(root, 'docs/schema/test.json'), 'utf8')) as object;
const isValid = new Ajv2020({ strict: false }).compile(schema);

const TESTS = `edition 2026

test "fits" {
  machine = "cpu-4gib"
  expect plan.valid and plan.adapter.chosen.method == lora
}

test "is large" {
  machine = "cpu-4gib"
  expect plan.peak_memory > 1TiB
}
`;

/** Rows only: a real run of a second. */
const ROWS = `edition 2026

import { jsonl } from "std/data"

param most: Int = 20
secret token = env("HUB_TOKEN")

data rows {
  source = jsonl("rows.jsonl")
  limit = most
}
`;

const RUNS = `edition 2026

test "hands on its rows" {
  with = { most: 7 }
  run = true
  expect run.status == done and run.rows.rows == 7 and run.rows.status != failed
  expect run.wall_time < 10m and run.peak_memory > 1MiB
}

test "hands on more" {
  with = { most: 7 }
  run = true
  expect run.rows.rows > 7
}
`;

describe('ftpc test', () => {
  let all = '';
  let folder = '';
  before(() => {
    all = freshFolder();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(all, 'test-'));
    for (const name of ['pipeline.ftp', 'rows.jsonl']) copyFileSync(join(cases, name), join(folder, name));
  });
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const test = (...words: readonly string[]): Promise<Ended> =>
    ftpc(folder, ['test', ...words], { HUB_TOKEN: 'hidden-value' });

  it('shows what holds and what does not, with values', async () => {
    write('pipeline.test.ftp', TESTS);
    const { code, out, err } = await test();
    expect({ code, err }).to.deep.equal({ code: 1, err: '' });
    expect(out).to.match(/^pipeline\.test\.ftp\n {2}✓ fits \(1 expectation, /);
    expect(out).to.contain('\n  ✗ is large (1 expectation, ');
    expect(out).to.contain('error[FTP1201]: `plan.peak_memory > 1TiB` does not hold');
    expect(out).to.match(/ {8}--> pipeline\.test\.ftp:10:10\n/);
    expect(out).to.match(/= note: plan\.peak_memory = [\d.]+MiB\n/);
    expect(out).to.match(/\n1 passed, 1 failed in .*\n$/);
    expect((await test('--filter', 'FITS')).code).to.equal(0);
  });

  it('says it as JSON and for build servers', async () => {
    write('pipeline.test.ftp', TESTS);
    const { code, out, err } = await test('--json', '--junit', 'reports/tests.xml');
    expect({ code, err }).to.deep.equal({ code: 1, err: '' });
    const found = JSON.parse(out);
    expect(isValid(found), JSON.stringify(isValid.errors)).to.equal(true);
    expect(found.passed).to.equal(false);
    expect(
      found.files[0].tests.map(({ name, line, status }: Record<string, unknown>) => [name, line, status]),
    ).to.deep.equal([
      ['fits', 3, 'passed'],
      ['is large', 8, 'failed'],
    ]);
    const report = readFileSync(join(folder, 'reports/tests.xml'), 'utf8');
    expect(report).to.contain('tests="2" failures="1" errors="0" skipped="0"');
    expect(report).to.contain('<testcase classname="pipeline.test.ftp" name="fits"');
  });

  it('runs pipelines only with --run, in a folder of their own, once', async () => {
    write('rows.ftp', ROWS);
    write('rows.test.ftp', RUNS);
    const skipped = await test();
    expect(skipped.code).to.equal(0);
    expect(skipped.out)
      .to.contain('- hands on its rows (runs the pipeline: --run)')
      .and.to.contain('2 skipped');
    const { code, out } = await test('--run');
    expect(code).to.equal(1);
    expect(out).to.contain('✓ hands on its rows (2 expectations');
    expect(out).to.contain('`run.rows.rows > 7` does not hold').and.to.contain('run.rows.rows = 7');
    expect(out).not.to.contain('hidden-value');
    expect(readdirSync(join(folder, '.ftp'))).to.have.members(['.gitignore', 'ftpc-store.json', 'tests']);
    expect(readdirSync(join(folder, '.ftp/tests/.ftp/runs'))).to.have.length(1);
    // what is complete is not done again
    await test('--run');
    const [store] = readdirSync(join(folder, '.ftp/tests/.ftp/store'));
    expect(store).to.match(/^[0-9a-f]+$/);
    expect(readdirSync(join(folder, '.ftp/tests/.ftp/store'))).to.have.length(1);
  });

  it('names what is wrong before anything is planned', async () => {
    write('pipeline.test.ftp', TESTS.replace('plan.valid', 'plan.valit'));
    const { code, out } = await test();
    expect(code).to.equal(1);
    expect(out).to.contain('FTP1203').and.to.contain('did you mean `valid`?');
    expect(out).to.contain('1 file with errors').and.not.to.contain('✓');
    const checked = await ftpc(folder, ['check', 'pipeline.test.ftp']);
    expect(checked.code).to.equal(1);
    expect(checked.err).to.contain('FTP1203').and.to.contain('did you mean `valid`?');
    expect(existsSync(join(folder, '.ftp/tests/.ftp/store'))).to.equal(false);
  });

  it('finds that there is nothing to test', async () => {
    const none = await test();
    expect(none.code).to.equal(1);
    expect(none.err).to.contain('FTP1210');
    const pipeline = await test('pipeline.ftp');
    expect(pipeline.code).to.equal(1);
    expect(pipeline.err).to.contain('FTP1210');
    write('pipeline.test.ftp', TESTS);
    const filtered = await test('--filter', 'smal card');
    expect(filtered.code).to.equal(1);
    expect(filtered.err).to.contain('FTP1211');
    const missing = await test('nowhere.test.ftp');
    expect(missing.err).to.contain('FTP0601');
  });
});
