import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { headline } from '../../../src/tools/review/render/headline.js';
import { noGit, PIPELINE, pipelineRepository, rowsText, type Working, workingFolder } from './repository.js';

describe(`a pipeline against a commit${noGit === undefined ? '' : ` (skipped: ${noGit})`}`, () => {
  let work: Working;
  before(function () {
    if (noGit !== undefined) this.skip();
  });
  beforeEach(() => {
    work = pipelineRepository();
  });
  afterEach(() => work.remove());

  it('has no change where nothing changed', async () => {
    const { comparison, diagnostics } = await work.against();
    expect(diagnostics).to.deep.equal([]);
    expect(comparison.changed).to.equal(false);
    expect(comparison.stages.map(({ status, reruns }) => [status, reruns])).to.deep.equal(
      new Array(5).fill(['unchanged', false]),
    );
    expect(comparison).to.deep.include({ totals: [], budget: [], notes: [], isNew: false, valid: true });
    expect(headline(comparison)).to.deep.equal(['no change']);
  });

  it('has no change where text was laid out again, values written otherwise, or defaults written out', async () => {
    work.edit(
      'pipe.ftp',
      'split = { train: 80%, valid: 10%, test: 10% }',
      'split = {\n  test: 10%, // a comment\n  valid: 10%,\n  train: 80% }',
    );
    work.edit('pipe.ftp', 'max_length = 128tok', 'max_length=128tok\n  loss_on = assistant');
    work.edit('pipe.ftp', '= 5e-3', '= 0.005');
    work.edit('pipe.ftp', 'require peak_memory <= 1GiB', 'require peak_memory<=1024MiB');
    work.edit('pipe.ftp', 'require perplexity < 100', 'require (perplexity) < (100)');
    const { comparison } = await work.against();
    expect(comparison.changed, JSON.stringify(comparison.stages)).to.equal(false);
  });

  it('has no change where stages, presets and files only have other names', async () => {
    work.edit('pipe.ftp', 'train adapter', 'train tuned');
    work.edit('pipe.ftp', 'model = adapter.best', 'model = tuned.best');
    work.edit('pipe.ftp', 'adapter = adapter.best', 'adapter = tuned.best');
    work.edit('pipe.ftp', 'data rows', 'data facts');
    work.edit('pipe.ftp', 'from = rows', 'from = facts');
    work.edit('pipe.ftp', 'prompt.md', 'system.md');
    work.edit('presets.ftp', 'ranks', 'small');
    work.edit('pipe.ftp', '{ ranks }', '{ small }');
    work.edit('pipe.ftp', 'lora, ranks', 'lora, small');
    renameSync(join(work.path, 'prompt.md'), join(work.path, 'system.md'));
    renameSync(join(work.path, 'data/a.jsonl'), join(work.path, 'data/b.jsonl'));
    work.git('add', '-A');
    const { comparison, stage } = await work.against();
    expect(comparison.changed, JSON.stringify(comparison)).to.equal(false);
    expect(stage('tuned').renamedFrom).to.equal('adapter');
    expect(stage('facts').renamedFrom).to.equal('rows');
  });

  it('says which settings changed, who set them, what reruns and through which stages', async () => {
    work.edit('presets.ftp', 'rank: 2', 'rank: 4');
    work.edit('pipe.ftp', 'Number = 5e-3', 'Number = 2e-2');
    work.edit('pipe.ftp', 'epochs: 2', 'epochs: 3');
    work.edit('pipe.ftp', 'require perplexity < 100', 'require perplexity < 90');
    const { comparison, stage } = await work.against();
    expect(stage('adapter').settings).to.deep.equal([
      {
        path: 'lora.rank',
        before: '2',
        after: '4',
        from: 'preset',
        preset: { preset: 'ranks', module: 'presets.ftp' },
      },
      { path: 'optimizer.rate', before: '0.005', after: '0.02', from: 'param' },
      { path: 'stop.epochs', before: '2', after: '3', from: 'author' },
    ]);
    expect(stage('quality').requires).to.deep.equal({
      added: ['perplexity < 90'],
      removed: ['perplexity < 100'],
    });
    expect(comparison.stages.map(({ name, reruns, because }) => [name, reruns, because])).to.deep.equal([
      ['rows', false, []],
      ['dialogs', false, []],
      ['adapter', true, []],
      ['quality', true, ['adapter']],
      ['fused', true, ['adapter']],
    ]);
    expect(stage('adapter').reasons.map(({ path }) => path)).to.include('settings.lora.rank');
    const figures = Object.fromEntries(
      stage('adapter').figures.map((one) => [one.figure, [one.before, one.after]]),
    );
    expect(figures['steps']).to.deep.equal([12, 18]);
    expect(figures['trainableParameters']).to.deep.equal([1856, 3712]);
    expect(figures).to.include.keys('tokensSeen', 'totalParameters').and.not.include.keys('rows');
    expect(headline(comparison)[0]).to.match(
      /^3 of 5 stages rerun, 3 settings changed, 1 requirement changed/,
    );
    // what lints newly say counts too: this rate is as far out of range as the one before
    expect(comparison.diagnostics.added.map(({ code }) => code)).to.include('FTP1001');
  });

  it('sees rows that were changed, added and taken away, with the numbers of both sides', async () => {
    work.write('data/b.jsonl', rowsText(40, 'who'));
    work.commit();
    rmSync(join(work.path, 'data/b.jsonl'));
    work.write('data/a.jsonl', rowsText(61));
    work.write('data/c.jsonl', rowsText(10, 'when'));
    work.git('add', 'data/c.jsonl');
    const { stage, comparison } = await work.against();
    expect(stage('rows').reasons.map(({ code, path }) => [code, path])).to.deep.equal([
      ['file_changed', 'data/a.jsonl'],
      ['file_removed', 'data/b.jsonl'],
      ['file_added', 'data/c.jsonl'],
    ]);
    expect(stage('rows').figures[0]).to.deep.equal({ figure: 'rows', before: 100, after: 71 });
    expect(stage('fused')).to.deep.include({ reruns: true, because: ['adapter'], reasons: [] });
    expect(comparison.stages.every(({ reruns }) => reruns === true)).to.equal(true);
    expect(comparison.notes).to.deep.equal([]);
  });

  it('sees a prompt and a module that changed', async () => {
    work.write('prompt.md', 'Answer at length, please.');
    work.edit('presets.ftp', 'alpha: 4', 'alpha: 8');
    const { stage } = await work.against();
    expect(stage('dialogs').settings.map(({ path }) => path)).to.deep.equal(['template.system']);
    expect(stage('dialogs').settings[0]?.after).to.match(/^file\("prompt.md"\) sha256:[0-9a-f]{12}$/);
    expect(stage('dialogs').figures.map(({ figure }) => figure)).to.include('tokens');
    expect(stage('adapter').settings.map(({ path }) => path)).to.deep.equal(['lora.alpha']);
  });

  it('takes rows that git does not know from the working tree, and says so', async () => {
    work.write('.gitignore', 'data/big.jsonl\n');
    work.commit();
    work.write('data/big.jsonl', rowsText(30, 'how'));
    work.write('data/loose.jsonl', rowsText(5, 'why'));
    const { comparison } = await work.against();
    expect(comparison.changed).to.equal(false);
    expect(comparison.notes).to.deep.equal([
      { kind: 'untracked', files: ['data/big.jsonl', 'data/loose.jsonl'] },
    ]);
  });

  it('shows stages that are new and gone', async () => {
    work.edit('pipe.ftp', /merge fused \{[^}]*\}\n/, '');
    work.edit(
      'pipe.ftp',
      'budget machine',
      'eval again {\n  model = adapter.last\n  dataset = dialogs.valid\n  metrics = [perplexity]\n}\n\nbudget machine',
    );
    const { comparison, stage } = await work.against();
    expect(stage('again').status).to.equal('added');
    expect(stage('fused').status).to.equal('removed');
    expect(headline(comparison)[0]).to.equal('1 new stage, 1 stage gone, nothing reruns');
  });

  it('takes a stage that was renamed and changed for the same, and one of another kind for another', async () => {
    work.edit('pipe.ftp', 'eval quality', 'eval judged');
    work.edit('pipe.ftp', 'metrics = [perplexity]', 'metrics = [perplexity]\n  samples = 3');
    work.edit(
      'pipe.ftp',
      'merge fused {\n  base = local("model")\n  adapter = adapter.best\n}',
      'eval fused {\n  model = adapter.best\n  dataset = dialogs.all\n  metrics = [perplexity]\n}',
    );
    const { comparison, stage } = await work.against();
    expect(stage('judged')).to.deep.include({ renamedFrom: 'quality', status: 'changed' });
    expect(
      comparison.stages.filter(({ name }) => name === 'fused').map(({ kind, status }) => [kind, status]),
    ).to.deep.equal([
      ['eval', 'added'],
      ['merge', 'removed'],
    ]);
  });

  it('holds budgets: broken, kept, new, gone; times are those of no machine', async () => {
    work.edit('pipe.ftp', '<= 1GiB', '<= 1MiB');
    work.edit('pipe.ftp', '  require wall_time <= 1h\n', '');
    const { comparison } = await work.against();
    expect(comparison.budget).to.deep.equal([
      { require: 'peak_memory <= 1GiB', holds: true, change: 'removed' },
      { require: 'peak_memory <= 1MiB', holds: false, change: 'added' },
      { require: 'wall_time <= 1h', holds: null, change: 'removed' },
    ]);
    expect(headline(comparison)[0]).to.match(/^1 budget is broken, /);
  });

  it('follows a pipeline that was renamed, and takes one that was not there for new', async () => {
    mkdirSync(join(work.path, 'sub'));
    work.git('mv', 'pipe.ftp', 'sub/moved.ftp');
    for (const name of ['model', 'data', 'presets.ftp', 'prompt.md']) work.git('mv', name, `sub/${name}`);
    const moved = await work.against({ file: 'sub/moved.ftp' });
    expect(moved.comparison.changed, JSON.stringify(moved.comparison.stages)).to.equal(false);
    expect(moved.comparison.notes).to.deep.equal([{ kind: 'renamed', from: 'pipe.ftp' }]);
    work.write(
      'sub/other.ftp',
      PIPELINE.replace('data rows', 'data others').replace('from = rows', 'from = others'),
    );
    const fresh = await work.against({ file: 'sub/other.ftp' });
    expect(fresh.comparison).to.deep.include({
      isNew: true,
      changed: true,
      base: { kind: 'ref', ref: 'HEAD', file: null },
    });
    expect(headline(fresh.comparison)[0]).to.equal('new pipeline, 5 stages');
  });

  it('says where the earlier pipeline had errors, and takes all for new', async () => {
    work.edit('pipe.ftp', 'max_length = 128tok', 'max_lenth = 128tok');
    work.commit();
    work.edit('pipe.ftp', 'max_lenth', 'max_length');
    const { comparison, diagnostics } = await work.against();
    expect(diagnostics.map(({ code, severity }) => [code, severity])).to.deep.equal([['FTP1305', 'warning']]);
    expect(diagnostics[0]?.notes?.[0]).to.contain('max_lenth');
    expect(comparison).to.include({ isNew: true, changed: true });
    expect(headline(comparison)[0]).to.equal('everything counts as new, 5 stages');
  });

  it('leaves a parameter out that the earlier pipeline does not have', async () => {
    work.edit('pipe.ftp', 'param rate', 'param passes: Number = 2\nparam rate');
    work.edit('pipe.ftp', 'epochs: 2', 'epochs: passes');
    const { comparison, stage } = await work.against({ params: { passes: '3', rate: '1e-3' } });
    expect(comparison.notes).to.deep.equal([{ kind: 'unknown_param', name: 'passes' }]);
    expect(stage('adapter').settings).to.deep.equal([
      { path: 'stop.epochs', before: '2', after: '3', from: 'param' },
    ]);
  });

  it('shows what the new plan finds wrong, and what it no longer does', async () => {
    work.edit('pipe.ftp', 'import { perplexity }', 'import { perplexity, rouge_l }');
    const { comparison } = await work.against();
    expect(comparison.diagnostics.added.map(({ code }) => code)).to.have.lengthOf(1);
    work.commit();
    work.edit('pipe.ftp', ', rouge_l', '');
    const back = await work.against();
    expect(back.comparison.diagnostics.removed).to.deep.equal(comparison.diagnostics.added);
  });

  it('takes one stage of a matrix for the stage that was there, and the others for new', async () => {
    work.edit('pipe.ftp', 'param rate: Number = 5e-3', 'matrix rate: Number = [5e-3, 2e-4]');
    const { comparison } = await work.against();
    expect(
      comparison.stages.map(({ name, status, renamedFrom }) => [name, status, renamedFrom]),
    ).to.deep.include.members([
      ['rows', 'unchanged', undefined],
      ['adapter@rate=0.005', 'unchanged', 'adapter'],
      ['adapter@rate=2e-4', 'added', undefined],
    ]);
    expect(comparison.diagnostics).to.deep.equal({ added: [], removed: [] });
  });

  it('plans both sides for the machine that is asked for, and names no other', async () => {
    const { comparison } = await work.against({
      machine: { machine: 'rtx3090', memoryBytes: 2 ** 33, devices: 2 },
    });
    expect(comparison.machine).to.deep.equal({ name: 'rtx3090', memoryBytes: 2 ** 33, devices: 2 });
    const here = await work.against({ machine: {} });
    expect(here.comparison.machine).to.deep.equal({ name: null, memoryBytes: null, devices: null });
    expect(JSON.stringify(here.comparison)).to.not.contain(work.path);
  });

  it('says the same again, whatever runs have left behind', async () => {
    work.edit('presets.ftp', 'rank: 2', 'rank: 4');
    const first = JSON.stringify((await work.against()).comparison);
    work.write('.ftp/speed.json', '{"x":{"flopsPerSecond":1}}');
    work.write('.ftp/store/nothing/stage.json', '{}');
    expect(JSON.stringify((await work.against()).comparison)).to.equal(first);
  });

  it('works from a folder below, in a worktree, and with what hooks set', async () => {
    work.remove();
    work = pipelineRepository('deep/er');
    work.edit('deep/er/presets.ftp', 'rank: 2', 'rank: 4');
    const root = await work.against({ file: 'deep/er/pipe.ftp' });
    const below = await work.against({ cwd: join(work.path, 'deep/er') });
    expect(below.comparison.pipeline).to.equal('deep/er/pipe.ftp');
    expect(below.comparison.stages).to.deep.equal(root.comparison.stages);
    const tree = workingFolder();
    work.git('worktree', 'add', '-q', join(tree.path, 'tree'), 'HEAD');
    const other = workingFolder(join(tree.path, 'tree'));
    other.edit('deep/er/presets.ftp', 'rank: 2', 'rank: 4');
    process.env['GIT_DIR'] = join(work.path, 'nowhere');
    try {
      const found = await other.against({ file: 'deep/er/pipe.ftp' });
      expect(found.comparison.stages).to.deep.equal(root.comparison.stages);
    } finally {
      delete process.env['GIT_DIR'];
      tree.remove();
    }
  });

  it('follows links to files that changed, and links that changed', async () => {
    work.write('kept/one.jsonl', rowsText(12, 'one'));
    work.write('kept/two.jsonl', rowsText(15, 'two'));
    symlinkSync('../kept/one.jsonl', join(work.path, 'data/link.jsonl'));
    work.commit();
    work.write('kept/one.jsonl', rowsText(14, 'one'));
    const target = await work.against();
    expect(target.stage('rows').figures[0]).to.deep.equal({ figure: 'rows', before: 72, after: 74 });
    work.git('checkout', '-q', '.');
    rmSync(join(work.path, 'data/link.jsonl'));
    symlinkSync('../kept/two.jsonl', join(work.path, 'data/link.jsonl'));
    const link = await work.against();
    expect(link.stage('rows').figures[0]).to.deep.equal({ figure: 'rows', before: 72, after: 75 });
  });

  it('reads what Git LFS kept, and sees a change of what was not fetched', async () => {
    const { createHash } = await import('node:crypto');
    const earlier = rowsText(20, 'large');
    const sha256 = createHash('sha256').update(earlier).digest('hex');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${earlier.length}\n`;
    work.write('data/large.jsonl', pointer);
    work.commit();
    work.write('data/large.jsonl', rowsText(25, 'large'));
    const absent = await work.against();
    expect(absent.diagnostics.map(({ code }) => code)).to.deep.equal(['FTP1307']);
    expect(absent.stage('rows').reasons.map(({ code, path }) => [code, path])).to.deep.equal([
      ['file_changed', 'data/large.jsonl'],
    ]);
    expect(absent.comparison.stages.every(({ reruns }) => reruns === true)).to.equal(true);
    work.write(`.git/lfs/objects/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`, earlier);
    const kept = await work.against();
    expect(kept.diagnostics).to.deep.equal([]);
    expect(kept.stage('rows').figures[0]).to.deep.equal({ figure: 'rows', before: 80, after: 85 });
  });

  it('says that a submodule is another commit', async () => {
    const module = workingFolder();
    module.git('init', '-q', '-b', 'main');
    module.write('rows.jsonl', rowsText(10, 'sub'));
    module.commit();
    work.git('submodule', '--quiet', 'add', module.path, 'corpus');
    work.edit('pipe.ftp', 'jsonl("data/*.jsonl")', 'jsonl("corpus/*.jsonl")');
    work.commit();
    const inside = workingFolder(join(work.path, 'corpus'));
    inside.write('rows.jsonl', rowsText(20, 'sub'));
    inside.commit();
    const { diagnostics, comparison } = await work.against();
    module.remove();
    expect(diagnostics.map(({ code, message }) => [code, message])).to.deep.equal([
      ['FTP1308', 'the submodule `corpus` is at a different commit than at `HEAD`'],
    ]);
    expect(comparison.changed).to.equal(false);
  });

  it('gives the same words for a copy of the repository elsewhere', async () => {
    work.edit('presets.ftp', 'rank: 2', 'rank: 4');
    const here = await work.against();
    const copy = workingFolder();
    cpSync(work.path, join(copy.path, 'copy'), { recursive: true });
    const there = await workingFolder(join(copy.path, 'copy')).against();
    copy.remove();
    expect(there.comparison).to.deep.equal(here.comparison);
  });
});
