import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { type Diagnostic, UserError } from '../../../src/language/diagnostics/types.js';
import { openRepository } from '../../../src/tools/cli/review/git.js';
import { noGit, pipelineRepository, type Working, workingFolder } from './repository.js';

/** The diagnostic that opening, or what is done with it, ends in. */
function problemOf(work: () => unknown): Diagnostic {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.diagnostic;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe(`what git cannot give${noGit === undefined ? '' : ` (skipped: ${noGit})`}`, () => {
  let work: Working;
  before(function () {
    if (noGit !== undefined) this.skip();
  });
  beforeEach(() => {
    work = pipelineRepository();
  });
  afterEach(() => work.remove());
  const open = (ref: string, folder = work.path) => openRepository(join(folder, 'pipe.ftp'), ref, 'pipe.ftp');

  it('is a program that is not there', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = join(work.path, 'nothing');
    try {
      expect(problemOf(() => open('HEAD')).code).to.equal('FTP1301');
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('is no secret, and no other repository than that of the pipeline', () => {
    const bin = workingFolder();
    writeFileSync(join(bin.path, 'git'), `#!/bin/sh\nenv > ${join(bin.path, 'seen')}\nexit 1\n`, {
      mode: 0o755,
    });
    const before = { ...process.env };
    Object.assign(process.env, {
      PATH: `${bin.path}${delimiter}${before['PATH']}`,
      STOLEN_TOKEN: 'x',
      GIT_DIR: 'x',
      GIT_CEILING_DIRECTORIES: '/nothing',
    });
    problemOf(() => open('HEAD'));
    for (const name of ['STOLEN_TOKEN', 'GIT_DIR', 'GIT_CEILING_DIRECTORIES']) delete process.env[name];
    Object.assign(process.env, before);
    const seen = readFileSync(join(bin.path, 'seen'), 'utf8');
    bin.remove();
    expect(seen)
      .to.match(/^GIT_CEILING_DIRECTORIES=/m)
      .and.not.match(/STOLEN_TOKEN|^GIT_DIR/m);
  });

  it('is a folder without a repository', () => {
    const bare = workingFolder();
    const found = problemOf(() => open('HEAD', bare.path));
    bare.remove();
    expect(found.code).to.equal('FTP1302');
    expect(found.notes?.[0]).to.match(/not a git repository/);
  });

  for (const [ref, help] of [
    ['maim', 'did you mean `main`?'],
    ['--output=stolen', 'give a branch'],
    ['-p', 'give a branch'],
    ['', 'give a branch'],
    ['HEAD:pipe.ftp', 'give a branch'],
    ['main..HEAD', 'did you mean'],
    ['main\nHEAD', 'did you mean'],
  ] as const)
    it(`is a commit called ${JSON.stringify(ref)}`, () => {
      const found = problemOf(() => open(ref));
      expect(found.code).to.equal('FTP1303');
      expect(found.help).to.contain(help);
    });

  it('takes whatever means a commit', () => {
    work.git('tag', '-a', 'v1', '-m', 'tag');
    work.git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    for (const ref of [
      'HEAD',
      'main',
      'v1',
      'origin/main',
      'HEAD^0',
      work.git('rev-parse', '--short', 'HEAD').trim(),
    ])
      expect(open(ref).changed.size, ref).to.equal(0);
  });

  it('is a commit before those of a shallow clone', () => {
    const first = work.git('rev-parse', 'HEAD').trim();
    work.write('prompt.md', 'Other.');
    work.commit();
    const clone = workingFolder();
    clone.git('clone', '-q', '--depth', '1', `file://${work.path}`, 'shallow');
    const folder = join(clone.path, 'shallow');
    for (const ref of [first, 'HEAD~1', 'origin/other'])
      expect(problemOf(() => open(ref, folder)).code, ref).to.equal('FTP1304');
    expect(open('HEAD', folder).changed.size).to.equal(0);
    clone.remove();
  });

  it('is the content that a partial clone left out, and asks no server for it', () => {
    work.write('prompt.md', 'Other.');
    work.commit();
    work.git('config', 'uploadpack.allowFilter', 'true');
    const clone = workingFolder();
    clone.git('clone', '-q', '--filter=blob:none', `file://${work.path}`, 'partial');
    const found = problemOf(() => {
      const repository = open('HEAD~1', join(clone.path, 'partial'));
      for (const earlier of repository.changed.values())
        if (earlier.kind === 'file') repository.read(earlier.id);
    });
    clone.remove();
    expect(found.code).to.equal('FTP1306');
  });

  it('is a repository whose index is damaged', () => {
    work.write('.git/index', 'no index');
    const found = problemOf(() => open('HEAD'));
    expect(found.code).to.equal('FTP1309');
    expect(found.notes?.[0]).to.match(/index/);
  });

  it('is not changed by being looked at', () => {
    const state = () =>
      execFileSync('git', ['-C', work.path, 'status', '--porcelain=v2', '--branch'], { encoding: 'utf8' });
    const before = state();
    const repository = open('HEAD');
    repository.tracked(['pipe.ftp', 'nothing']);
    expect(repository.renamedFrom('pipe.ftp')).to.equal(undefined);
    expect(state()).to.equal(before);
  });

  it('asks of more files than fit on a command line', () => {
    const names = Array.from({ length: 1200 }, (_, index) => `${'long'.repeat(40)}${index}`);
    expect([...open('HEAD').tracked([...names, 'pipe.ftp', ':(glob)**', '*.md'])]).to.deep.equal([
      'pipe.ftp',
    ]);
  });
});
