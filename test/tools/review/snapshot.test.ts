import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { MachineChoice } from '../../../src/tools/review/plan-quietly.js';
import {
  againstSnapshot,
  checkAsked,
  type SnapshotRequest,
} from '../../../src/tools/review/snapshot/against-snapshot.js';
import {
  readSnapshot,
  type Snapshot,
  snapshotPath,
  snapshotText,
} from '../../../src/tools/review/snapshot/snapshot.js';
import { expectGolden } from '../../helpers/golden.js';
import { PIPELINE, PRESETS, rowsText, type Working, workingFolder } from './repository.js';

const root = nodeHost().packageFolder;

describe('a snapshot', () => {
  let work: Working;
  beforeEach(() => {
    work = workingFolder();
    cpSync(join(root, 'test/fixtures/evaluation/tiny/base'), join(work.path, 'model'), { recursive: true });
    work.write('pipe.ftp', PIPELINE);
    work.write('presets.ftp', PRESETS);
    work.write('prompt.md', 'Answer briefly.');
    work.write('data/a.jsonl', rowsText(60));
  });
  afterEach(() => work.remove());

  const request = (kept: Snapshot | undefined, parts: Partial<SnapshotRequest> = {}): SnapshotRequest => ({
    host: nodeHost(work.path),
    file: 'pipe.ftp',
    snapshotFile: 'pipe.plan.json',
    kept,
    params: {},
    machine: {},
    ...parts,
  });
  const make = async (kept?: Snapshot, parts: Partial<SnapshotRequest> = {}) => {
    const { made, comparison } = await againstSnapshot(request(kept, parts));
    if (made === undefined || comparison === undefined) throw new Error('the pipeline has errors');
    return { made, comparison };
  };
  const problem = async (work: () => unknown): Promise<UserError['diagnostic']> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic;
      throw error;
    }
    throw new Error('nothing was wrong');
  };
  const read = async () =>
    readSnapshot(nodeHost(work.path), join(work.path, 'pipe.plan.json'), 'pipe.plan.json');

  it('is next to its pipeline', () => {
    expect(snapshotPath('pipelines/legal.ftp')).to.equal('pipelines/legal.plan.json');
    expect(snapshotPath('legal')).to.equal('legal.plan.json');
  });

  it('comes back from its file as it was, and then nothing has changed', async () => {
    const { made, comparison } = await make();
    expect(comparison.isNew).to.equal(true);
    work.write('pipe.plan.json', snapshotText(made));
    const kept = await read();
    expect(kept).to.deep.equal(made);
    const again = await make(kept);
    expect(again.comparison).to.deep.include({ changed: false, isNew: false });
    expect(snapshotText(again.made)).to.equal(snapshotText(made));
  });

  it('is the same on another machine, in another folder, after runs, and at another time', async () => {
    const { made } = await make();
    const other = workingFolder();
    cpSync(work.path, join(other.path, 'elsewhere'), { recursive: true });
    const there = workingFolder(join(other.path, 'elsewhere'));
    there.write('.ftp/store/nothing/stage.json', '{}');
    there.write('.ftp/speed.json', '{"x":{"flopsPerSecond":1}}');
    const small: Host = {
      ...nodeHost(there.path),
      machine: () => ({ name: 'small', cores: 1, load: 0, memoryBytes: 2 ** 28, cpu: 'slow' }),
      now: () => 0,
      clock: () => 0,
    };
    const found = await make(undefined, { host: small });
    other.remove();
    expect(snapshotText(found.made)).to.equal(snapshotText(made));
    expect(snapshotText(made)).to.not.contain(work.path);
  });

  it('says what has changed, with who set it', async () => {
    const { made } = await make();
    work.edit('presets.ftp', 'rank: 2', 'rank: 4');
    work.edit('pipe.ftp', 'require perplexity < 100', 'require perplexity < 90');
    const { comparison } = await make(made);
    const changed = comparison.stages.filter(({ status }) => status === 'changed');
    expect(changed.map(({ name }) => name)).to.deep.equal(['adapter', 'quality']);
    expect(changed[0]?.settings).to.deep.equal([
      {
        path: 'lora.rank',
        before: '2',
        after: '4',
        from: 'preset',
        preset: { preset: 'ranks', module: 'presets.ftp' },
      },
    ]);
    expect(changed[0]?.reruns).to.equal(null);
    expect(changed[1]?.requires).to.deep.equal({ added: ['perplexity < 90'], removed: ['perplexity < 100'] });
  });

  it('takes a setting that a later version has, and nobody set, for no change', async () => {
    const { made } = await make();
    const older: Snapshot = {
      ...made,
      stages: made.stages.map((stage) => {
        const { order: _, ...settings } = stage.settings;
        return { ...stage, settings };
      }),
    };
    expect((await make(older)).comparison.changed).to.equal(false);
    work.edit('pipe.ftp', 'batch = { global: 8 }', 'batch = { global: 8 }\n  order = file');
    expect((await make(older)).comparison.stages[2]?.settings.map(({ path }) => path)).to.deep.equal([
      'order',
    ]);
  });

  it('sees rows that changed by their number, and a prompt by its digest', async () => {
    const { made } = await make();
    work.write('data/a.jsonl', rowsText(61));
    work.write('prompt.md', 'Answer in a word.');
    const { comparison } = await make(made);
    expect(comparison.stages[0]?.figures[0]).to.deep.equal({ figure: 'rows', before: 60, after: 61 });
    expect(comparison.stages[1]?.settings.map(({ path }) => path)).to.deep.equal(['template.system']);
  });

  it('takes a stage under another name, and another layout, for no change', async () => {
    const { made } = await make();
    work.edit('pipe.ftp', 'train adapter', 'train tuned');
    work.edit('pipe.ftp', 'model = adapter.best', 'model = tuned.best // here');
    work.edit('pipe.ftp', 'adapter = adapter.best', 'adapter = tuned.best');
    const { comparison } = await make(made);
    expect(comparison.changed, JSON.stringify(comparison.stages)).to.equal(false);
  });

  it('is made for the budget, a named machine, or a size, and stays so', async () => {
    expect((await make()).made.machine).to.deep.equal({ kind: 'budget' });
    const named: MachineChoice = { machine: 'rtx3090', devices: 2 };
    const { made } = await make(undefined, { machine: named });
    expect(made.machine).to.deep.equal({ kind: 'catalogue', name: 'rtx3090', devices: 2 });
    expect((await make(made)).made.machine).to.deep.equal(made.machine);
    const sized = await make(made, { machine: { memoryBytes: 2 ** 31 } });
    expect(sized.made.machine).to.deep.equal({ kind: 'memory', memoryBytes: 2 ** 31 });
    work.edit('pipe.ftp', /budget machine \{[^}]*\}\n/, '');
    expect((await make()).made.machine).to.deep.equal({ kind: 'catalogue', name: 'cpu-8gib' });
  });

  it('plans with just what the budget allows', async () => {
    work.write('data/a.jsonl', rowsText(60, 'what '.repeat(20)));
    work.edit('pipe.ftp', 'batch = { global: 8 }', 'batch = { global: 32 }');
    const trained = ({ stages }: Snapshot) => stages.find(({ kind }) => kind === 'train');
    const wide = trained((await make(undefined, { machine: { machine: 'cpu-8gib' } })).made);
    const limit = wide?.figures.peakMiB ?? 0;
    work.edit('pipe.ftp', 'peak_memory <= 1GiB', `peak_memory <= 2GiB and ${limit}MiB >= peak_memory`);
    const { made } = await make();
    expect(wide?.chosen['batch.micro']).to.equal('32');
    // the upper end of the plan's interval has to fit too
    expect(Number(trained(made)?.chosen['batch.micro'])).to.be.below(32);
    expect(trained(made)?.figures.peakMiB).to.be.below(limit);
  });

  it('keeps the parameters that it was made with', async () => {
    const { made } = await make(undefined, { params: { rate: '1e-3' } });
    expect(made.params).to.deep.equal({ rate: '1e-3' });
    expect((await make(made)).comparison.changed).to.equal(false);
    expect((await make(made)).made.stages[2]?.settings['optimizer.rate']).to.equal('0.001');
  });

  it('is not compared with other parameters or another machine', async () => {
    const { made } = await make(undefined, { params: { rate: '1e-3' }, machine: { machine: 'cpu-8gib' } });
    const ask = (parts: Partial<SnapshotRequest>) => problem(() => checkAsked(request(made, parts)));
    const params = await ask({ params: { rate: '2e-3' } });
    expect([params.code, params.notes]).to.deep.equal(['FTP1313', ['it was made with `-p rate=1e-3`']]);
    const machine = await ask({ machine: { machine: 'cpu-4gib' } });
    expect([machine.code, machine.notes]).to.deep.equal(['FTP1314', ['it was made for cpu-8gib']]);
    checkAsked(request(made, { params: { rate: '1e-3' }, machine: { machine: 'cpu-8gib' } }));
  });

  it('says what is wrong with a file that is none', async () => {
    expect((await problem(read)).code).to.equal('FTP1310');
    const good = snapshotText((await make()).made);
    for (const [text, code, message, line] of [
      ['', 'FTP1311', 'it is not JSON', undefined],
      ['{\n  "version": 1,\n  oops\n}', 'FTP1311', 'it is not JSON', 3],
      [`<<<<<<< HEAD\n${good}`, 'FTP1311', 'merge conflict markers', undefined],
      [good.replace('"version": 1', '"version": 2'), 'FTP1312', 'version 2', undefined],
      [good.replace('"version": 1', '"version": 0'), 'FTP1312', 'version 0', undefined],
      [good.replace('"version": 1,', ''), 'FTP1311', 'version', undefined],
      [
        good.replace('"rows": 60', '"rows": "many"'),
        'FTP1311',
        '`stages[0].figures.rows` must be a count, not "many"',
        undefined,
      ],
      ['[]', 'FTP1311', 'it has no `version`', undefined],
      ['null', 'FTP1311', 'it must be an object', undefined],
      [
        good.replace('"rows": 60', '"row": 60'),
        'FTP1311',
        '`stages[0].figures` has `row`, which is not known',
        undefined,
      ],
    ] as const) {
      work.write('pipe.plan.json', text);
      const found = await problem(read);
      expect([found.code, found.message], text).to.satisfy(
        ([id, said]: [string, string]) => id === code && said.includes(message),
      );
      if (line !== undefined) expect(found.at, text).to.include({ file: 'pipe.plan.json', line });
    }
  });
});

describe('snapshots of this repository', () => {
  const folder = join(root, 'pipelines');
  const files = readdirSync(folder).filter((name) => name.endsWith('.plan.json'));

  it('are there', () => {
    expect(files).to.include('legal.plan.json');
  });

  for (const name of files)
    it(`${name} is what the pipeline comes to (UPDATE_GOLDEN=1 writes it)`, async () => {
      const file = `pipelines/${name.replace('.plan.json', '.ftp')}`;
      expect(existsSync(join(root, file))).to.equal(true);
      const host = nodeHost(root);
      const kept = readSnapshot(host, join(folder, name), `pipelines/${name}`);
      const found = await againstSnapshot({
        host,
        file,
        snapshotFile: `pipelines/${name}`,
        kept,
        params: {},
        machine: {},
      });
      if (found.made === undefined) throw new Error('the pipeline has errors');
      if (process.env['UPDATE_GOLDEN'] === '1') expectGolden(`pipelines/${name}`, snapshotText(found.made));
      else expect(found.comparison?.changed, JSON.stringify(found.comparison, null, 2)).to.equal(false);
    });
});
