import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { ftpc } from '../../tools/cli/folders.js';
import { writePipeline } from './pipelines.js';
import { finish, type Line } from './processes.js';
import { freshFolder } from './worlds.js';

const root = nodeHost().packageFolder;
const valid = (name: string) =>
  new Ajv2020({ allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(join(root, 'docs/schema', `${name}.json`), 'utf8')),
  );

const summaries = (lines: readonly Line[]) =>
  (lines.at(-1)?.['stages'] ?? []) as readonly {
    readonly name: string;
    readonly status: string;
    readonly outputs: Readonly<Record<string, string>>;
    readonly metrics: Readonly<Record<string, number>>;
  }[];

/** The tiny pipeline over two rates, with its gate open at every loss. */
function writeMatrix(cwd: string): void {
  writePipeline(cwd, { steps: 2, gate: '< 1000000' });
  const file = join(cwd, 'tiny.ftp');
  const text = readFileSync(file, 'utf8')
    .replace('\ndata rows', '\nmatrix rate: Number = [5e-3, 1e-3]\n\ndata rows')
    .replace('adamw(rate: 5e-3)', 'adamw(rate: rate)');
  writeFileSync(file, text);
}

describe('a run over a matrix', () => {
  const cwd = freshFolder();
  let first: ReturnType<typeof summaries> = [];

  it('is planned stage by stage', async () => {
    writeMatrix(cwd);
    const { code, out } = await ftpc(cwd, ['plan', 'tiny.ftp', '--parallel', '2', '--json']);
    expect(code).to.equal(0);
    const plan = JSON.parse(out);
    const fits = valid('plan');
    expect(fits(plan), JSON.stringify(fits.errors)).to.equal(true);
    const adapters = plan.stages.filter(({ kind }: { kind: string }) => kind === 'train');
    expect(adapters.map(({ name, instance }: Line) => [name, instance])).to.deep.equal([
      ['adapter@rate=0.005', { of: 'adapter', at: { rate: 5e-3 } }],
      ['adapter@rate=0.001', { of: 'adapter', at: { rate: 0.001 } }],
    ]);
    expect(plan.parallel).to.deep.include({ stages: 2, by: 'option' });
    const [one, other] = adapters.map(({ peak }: { peak: { bytes: number } }) => peak.bytes);
    expect(plan.parallel.peakBytes).to.be.at.least(one + other);
    expect(plan.parallel.peakBytes).to.be.at.most(plan.parallel.memoryBytes);
    expect(plan.totals.peakBytes).to.be.below(one + other);
    expect(plan.diagnostics.map(({ code }: Line) => code)).to.include('FTP0412');
  });

  it('trains and evaluates each, at once, on rows that are made once', async () => {
    const { code, lines, err } = await finish(cwd, ['run', 'tiny.ftp', '--parallel', '2', '--json']);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    first = summaries(lines);
    expect(first.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'rows done',
      'dialogs done',
      'adapter@rate=0.005 done',
      'adapter@rate=0.001 done',
      'quality@rate=0.005 done',
      'quality@rate=0.001 done',
      'fused@rate=0.005 done',
      'fused@rate=0.001 done',
    ]);
    const at = (type: string, stage: string): number =>
      lines.findIndex((line) => line.type === type && line['stage'] === stage);
    const [one, other] = ['adapter@rate=0.005', 'adapter@rate=0.001'] as const;
    expect(at('stage.started', other)).to.be.above(at('stage.started', one));
    expect(at('stage.started', other)).to.be.below(at('stage.finished', one));
    expect(lines.at(-1)?.type).to.equal('run.finished');
    const fits = valid('events');
    for (const line of lines) expect(fits(line), JSON.stringify(fits.errors)).to.equal(true);
    const [fast = Number.NaN, slow = Number.NaN] = ['quality@rate=0.005', 'quality@rate=0.001'].map(
      (name) => first.find((stage) => stage.name === name)?.metrics['perplexity'],
    );
    // Two steps at five times the rate get further.
    expect(fast).to.be.below(slow);
    const report = readdirSync(join(cwd, '.ftp/runs')).map((run) =>
      join(cwd, '.ftp/runs', run, 'report.html'),
    );
    expect(
      report.filter(existsSync).some((path) => readFileSync(path, 'utf8').includes('adapter@rate=0.001')),
    ).to.equal(true);
  });

  it('takes the chosen one from the store, and publishes it', async () => {
    const { code, lines } = await finish(cwd, ['run', 'tiny.ftp', '-p', 'rate=5e-3', '--json']);
    expect(code).to.equal(0);
    expect(summaries(lines).map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'rows cached',
      'dialogs cached',
      'adapter cached',
      'quality cached',
      'fused cached',
      'local done',
    ]);
    const outputs = (stages: typeof first, name: string) =>
      stages.find((stage) => stage.name === name)?.outputs;
    expect(outputs(summaries(lines), 'adapter')).to.deep.equal(outputs(first, 'adapter@rate=0.005'));
  });
});
