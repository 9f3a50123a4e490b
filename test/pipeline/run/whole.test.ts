import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ftpc } from '../../tools/cli/folders.js';
import { writePipeline } from './pipelines.js';
import { finish, type Line, stageProcess, start } from './processes.js';
import { freshFolder } from './worlds.js';

interface Summary {
  readonly name: string;
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
}

const summaries = (lines: readonly Line[]): Readonly<Record<string, Summary>> =>
  Object.fromEntries(
    ((lines.at(-1)?.['stages'] ?? []) as readonly Summary[]).map((stage) => [stage.name, stage]),
  );

const adapterDigest = (cwd: string, stage: Summary | undefined): string =>
  createHash('sha256')
    .update(readFileSync(join(cwd, stage?.outputs['last'] ?? '', 'adapter_model.safetensors')))
    .digest('hex');

describe('a whole pipeline', () => {
  let whole = '';
  let first: Readonly<Record<string, Summary>> = {};
  before(async () => {
    whole = freshFolder();
    writePipeline(whole, { steps: 6 });
    const { lines, code, err } = await finish(whole);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    first = summaries(lines);
    const steps = lines.filter((line) => line.type === 'stage.progress' && line['step'] !== undefined);
    expect(steps.map((line) => line['step'])).to.deep.equal([1, 2, 3, 4, 5, 6]);
    for (const step of steps)
      expect(step).to.include.keys(
        'loss',
        'learningRate',
        'gradNorm',
        'tokensPerSecond',
        'epoch',
        'done',
        'total',
      );
  });

  it('goes from rows to a release, and does nothing twice', async () => {
    expect(Object.values(first).map(({ status }) => status)).to.deep.equal(Array(6).fill('done'));
    expect(first['local']?.outputs['release']).to.equal('releases/tiny/0001');
    expect(
      existsSync(join(whole, first['adapter']?.outputs['adapter'] ?? '', 'adapter_config.json')),
    ).to.equal(true);
    expect(existsSync(join(whole, first['fused']?.outputs['model'] ?? '', 'config.json'))).to.equal(true);
    expect(readdirSync(join(whole, '.ftp/work'))).to.deep.equal([]);
    const { lines, code } = await finish(whole);
    expect(code).to.equal(0);
    expect(Object.values(summaries(lines)).map(({ status }) => status)).to.deep.equal(
      Array(6).fill('cached'),
    );
  });

  it('writes a report with curves, intervals and answers', () => {
    const [run] = readdirSync(join(whole, '.ftp/runs')).sort();
    const page = readFileSync(join(whole, '.ftp/runs', run ?? '', 'report.html'), 'utf8');
    for (const text of [
      'Learning rate',
      'Gradient norm',
      'perplexity',
      'baseline',
      'Answers',
      'plan ÷ measured',
      'rows dropped',
    ])
      expect(page, text).to.contain(text);
    expect(page).to.not.contain('NaN');
  });

  it('lists, verifies and answers with the release, and publishes it again where it was taken away', async () => {
    const listed = await ftpc(whole, ['releases', 'releases/tiny', '--verify', '--json']);
    expect(listed.code).to.equal(0);
    expect(JSON.parse(listed.out).releases).to.have.lengthOf(1);
    const asked = await ftpc(whole, ['generate', 'releases/tiny', 'x?', '--max-tokens', '3', '--json']);
    expect(JSON.parse(asked.out)).to.include({ version: 1, answerTokens: 3, reason: 'length' });
    const back = await ftpc(whole, ['rollback', 'releases/tiny']);
    expect(back.code).to.equal(1);
    expect(back.err).to.contain('FTP0744').and.to.not.contain('    at ');
    appendFileSync(join(whole, 'releases/tiny/0001/config.json'), ' ');
    const again = await finish(whole);
    expect(summaries(again.lines)['local']).to.deep.include({ status: 'done' });
    expect(summaries(again.lines)['local']?.outputs['release']).to.equal('releases/tiny/0002');
    expect(again.lines.filter(({ type }) => type === 'diagnostic').map(({ code }) => code)).to.deep.equal([
      'FTP1440',
    ]);
    rmSync(join(whole, 'releases'), { recursive: true });
    const { lines } = await finish(whole);
    expect(summaries(lines)['local']?.status).to.equal('done');
    expect(existsSync(join(whole, 'releases/tiny/current/config.json'))).to.equal(true);
  });

  it('stops at a closed gate with exit code 3, and evaluates no second time', async () => {
    writePipeline(whole, { steps: 6, gate: '< 1.01' });
    const { lines, code } = await finish(whole);
    expect(code).to.equal(3);
    expect(lines.at(-1)?.['status']).to.equal('gate_failed');
    const found = summaries(lines);
    expect([found['quality']?.status, found['fused']?.status, found['local']?.status]).to.deep.equal([
      'failed',
      'cached',
      'blocked',
    ]);
    expect(found['quality']?.metrics).to.include.keys('perplexity', 'baseline.perplexity');
    const [gate] = lines.filter(({ type }) => type === 'diagnostic');
    expect(gate?.['code']).to.equal('FTP0822');
    expect(
      lines.find((line) => line.type === 'stage.started' && line['stage'] === 'quality')?.['action'],
    ).to.equal('cached');
  });

  it('publishes once a requirement is loosened that kept the gate closed', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 2, gate: '< 1.01' });
    expect((await finish(cwd)).code).to.equal(3);
    writePipeline(cwd, { steps: 2, gate: '< 1e9' });
    const { lines, code } = await finish(cwd);
    expect(code).to.equal(0);
    const found = summaries(lines);
    expect([found['quality']?.status, found['local']?.status]).to.deep.equal(['cached', 'done']);
    const run = readdirSync(join(cwd, '.ftp/runs')).sort().at(-1) ?? '';
    const page = readFileSync(join(cwd, '.ftp/runs', run, 'report.html'), 'utf8');
    expect(page).to.contain('perplexity &lt; 1e9').and.to.not.contain('perplexity &lt; 1.01');
  });

  it('resumes from a checkpoint after the process of the stage was killed, and ends with the same bytes @long', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 6 });
    const running = start(cwd, ['run', 'tiny.ftp', '--json', '--retries', '0']);
    await running.until(({ type }) => type === 'checkpoint.saved');
    process.kill(stageProcess(cwd), 'SIGKILL');
    await running.ended;
    expect(readdirSync(join(cwd, '.ftp/work'))).to.have.lengthOf(1);
    const { lines, code } = await finish(cwd);
    expect(code).to.equal(0);
    const begun = lines.filter(({ type }) => type === 'stage.started').map((line) => line['action']);
    expect(begun).to.deep.equal(['cached', 'cached', 'resume', 'run', 'run', 'run']);
    expect(adapterDigest(cwd, summaries(lines)['adapter'])).to.equal(adapterDigest(whole, first['adapter']));
  });

  it('saves its state when it is interrupted @long', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 6 });
    const running = start(cwd);
    await running.until((line) => line.type === 'stage.progress' && line['step'] === 3);
    running.process.kill('SIGINT');
    expect((await running.ended).signal).to.equal('SIGINT');
    const saved = running.lines.filter(({ type }) => type === 'checkpoint.saved');
    expect(Number(saved.at(-1)?.['step'])).to.be.within(3, 6);
    const { lines } = await finish(cwd);
    expect(adapterDigest(cwd, summaries(lines)['adapter'])).to.equal(adapterDigest(whole, first['adapter']));
  });
});
