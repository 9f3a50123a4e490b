import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { junit, readTests, runTests, type TestRunner } from '../../../src/tools/pipeline-tests/index.js';
import { overlayHost } from '../../helpers/overlay-host.js';
import { freshFolder } from '../cli/folders.js';

const root = nodeHost().packageFolder;
const cases = join(root, 'test/tools/pipeline-tests/cases');

describe('expectations', () => {
  let folder = '';
  before(() => {
    folder = freshFolder();
  });

  /** Really planned; nothing is run. */
  const runner = (): TestRunner => ({
    clock: () => performance.now(),
    stopped: () => false,
    run: () => Promise.reject(new Error('nothing is run here')),
    plan: async ({ program }, { engine: _, ...settings }) => {
      if (program === undefined) return { diagnostics: [] };
      const made = await plan(program, nodeHost(folder), settings);
      return { plan: made, diagnostics: made.diagnostics };
    },
  });

  /** What a test with these lines comes to: the message, label and notes of each failure. */
  const outcome = async (...lines: readonly string[]) => {
    const text = `edition 2026\nparam most: Bytes = 2GiB\ntest "it" {\n${lines.join('\n')}\n}\n`;
    const file = readTests(overlayHost(cases, { 'pipeline.test.ftp': text }), 'pipeline.test.ftp');
    expect(file.diagnostics.map(({ message }) => message)).to.deep.equal([]);
    const { tests } = await runTests(file, runner(), { runs: false });
    const [test] = tests;
    return {
      status: test?.status,
      said: test?.diagnostics.map(({ code, message, label, notes }) => [
        code,
        message,
        label,
        ...(notes ?? []),
      ]),
    };
  };

  it('hold or do not hold of a plan', async () => {
    const held = await outcome(
      '  machine = "cpu-8gib"',
      '  with = { rank: 4 }',
      '  expect plan.valid and plan.within_budget and plan.machine == "cpu-8gib" and plan.memory == 8GiB',
      '  expect plan.peak_memory < most and plan.peak_memory / most < 50% and plan.disk > 0',
      '  expect plan.rows.rows == 20 and plan.rows.kind == "data" and plan.rows.action == run',
      '  expect plan.adapter.chosen.method == lora and plan.adapter.chosen.rank == 4 and plan.adapter.steps == 3steps',
      '  expect plan.adapter.settings.lora.rank == program.adapter.lora.rank',
      '  expect plan.adapter.trainable_parameters / plan.adapter.total_parameters < 5%',
      '  expect program.adapter.optimizer == adamw and program.adapter.optimizer.rate == 2e-4',
      '  expect program.adapter.optimizer.schedule.warmup == 3% and program.rows.limit == none',
      '  expect program.quality.model == "adapter.best" and program.stages == 4',
      '  expect plan.wall_time == none and not plan.reports("FTP0701") and -plan.peak_memory < 0',
      '  expect plan.valid ? plan.peak_memory > 1MiB : false',
    );
    expect(held).to.deep.equal({ status: 'passed', said: [] });
  });

  it('show the values of their parts, and only of those that were looked at', async () => {
    const { status, said } = await outcome(
      '  machine = "cpu-8gib"',
      '  with = { smoke: true }',
      '  expect program.rows.limit * 2 == 21',
      '  expect program.rows.limit == 11 or program.adapter.optimizer.schedule.warmup == 5%',
      '  expect plan.adapter.chosen.method == qlora and plan.peak_memory < 1MiB',
      '  expect not plan.valid',
      '  expect plan.adapter.steps >= 1000steps',
      '  expect plan.memory < most',
      '  expect program.adapter.optimizer.schedule.warmup == 0.03 and program.adapter.optimizer.schedule.warmup == 3steps',
    );
    expect(status).to.equal('failed');
    expect(said).to.deep.equal([
      [
        'FTP1201',
        '`program.rows.limit * 2 == 21` does not hold',
        'is false',
        'program.rows.limit     = 10',
        'program.rows.limit * 2 = 20',
      ],
      [
        'FTP1201',
        '`program.rows.limit == 11 or program.adapter.optimizer.schedule.warmup == 5%` does not hold',
        'is false',
        'program.rows.limit                              = 10',
        'program.rows.limit == 11                        = false',
        'program.adapter.optimizer.schedule.warmup       = 3%',
        'program.adapter.optimizer.schedule.warmup == 5% = false',
      ],
      [
        'FTP1201',
        '`plan.adapter.chosen.method == qlora and plan.peak_memory < 1MiB` does not hold',
        'is false',
        'plan.adapter.chosen.method          = lora',
        'plan.adapter.chosen.method == qlora = false',
      ],
      ['FTP1201', '`not plan.valid` does not hold', 'is false', 'plan.valid = true'],
      [
        'FTP1201',
        '`plan.adapter.steps >= 1000steps` does not hold',
        'is false',
        'plan.adapter.steps = 2steps',
      ],
      [
        'FTP1201',
        '`plan.memory < most` does not hold',
        'is false',
        'plan.memory = 8GiB',
        'most        = 2GiB',
      ],
      [
        'FTP1201',
        '`program.adapter.optimizer.schedule.warmup == 0.03 and program.adapter.optimizer.schedule.warmup == 3steps` does not hold',
        'is false',
        'program.adapter.optimizer.schedule.warmup           = 3%',
        'program.adapter.optimizer.schedule.warmup == 0.03   = true',
        'program.adapter.optimizer.schedule.warmup == 3steps = false',
      ],
    ]);
  });

  it('are not satisfied by what is not known, nor by its opposite', async () => {
    const { status, said } = await outcome(
      '  machine = "cpu-8gib"',
      '  expect plan.wall_time < 1h',
      '  expect not (plan.wall_time >= 1h)',
      '  expect plan.wall_time == none',
    );
    expect(status).to.equal('failed');
    const unknown = [
      'FTP1202',
      '`plan.wall_time` is not known',
      'the plan does not predict it',
      'plan.wall_time = none',
    ];
    expect(said).to.deep.equal([unknown, unknown]);
  });

  it('can refer to errors of the pipeline', async () => {
    const host = overlayHost(root, {
      'bad.ftp': 'edition 2026\nbudget b { require peak_memory <= 8 }\n',
      'bad.test.ftp':
        'edition 2026\ntest "expected" { expect program.reports("FTP0302") and not plan.valid }\ntest "not" { expect plan.b.rows > 5 }\n',
    });
    const { tests } = await runTests(readTests(host, 'bad.test.ftp'), runner(), { runs: false });
    expect(tests.map(({ status }) => status)).to.deep.equal(['passed', 'failed']);
    expect(tests[1]?.diagnostics.map(({ code, label }) => [code, label])).to.deep.equal([
      ['FTP1202', 'the pipeline has errors'],
      ['FTP0302', 'a bare number'],
    ]);
  });

  it('appear in a JUnit report', () => {
    const span = { file: 'a.test.ftp', start: 0, end: 1 };
    const test = { file: 'a.test.ftp', span, seconds: 0.0126, expectations: 1, diagnostics: [] };
    const failure = { code: 'FTP1201', severity: 'error', message: '`a < "b"` & \u001b[31mred' } as const;
    const broken = { code: 'FTP1203', severity: 'error', message: 'no name' } as const;
    const text = junit(
      [
        {
          file: 'a.test.ftp',
          diagnostics: [],
          tests: [
            { ...test, name: 'passes', status: 'passed' },
            { ...test, name: 'fails <x>', status: 'failed', diagnostics: [failure] },
            { ...test, name: 'skipped', status: 'skipped' },
          ],
        },
        { file: 'b.test.ftp', diagnostics: [broken], tests: [] },
      ],
      { hostname: 'here', began: Date.UTC(2026, 0, 2, 3, 4, 5, 678), text: ({ message }) => message },
    );
    expect(text).to.equal(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
<testsuite name="a.test.ftp" package="" id="0" timestamp="2026-01-02T03:04:05" hostname="here" tests="3" failures="1" errors="0" skipped="1" time="0.038">
<properties/>
<testcase classname="a.test.ftp" name="passes" time="0.013"/>
<testcase classname="a.test.ftp" name="fails &lt;x&gt;" time="0.013">
<failure message="\`a &lt; &quot;b&quot;\` &amp; [31mred" type="FTP1201">\`a &lt; &quot;b&quot;\` &amp; [31mred</failure>
</testcase>
<testcase classname="a.test.ftp" name="skipped" time="0.013">
<skipped/>
</testcase>
<system-out/>
<system-err/>
</testsuite>
<testsuite name="b.test.ftp" package="" id="1" timestamp="2026-01-02T03:04:05" hostname="here" tests="1" failures="0" errors="1" skipped="0" time="0.000">
<properties/>
<testcase classname="b.test.ftp" name="b.test.ftp" time="0.000">
<error message="no name" type="FTP1203">no name</error>
</testcase>
<system-out/>
<system-err/>
</testsuite>
</testsuites>
`);
  });
});
