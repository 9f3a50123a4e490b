import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import {
  csv,
  metricsTable,
  metricsText,
  plot,
  query,
  seriesOf,
  VIEWS,
} from '../../../src/tools/insight/metrics/index.js';
import { readRuns } from '../../../src/tools/insight/runs/index.js';
import { expectGolden } from '../../helpers/golden.js';
import { folderWithRuns, RUNS } from './folders.js';

const GOLDEN = 'test/tools/insight/golden';

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof UserError) return error.diagnostic.code;
    throw error;
  }
  return 'none';
}

describe('metrics of runs', () => {
  const folder = folderWithRuns();
  const runs = readRuns(folder.host);

  it('are in one table, with runs below each other or side by side', () => {
    const few = metricsTable(runs, ['quality.rouge_l', 'perplexity']);
    expect(few.metrics).to.deep.equal([
      'quality.perplexity',
      'quality.rouge_l',
      'quality.baseline.perplexity',
    ]);
    expectGolden(
      `${GOLDEN}/metrics.txt`,
      `${[...metricsText(few, 200, PLAIN), '', ...metricsText(metricsTable(runs), 72, PLAIN)].join('\n')}\n`,
    );
  });

  it('are named as the runs have them', async () => {
    expect(await codeOf(() => metricsTable(runs, ['rouge']))).to.equal('FTP1510');
    expect(await codeOf(() => seriesOf(runs, 'los'))).to.equal('FTP1510');
  });

  it('are drawn by step and by run', () => {
    const loss = seriesOf(runs, 'loss');
    // The last run stands on the adapter of the first.
    expect(loss.series.map(({ name }) => name)).to.deep.equal(RUNS.slice(0, 3).map((id) => `${id} adapter`));
    expect(loss.series.map(({ points }) => points.length)).to.deep.equal([46, 46, 6]);
    const rouge = seriesOf(runs, 'quality.rouge_l');
    expect(rouge.series[0]?.points.map(({ x }) => x)).to.deep.equal([1, 2, 4]);
    const drawn = [loss, rouge].map(({ series, xName }) => plot(series, xName, 72, PLAIN).join('\n'));
    expectGolden(`${GOLDEN}/plots.txt`, `${drawn.join('\n\n')}\n`);
  });

  it('are drawn where there is little to draw', () => {
    expect(plot([], 'x', 80, PLAIN)).to.deep.equal([]);
    expect(plot([{ name: 'a', points: [{ x: 1, y: Number.NaN }] }], 'x', 80, PLAIN)).to.deep.equal([]);
    const one = plot([{ name: 'a', points: [{ x: 1, y: 0 }] }], 'x', 80, PLAIN);
    expect(one.join('\n')).to.contain('●');
    expect(Math.max(...one.map((line) => line.length))).to.be.at.most(80);
  });

  it('are written as CSV', () => {
    expect(
      csv([
        ['a', 'b,c'],
        [1, null],
        ['say "hi"', 'two\nlines'],
        [true, { x: 1 }],
      ]),
    ).to.equal('a,"b,c"\n1,\n"say ""hi""","two\nlines"\ntrue,"{""x"":1}"');
  });
});

describe('SQL over runs', () => {
  const folder = folderWithRuns();
  const runs = readRuns(folder.host);

  it('sees what the journals say', async () => {
    const { columns, rows } = await query(
      runs,
      `select run, count(*) as steps, round(min(steps.loss), 3) as lowest, any_value(value) as rate
       from steps join settings using (run, stage)
       where setting = 'settings.optimizer.rate' group by run order by run`,
    );
    expect(columns).to.deep.equal(['run', 'steps', 'lowest', 'rate']);
    expect(rows).to.deep.equal([
      [RUNS[0], 46, 2.146, '0.003'],
      [RUNS[1], 46, 3.174, '0.001'],
      [RUNS[2], 6, 5.244, '0.0005'],
    ]);
  });

  it('has the documented columns in every view', async () => {
    for (const [name, { columns }] of Object.entries(VIEWS)) {
      const found = await query(runs, `select * from "${name}"`);
      expect(found.columns, name).to.deep.equal(Object.keys(columns));
      expect(found.rows.length, name).to.be.above(0);
    }
  });

  it('answers with what JSON can say', async () => {
    const { columns, rows } = await query(
      runs.slice(0, 1),
      "select 'nan'::double as x, 9007199254740993 as y, 7::bigint as z, started, [1, 2] as l, 1 as x, true as b from runs",
    );
    expect(new Set(columns).size).to.equal(columns.length);
    expect(rows[0]).to.deep.equal([null, '9007199254740993', 7, '2026-11-25 09:03:47.201', [1, 2], 1, true]);
  });

  const outside: readonly string[] = [
    "copy runs to 'out.csv'",
    "export database 'out'",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from glob('/*')",
    "attach 'out.db'",
    'install httpfs',
    'load httpfs',
    'set enable_external_access = true',
    'reset lock_configuration',
    "select * from read_json('https://example.com/x.json')",
  ];
  for (const sql of outside)
    it(`cannot reach outside: ${sql}`, async () => {
      expect(await codeOf(() => query(runs.slice(0, 1), sql))).to.equal('FTP1508');
      for (const name of ['out', 'out.csv', 'out.db']) {
        expect(existsSync(name)).to.equal(false);
        expect(existsSync(join(folder.path, name))).to.equal(false);
      }
    });

  for (const sql of [
    '',
    ' ;',
    'select',
    'select * from run',
    'select los from steps',
    'select 1; select 2',
    'selct 1',
  ])
    it(`says what is wrong with: ${sql}`, async () => {
      expect(await codeOf(() => query(runs.slice(0, 1), sql))).to.equal('FTP1507');
    });
});
