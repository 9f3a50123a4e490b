import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { writePipeline } from './pipelines.js';
import { finish, type Line } from './processes.js';
import { freshFolder } from './worlds.js';

const root = nodeHost().packageFolder;
const schema = (name: string) => {
  const ajv = new Ajv2020({ allowUnionTypes: true });
  return ajv.compile(JSON.parse(readFileSync(join(root, 'docs/schema', `${name}.json`), 'utf8')));
};

const last = (lines: readonly Line[]): Line => lines.at(-1) as Line;
const stagesOf = (line: Line) =>
  line['stages'] as readonly {
    readonly name: string;
    readonly status: string;
    readonly outputs: Readonly<Record<string, string>>;
    readonly peakMemoryBytes: number;
  }[];

/** Every file of the store with its digest. */
function storeDigests(cwd: string): Readonly<Record<string, string>> {
  const folder = join(cwd, '.ftp/store');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== 'stage.json',
  );
  return Object.fromEntries(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .map((path) => [
        path.slice(folder.length),
        createHash('sha256').update(readFileSync(path)).digest('hex'),
      ]),
  );
}

describe('ftpc run', () => {
  it('streams events that fit their schema, and reports every row', async () => {
    const cwd = freshFolder();
    writePipeline(cwd);
    const { code, lines, err } = await finish(cwd);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    const valid = schema('events');
    for (const line of lines) expect(valid(line), JSON.stringify(valid.errors)).to.equal(true);
    expect(lines[0]?.type).to.equal('run.started');
    expect(last(lines)).to.deep.include({ type: 'run.finished', status: 'done' });
    for (const stage of stagesOf(last(lines))) {
      expect(stage.status).to.equal('done');
      expect(stage.peakMemoryBytes).to.be.greaterThan(0);
      const report = JSON.parse(readFileSync(join(cwd, stage.outputs['report'] ?? ''), 'utf8'));
      const fits = schema('stage-report');
      expect(fits(report), JSON.stringify(fits.errors)).to.equal(true);
      expect(report.rows).to.equal(report.kept + report.dropped.length);
      if (stage.name === 'rows')
        expect(report.dropped.map(({ line, reason }: Line) => [line, reason])).to.deep.equal([
          [61, 'malformed'],
          [62, 'duplicate'],
        ]);
    }
    const journal = readdirSync(join(cwd, '.ftp/runs'));
    expect(journal).to.have.lengthOf(1);
    expect(readdirSync(join(cwd, '.ftp/runs', journal[0] ?? '')).sort()).to.deep.equal([
      'journal.jsonl',
      'report.html',
    ]);
    expect(readdirSync(cwd).sort()).to.deep.equal(['.ftp', 'data', 'model', 'tiny.ftp']);

    const again = await finish(cwd);
    expect(stagesOf(last(again.lines)).map(({ status }) => status)).to.deep.equal(['cached', 'cached']);
    expect(
      again.lines.filter(({ type }) => type === 'stage.started').map((line) => line['action']),
    ).to.deep.equal(['cached', 'cached']);
  });

  it('checks and plans in the shapes that docs/schema promises', async () => {
    const cwd = freshFolder();
    writePipeline(cwd);
    const { err } = await finish(cwd, ['check', 'tiny.ftp']);
    expect(err).to.contain('ok');
    writeFileSync(
      join(cwd, 'wrong.ftp'),
      readFileSync(join(cwd, 'tiny.ftp'), 'utf8').replace('from = rows', 'from = rwos'),
    );
    const { ftpc } = await import('../../tools/cli/folders.js');
    const checked = await ftpc(cwd, ['check', 'wrong.ftp', '--json']);
    expect(checked.code).to.equal(1);
    const valid = schema('check');
    const object = JSON.parse(checked.out);
    expect(valid(object), JSON.stringify(valid.errors)).to.equal(true);
    expect(object).to.deep.include({ version: 1, valid: false });
    expect(object.diagnostics[0]).to.deep.include({ file: 'wrong.ftp', severity: 'error', line: 14 });
    const github = await ftpc(cwd, ['check', 'wrong.ftp', '--github']);
    expect(github.out).to.match(/^::error file=wrong\.ftp,line=14,/);
  });

  it('gives the same bytes in another folder @long', async () => {
    const [one, two] = [freshFolder(), freshFolder()];
    for (const cwd of [one, two]) {
      writePipeline(cwd);
      await finish(cwd);
    }
    const digests = storeDigests(one);
    // format.json names the folder of the tokenizer.
    const same = (all: Readonly<Record<string, string>>) =>
      Object.entries(all).filter(([name]) => !name.endsWith('/format.json'));
    expect(same(storeDigests(two))).to.deep.equal(same(digests));
    expect(Object.keys(digests).length).to.be.above(10);
  });

  it('blocks what needs a stage whose requirement fails, and decides again without running again', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { least: 500 });
    const { code, lines } = await finish(cwd);
    expect(code).to.equal(1);
    expect(last(lines)['status']).to.equal('failed');
    expect(stagesOf(last(lines)).map(({ status }) => status)).to.deep.equal(['failed', 'blocked']);
    const [diagnostic] = lines.filter(({ type }) => type === 'diagnostic');
    expect(diagnostic).to.deep.include({ code: 'FTP0821', severity: 'error', file: 'tiny.ftp', line: 10 });
    expect(diagnostic?.['message']).to.contain('rows = 60, needs >= 500');
    const report = stagesOf(last(lines))[0]?.outputs['report'] ?? '';
    expect(JSON.parse(readFileSync(join(cwd, report), 'utf8')).kept).to.equal(60);

    writePipeline(cwd, { least: 60 });
    const repaired = await finish(cwd);
    expect(repaired.code).to.equal(0);
    expect(stagesOf(last(repaired.lines)).map(({ status }) => status)).to.deep.equal(['cached', 'done']);
  });

  it('exits with 4 before anything runs where the plan breaks a budget', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { budget: 'peak_memory <= 1MiB' });
    const { code, lines } = await finish(cwd);
    expect(code).to.equal(4);
    expect(last(lines)).to.deep.include({ status: 'budget_exceeded', stages: [] });
    const { ftpc } = await import('../../tools/cli/folders.js');
    expect((await ftpc(cwd, ['plan', 'tiny.ftp', '--json'])).code).to.equal(4);
  });

  it('plans with exit code 2 where a stage would run, and 0 where none would', async () => {
    const cwd = freshFolder();
    writePipeline(cwd);
    const { ftpc } = await import('../../tools/cli/folders.js');
    expect((await ftpc(cwd, ['plan', 'tiny.ftp', '--exit-code'])).code).to.equal(2);
    await finish(cwd);
    expect((await ftpc(cwd, ['plan', 'tiny.ftp', '--exit-code'])).code).to.equal(0);
    // Another name and other white space change nothing that is run.
    writeFileSync(
      join(cwd, 'tiny.ftp'),
      readFileSync(join(cwd, 'tiny.ftp'), 'utf8').replaceAll('  ', '    '),
    );
    expect((await ftpc(cwd, ['plan', 'tiny.ftp', '--exit-code'])).code).to.equal(0);
    writeFileSync(join(cwd, 'data/rows.jsonl'), '{"instruction":"a","output":"b","group":"x"}\n');
    expect((await ftpc(cwd, ['plan', 'tiny.ftp', '--exit-code'])).code).to.equal(2);
  });

  it('runs a stage again whose stored output was damaged, and says so', async () => {
    const cwd = freshFolder();
    writePipeline(cwd);
    const first = await finish(cwd);
    const before = storeDigests(cwd);
    const [rows] = stagesOf(last(first.lines));
    const train = join(cwd, rows?.outputs['train'] ?? '');
    writeFileSync(train, readFileSync(train, 'utf8').replace('Vienna', 'Vienne'));
    const { lines, code } = await finish(cwd);
    expect(code).to.equal(0);
    expect(lines.filter(({ type }) => type === 'diagnostic').map((line) => line['code'])).to.deep.equal([
      'FTP0802',
    ]);
    expect(stagesOf(last(lines)).map(({ status }) => status)).to.deep.equal(['done', 'cached']);
    expect(storeDigests(cwd)).to.deep.equal(before);
    rmSync(join(cwd, '.ftp/store'), { recursive: true });
    await finish(cwd);
    expect(storeDigests(cwd)).to.deep.equal(before);
  });

  it('shows what a format stage outputs, running what is missing', async () => {
    const cwd = freshFolder();
    writePipeline(cwd);
    const { ftpc } = await import('../../tools/cli/folders.js');
    const { out, code } = await ftpc(cwd, [
      'preview',
      'tiny.ftp',
      'dialogs',
      '--split',
      'train',
      '--rows',
      '2',
      '--json',
    ]);
    expect(code).to.equal(0);
    const { version, stage, rows } = JSON.parse(out);
    expect({ version, stage, count: rows.length }).to.deep.equal({ version: 1, stage: 'dialogs', count: 2 });
    for (const row of rows) {
      expect(row.file).to.equal('data/rows.jsonl');
      expect(row.input_ids.length).to.equal(row.labels.length);
      const marked = row.labels.filter((label: number) => label !== -100);
      expect(marked.length).to.equal(row.supervised).and.to.be.above(0);
      expect(row.text).to.contain('capital of');
    }
    const plain = await ftpc(cwd, ['preview', 'tiny.ftp', 'dialogs', '--rows', '1']);
    expect(plain.out).to.match(/⟦[^⟧]*<\|im_end\|>⟧/);
    expect(plain.err).to.match(/^dialogs: rows \d+ · (none|\d+) dropped/m);
    const raw = await ftpc(cwd, ['preview', 'tiny.ftp', 'rows', '--rows', '1']);
    expect(raw.out).to.contain('"instruction"');
    const none = await ftpc(cwd, ['preview', 'tiny.ftp', 'dialog']);
    expect(none.err).to.contain('did you mean `dialogs`?');
  });
});
