import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { runIds } from '../../../src/pipeline/store/index.js';
import { diffRuns, diffText } from '../../../src/tools/insight/diff/index.js';
import { VIEWS } from '../../../src/tools/insight/metrics/views.js';
import {
  damageOf,
  failedLastTime,
  findRun,
  readRun,
  readRuns,
} from '../../../src/tools/insight/runs/index.js';
import { expectGolden } from '../../helpers/golden.js';
import { folderWithRuns, freshFolder, journalOf, RUNS } from './folders.js';
import { expectSchema } from './schemas.js';

const GOLDEN = 'test/tools/insight/golden';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof UserError) return error.diagnostic.code;
    throw error;
  }
  return 'none';
}

describe('runs', () => {
  const folder = folderWithRuns();
  const { host } = folder;

  it('are found by id, by its beginning, and counted back', () => {
    expect(runIds(host)).to.deep.equal(RUNS.toReversed());
    expect(findRun(host, 'latest')).to.equal(RUNS[3]);
    expect(findRun(host, 'latest~0')).to.equal(RUNS[3]);
    expect(findRun(host, 'latest~3')).to.equal(RUNS[0]);
    expect(findRun(host, RUNS[1])).to.equal(RUNS[1]);
    expect(findRun(host, '20261125-0901')).to.equal(RUNS[0]);
    for (const [asked, code] of [
      ['latest~4', 'FTP1504'],
      ['latest~-1', 'FTP1504'],
      ['', 'FTP1504'],
      ['20261125-09', 'FTP1505'],
      ['20261125-090121-3f21', 'FTP1504'],
      ['../../etc', 'FTP1504'],
    ] as const)
      expect(
        codeOf(() => findRun(host, asked)),
        asked,
      ).to.equal(code);
  });

  it('are read with what went in, what came out and every step', () => {
    const run = readRun(host, RUNS[0]);
    expect(run).to.include({ pipeline: 'pipelines/legal.ftp', status: 'done', damage: null });
    expect(run.params).to.deep.equal({ smoke: 'true' });
    expect(run.stages.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'clauses done',
      'dialogs done',
      'adapter done',
      'quality done',
      'fused done',
      'local done',
    ]);
    const adapter = run.stages.find(({ name }) => name === 'adapter');
    expect(adapter?.steps.map(({ step }) => step)).to.deep.equal(
      Array.from({ length: 46 }, (_, index) => index + 1),
    );
    expect(adapter?.parts?.['settings.optimizer.rate']).to.equal('0.003');
    expect(adapter?.key).to.match(/^[0-9a-f]{64}$/);
  });

  it('that were killed are read as far as they go', () => {
    const run = readRun(host, RUNS[2]);
    expect(run.status).to.equal('unfinished');
    expect(run.seconds).to.be.closeTo(2.7, 0.1);
    expect(run.stages.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'clauses cached',
      'dialogs cached',
      'adapter unfinished',
    ]);
    expect(run.stages[2]?.steps).to.have.lengthOf(6);
    expect(readRun(host, RUNS[2], { curves: false }).seconds).to.equal(run.seconds);
  });

  it('are found by the pipeline they ran, the newest first', () => {
    expect(readRuns(host, { last: 2 }).map(({ id }) => id)).to.deep.equal([RUNS[3], RUNS[2]]);
    expect(readRuns(host, { pipeline: './pipelines/legal.ftp' })).to.have.lengthOf(4);
    expect(codeOf(() => readRuns(host, { pipeline: 'other.ftp' }))).to.equal('FTP1503');
    expect(codeOf(() => readRuns(freshFolder().host))).to.equal('FTP1503');
  });

  it('can be compared', () => {
    const diff = diffRuns(readRun(host, RUNS[0]), readRun(host, RUNS[1]));
    expectSchema('diff', diff);
    expectGolden(`${GOLDEN}/two-runs.diff.txt`, `${diffText(diff, PLAIN)}\n`);
    expect(diff.stages.find(({ stage }) => stage === 'adapter')?.changes).to.deep.equal([
      { name: 'settings.optimizer.rate', a: '0.003', b: '0.001' },
    ]);
  });

  it('can be compared with one that was killed, and with themselves', () => {
    const killed = diffRuns(readRun(host, RUNS[1]), readRun(host, RUNS[2]));
    expectSchema('diff', killed);
    expectGolden(`${GOLDEN}/killed.diff.txt`, `${diffText(killed, PLAIN)}\n`);
    const same = diffText(diffRuns(readRun(host, RUNS[0]), readRun(host, RUNS[0])), PLAIN);
    expect(same).to.contain('no inputs differ').and.to.not.contain('Metrics that differ');
  });
});

describe('damaged journals', () => {
  const folder = folderWithRuns();
  const { host } = folder;
  const text = host.readText(join(folder.path, journalOf(RUNS[0])));
  const lines = text.split('\n');
  const write = (content: string) => {
    writeFileSync(join(folder.path, journalOf(RUNS[0])), content);
    return readRun(host, RUNS[0]);
  };

  it('say that their last line was cut off, and show the rest', () => {
    const run = write(text.slice(0, text.indexOf('\n', 20_000) + 40));
    expect(run.damage?.torn).to.equal(true);
    expect(run.status).to.equal('unfinished');
    expect(run.stages[0]).to.include({ name: 'clauses', status: 'done' });
    const [damage] = damageOf(run);
    expect(damage?.message).to.equal('the last line of this journal was cut off');
    expect(damage?.at).to.deep.include({ file: journalOf(RUNS[0]), line: run.damage?.lines[0] });
  });

  it('say which lines cannot be read, and show the rest', () => {
    const run = write(
      [...lines.slice(0, 3), 'garbage', '[1]', '"text"', '\u0000', ...lines.slice(3)].join('\n'),
    );
    expect(run.damage).to.deep.equal({ lines: [4, 5, 6, 7], torn: false });
    expect(run.status).to.equal('done');
    expect(run.stages).to.have.lengthOf(6);
    expect(damageOf(run)[0]?.message).to.equal('4 lines of this journal cannot be read');
  });

  it('are read whatever their values are', () => {
    const run = write(
      `${[
        '{"type":"run.started","pipeline":7,"params":[1],"at":"x"}',
        '{"type":"stage.started","stage":"a","kind":1,"parts":{"x":1,"y":"2"},"reasons":"no"}',
        '{"type":"stage.progress","stage":"a","step":"1","loss":3}',
        '{"type":"stage.progress","stage":"a","step":2,"loss":null}',
        '{"type":"stage.finished","stage":"a","metrics":{"m":"x","n":1e999,"k":1},"outputs":{"o":{}}}',
        '{"type":"stage.finished","stage":{}}',
        '{}',
      ].join('\n')}\n`,
    );
    expect(run).to.include({ pipeline: '', started: null, damage: null, status: 'unfinished' });
    expect(run.stages[0]).to.deep.include({
      parts: { y: '2' },
      metrics: { k: 1 },
      outputs: {},
      reasons: [],
      validations: [],
    });
    expect(run.stages[0]?.steps).to.deep.equal([
      { step: 2, epoch: null, loss: null, learningRate: null, gradNorm: null, tokensPerSecond: null },
    ]);
    expectSchema('diff', diffRuns(run, readRun(host, RUNS[1])));
  });

  it('have what ranks said of their devices', () => {
    const step = (number: number, more: object): string =>
      JSON.stringify({ type: 'stage.progress', stage: 'a', step: number, tokensPerSecond: 800, ...more });
    const ranks = { device: 'cuda', devices: 4, nodes: 2, sharding: 'auto' };
    const memory = [1, 3, 2].map((bytes) => ({ allocated: bytes, reserved: 10 * bytes }));
    const run = write(
      `${[
        JSON.stringify({ type: 'run.started', pipeline: 'p.ftp', engine: 'accelerate', ranks }),
        step(1, { ranks: 8, sharding: 'fsdp', memory }),
        step(2, { ranks: 2, sharding: 'ddp', resident: [5, 7] }),
        step(3, {}),
      ].join('\n')}\n`,
    );
    const columns = (view: 'runs' | 'steps', ...names: readonly string[]) => {
      const all = Object.keys(VIEWS[view]?.columns ?? {});
      return VIEWS[view]?.rows(run).map((row) => names.map((name) => row[all.indexOf(name)]));
    };
    expect(columns('runs', 'engine', 'devices', 'nodes')).to.deep.equal([['accelerate', 8, 2]]);
    const said = [
      'ranks',
      'tokens_per_second_each',
      'sharding',
      'device_memory',
      'device_reserved',
      'rank_memory',
    ];
    expect(columns('steps', ...said)).to.deep.equal([
      [8, 100, 'fsdp', 3, 30, null],
      [2, 400, 'ddp', null, null, 7],
      [1, 800, null, null, null, null],
    ]);
  });

  it('do not drive the terminal', () => {
    const driving = '\u001b]0;title\u0007\u001b[2J';
    const run = write(text.replaceAll('clauses', `a${JSON.stringify(driving).slice(1, -1)}`));
    const shown = diffText(diffRuns(run, readRun(host, RUNS[1])), PLAIN);
    expect(shown).to.contain('a\ufffd').and.to.not.contain('\u001b').and.to.not.contain('\u0007');
  });

  it('are left out where they are empty', () => {
    expect(write('').stages).to.deep.equal([]);
    expect(readRuns(host).map(({ id }) => id)).to.not.include(RUNS[0]);
  });

  it('of an older version have their key from the outputs', () => {
    const older = lines.map((line) => line.replace(/,"key":"[0-9a-f]+","parts":\{.*\}\}$/, '}'));
    const { stages } = write(older.join('\n'));
    expect(stages.every(({ parts }) => parts === null)).to.equal(true);
    expect(stages[2]?.key).to.match(/^[0-9a-f]{64}$/);
    const diff = diffRuns(readRun(host, RUNS[0]), readRun(host, RUNS[1]));
    expect(diff.stages.map(({ sameOutput }) => sameOutput)).to.deep.equal([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('tell which stages failed the last time, but not those that someone ended', () => {
    const head = lines.slice(0, 2);
    const end = (interrupted: boolean): string =>
      JSON.stringify({
        type: 'stage.finished',
        stage: 'clauses',
        status: 'failed',
        ...(interrupted ? { interrupted } : {}),
      });
    folder.write(journalOf('20270101-000000-0000'), `${[...head, end(false)].join('\n')}\n`);
    expect([...failedLastTime(host, 'pipelines/legal.ftp')]).to.deep.equal(['clauses']);
    folder.write(journalOf('20270101-000000-0001'), `${[...head, end(true)].join('\n')}\n`);
    expect([...failedLastTime(host, 'pipelines/legal.ftp')]).to.deep.equal([]);
    expect([...failedLastTime(host, 'other.ftp')]).to.deep.equal([]);
  });
});
