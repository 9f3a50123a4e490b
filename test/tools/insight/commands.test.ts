import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { writePipeline } from '../../pipeline/run/pipelines.js';
import { ftpc } from '../cli/folders.js';
import { folderWithRuns, freshFolder, RUNS } from './folders.js';
import { expectSchema } from './schemas.js';

describe('insight on the command line', () => {
  const folder = freshFolder();
  const cwd = folder.path;
  const pipeline = join(cwd, 'tiny.ftp');

  async function json(schema: string, words: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const { code, out, err } = await ftpc(cwd, [...words, '--json']);
    expect(code, `${words.join(' ')}: ${err}`).to.equal(0);
    const found = JSON.parse(out);
    expectSchema(schema, found);
    return found;
  }

  const statuses = async (): Promise<readonly string[]> => {
    const { nodes } = await json('graph', ['graph', 'tiny.ftp', '--status']);
    return (nodes as readonly { readonly name: string; readonly status: string }[]).map(
      ({ name, status }) => `${name} ${status}`,
    );
  };

  before(async () => {
    writePipeline(cwd, { steps: 4, gate: '< 0.0' });
    expect((await ftpc(cwd, ['run', 'tiny.ftp'])).code).to.equal(3);
  });

  it('shows the status of stages, a gate that did not hold included', async () => {
    expect(await statuses()).to.deep.equal([
      'rows cached',
      'dialogs cached',
      'adapter cached',
      'quality failed',
      'fused cached',
      'local run',
    ]);
  });

  it('compares the runs, shows their metrics, and says why', async () => {
    const before = readFileSync(pipeline, 'utf8');
    writeFileSync(pipeline, before.replace('rate: 5e-3', 'rate: 4e-3').replace('< 0.0', '< 1e9'));
    const why = await json('why', ['why', 'tiny.ftp', 'adapter']);
    expect(why['reasons']).to.deep.equal([
      {
        code: 'setting_changed',
        path: 'settings.optimizer.rate',
        before: 0.005,
        after: 0.004,
        written: ['0.005', '0.004'],
        at: { file: 'tiny.ftp', line: 26, column: 27 },
      },
    ]);
    expect(why['downstream']).to.deep.equal(['quality', 'fused', 'local']);
    expect((await ftpc(cwd, ['run', 'tiny.ftp'])).code).to.equal(0);
    expect(await statuses()).to.include('quality cached');

    const diff = await json('diff', ['diff', 'latest~1']);
    expect(await json('diff', ['diff', 'latest'])).to.deep.equal(diff);
    const stages = diff['stages'] as readonly Record<string, unknown>[];
    expect(stages.map(({ sameOutput }) => sameOutput)).to.deep.equal([true, true, false, false, false, null]);
    expect(stages[2]?.['changes']).to.deep.equal([
      { name: 'settings.optimizer.rate', a: '0.005', b: '0.004' },
    ]);
    expect(stages[2]?.['curves']).to.have.nested.property('a.steps', 4);

    const { runs } = await json('metrics', ['metrics', '--pipeline', 'tiny.ftp', '--metric', 'perplexity']);
    expect((runs as readonly { status: string }[]).map(({ status }) => status)).to.deep.equal([
      'done',
      'gate_failed',
    ]);
    await json('metrics', ['metrics', '--plot', 'loss']);
    const { rows } = await json('metrics', [
      'metrics',
      '--sql',
      'select stage, max(step) as n from steps group by all',
    ]);
    expect(rows).to.deep.equal([{ stage: 'adapter', n: 4 }]);
  });

  it('writes files whole, in the format that their names say', async () => {
    for (const [file, start] of [
      ['g.mmd', 'flowchart TD\n'],
      ['g.dot', 'digraph "tiny" {\n'],
      ['out/g.svg', '<svg '],
      ['g.txt', 'rows '],
    ] as const) {
      const { code, out, err } = await ftpc(cwd, ['graph', 'tiny.ftp', '--out', file], { FORCE_COLOR: '1' });
      expect([code, out, err], file).to.deep.equal([0, '', `wrote ${file}\n`]);
      const text = readFileSync(join(cwd, file), 'utf8');
      expect(text.startsWith(start), file).to.equal(true);
      expect(text).to.not.contain('\u001b');
    }
    const page = await ftpc(cwd, ['docs', 'tiny.ftp', '--machine', 'cpu-8gib', '--out', 'page.html']);
    expect(page).to.deep.include({ code: 0, out: '' });
    expect(readFileSync(join(cwd, 'page.html'), 'utf8')).to.match(/<\/html>\n$/);
    expect(readdirSync(cwd).filter((name) => name.includes('tmp'))).to.deep.equal([]);
  });

  it('prints the reference, whole or a page, and writes it', async () => {
    const { pages } = await json('docs', ['docs', 'train']);
    expect(Object.keys(pages ?? {})).to.deep.equal(['train']);
    expect((await ftpc(cwd, ['docs'])).out)
      .to.contain('# `train`')
      .and.to.contain('# Functions');
    expect((await ftpc(cwd, ['docs', '--out', 'reference'])).code).to.equal(0);
    expect(readdirSync(join(cwd, 'reference'))).to.include.members(['train.md', 'units.md']);
  });

  const mistakes: readonly (readonly [words: readonly string[], message: string])[] = [
    [['why', 'tiny.ftp', 'adaptr'], 'did you mean `adapter`?'],
    [['why', 'tiny.ftp'], '`ftpc why` needs STAGE'],
    [['explain', 'tiny.ftp:adapter.lora.rnk'], 'did you mean `lora.rank`?'],
    [['explain', 'tiny:adapter'], 'is not a pipeline'],
    [['graph', 'other.ftp'], 'FTP0601'],
    [['graph', 'tiny.ftp', '--format', 'png'], '`--format` takes `mermaid`, `dot`, `text` or `svg`'],
    [['graph', 'tiny.ftp', '--out', 'g.png'], 'has an unknown format'],
    [['diff', '2'], 'FTP1505'],
    [['metrics', '--last', '0'], '`--last` needs a whole number'],
    [['metrics', '--pipeline', 'other.ftp'], 'FTP1503'],
    [['metrics', '--plot', 'los'], 'did you mean `loss`?'],
    [['metrics', '--sql', 'select', '--plot', 'loss'], 'exclude each other'],
    [['docs', 'trin'], 'did you mean `train`?'],
  ];
  for (const [words, message] of mistakes)
    it(`says what is wrong with: ftpc ${words.join(' ')}`, async () => {
      const { code, out, err } = await ftpc(cwd, words);
      expect([code, out]).to.deep.equal([1, '']);
      expect(err).to.contain(message).and.to.not.contain('    at ');
    });

  it('gives the mistakes of a pipeline that has some', async () => {
    folder.write('broken.ftp', readFileSync(pipeline, 'utf8').replace('rank: 2', 'rnk: 2'));
    for (const words of [
      ['graph', 'broken.ftp'],
      ['why', 'broken.ftp', 'adapter'],
      ['explain', 'broken.ftp:adapter'],
      ['docs', 'broken.ftp'],
    ]) {
      const found = await ftpc(cwd, [...words, '--json']);
      expect(found.code, words[0]).to.equal(1);
      expect(JSON.parse(found.out)).to.include({ version: 1, valid: false });
      expect((await ftpc(cwd, words)).err).to.contain('did you mean `rank`?');
    }
  });

  it('does without DuckDB whatever is no query, and says how to get it', async () => {
    const hook = `export async function resolve(name, context, next) {
      if (name.startsWith('@duckdb')) throw new Error('Cannot find module ' + name);
      return next(name, context);
    }`;
    const preload = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)});`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
    const { code, out, err } = await ftpc(cwd, ['metrics', '--sql', 'select * from runs'], env);
    expect([code, out]).to.deep.equal([1, '']);
    expect(err).to.contain('error[FTP1509]').and.to.contain('npm install @duckdb/node-api');
    expect((await ftpc(cwd, ['metrics', '--plot', 'loss'], env)).code).to.equal(0);
  });

  it('completes runs and stages in bash', async () => {
    const script = (await ftpc(cwd, ['completion', 'bash'])).out;
    const complete = (words: readonly string[]): readonly string[] => {
      const set = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _ftpc; echo "\${COMPREPLY[@]}"`;
      const found = execFileSync('bash', ['-c', `${script}\n${set}`], { cwd, encoding: 'utf8' });
      return found.trim().split(' ');
    };
    expect(complete(['ftpc', 'why', 'tiny.ftp', 'q'])).to.deep.equal(['quality']);
    expect(complete(['ftpc', 'diff', 'lat'])).to.deep.equal(['latest', 'latest~1']);
    const runs = readdirSync(join(cwd, '.ftp/runs'));
    expect(complete(['ftpc', 'diff', 'latest', '2'])).to.deep.equal(runs);
  });

  it('says that a journal is damaged, and shows the rest', async () => {
    const recorded = folderWithRuns();
    const path = join(recorded.path, `.ftp/runs/${RUNS[3]}/journal.jsonl`);
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, -30));
    const { code, out, err } = await ftpc(recorded.path, ['diff', 'latest~3', 'latest', '--json']);
    expect(code).to.equal(0);
    expectSchema('diff', JSON.parse(out));
    expect(err).to.contain('warning[FTP1506]: the last line of this journal was cut off');
    expect(existsSync(join(recorded.path, '.ftp/store'))).to.equal(false);
  });
});
