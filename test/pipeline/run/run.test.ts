import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { brokenBudgets } from '../../../src/pipeline/planner/budget-diagnostics.js';
import { runPipeline } from '../../../src/pipeline/run/run.js';
import { layoutIn, readJournal, takeLock } from '../../../src/pipeline/store/index.js';
import { binary, metric, value } from '../../helpers/expressions.js';
import { calm, emptyPlan, freshFolder, program, recorder, request, span } from './worlds.js';

describe('a run', () => {
  it('begins with run.started, ends with run.finished, and journals both', async () => {
    const cwd = freshFolder();
    const seen = recorder();
    const { status, runId } = await runPipeline(
      request(cwd, { program: program(cwd), plan: emptyPlan(), diagnostics: [] }),
      seen,
      calm,
    );
    expect(status).to.equal('done');
    expect(seen.types()).to.deep.equal(['run.started', 'run.finished']);
    const journal = readJournal(layoutIn(cwd), runId).map(({ at, ...event }) => event);
    expect(journal).to.deep.equal(seen.events);
    expect(existsSync(join(cwd, '.ftp/lock'))).to.equal(false);
    expect(readdirSync(cwd)).to.deep.equal(['.ftp']);
  });

  it('fails with the diagnostics of a program that does not compile', async () => {
    const cwd = freshFolder();
    const seen = recorder();
    const diagnostics = [
      { code: 'FTP0301', severity: 'error' as const, message: 'no stage has this name', at: span },
    ];
    const { status } = await runPipeline(request(cwd, { diagnostics }), seen, calm);
    expect(status).to.equal('failed');
    expect(seen.types()).to.deep.equal(['run.started', 'diagnostic', 'run.finished']);
    expect(seen.codes()).to.deep.equal(['FTP0301']);
  });

  it('runs nothing where the plan does not keep a budget', async () => {
    const cwd = freshFolder();
    const seen = recorder();
    const budget = [
      { require: 'peak_memory <= 1GiB', value: 2e9, limit: 1e9, unit: 'bytes' as const, holds: false },
    ];
    const condition = binary(metric('peak_memory'), '<=', value(2 ** 30));
    const budgets = [
      { name: 'machine', settings: {}, span, requires: [{ text: 'peak_memory <= 1GiB', condition, span }] },
    ];
    const { status } = await runPipeline(
      request(cwd, {
        program: program(cwd, { budgets }),
        plan: emptyPlan({
          budget,
          diagnostics: brokenBudgets({ budgets }, { stages: [], budget, wouldHelp: new Map() }),
        }),
        diagnostics: [],
      }),
      seen,
      calm,
    );
    expect(status).to.equal('budget_exceeded');
    expect(seen.codes()).to.deep.equal(['FTP0825']);
    expect(seen.diagnostics[0]).to.deep.include({ at: span });
    expect(seen.diagnostics[0]?.message).to.contain('1.86 GiB');
    expect(seen.events.at(-1)).to.deep.include({ status: 'budget_exceeded', stages: [] });
  });

  it('holds the measured time against the budget as well', async () => {
    const cwd = freshFolder();
    const seen = recorder();
    const condition = binary(metric('wall_time'), '<=', value(0));
    const budgets = [
      { name: 'machine', settings: {}, span, requires: [{ text: 'wall_time <= 0s', condition, span }] },
    ];
    const { status } = await runPipeline(
      request(cwd, { program: program(cwd, { budgets }), plan: emptyPlan(), diagnostics: [] }),
      seen,
      calm,
    );
    expect(status).to.equal('budget_exceeded');
    expect(seen.codes()).to.deep.equal(['FTP0823']);
  });

  it('refuses while another run is at work, and leaves that run alone', async () => {
    const cwd = freshFolder();
    const lock = await takeLock(layoutIn(cwd), 'other', Date.now);
    const seen = recorder();
    const { status } = await runPipeline(
      request(cwd, { program: program(cwd), plan: emptyPlan(), diagnostics: [] }),
      seen,
      calm,
    );
    expect(status).to.equal('failed');
    expect(seen.types()).to.deep.equal(['run.started', 'diagnostic', 'run.finished']);
    expect(seen.diagnostics[0]?.message).to.contain(`process ${process.pid}`);
    expect(existsSync(join(cwd, '.ftp/lock'))).to.equal(true);
    expect(existsSync(join(cwd, '.ftp/runs'))).to.equal(false);
    lock.release();
  });

  it('releases the lock and reports run.finished when a bug ends it', async () => {
    const cwd = freshFolder();
    const seen = recorder();
    const broken = request(cwd, { diagnostics: [] }, { prepare: () => Promise.reject(new Error('a bug')) });
    let message = '';
    await runPipeline(broken, seen, calm).catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.equal('a bug');
    expect(seen.events.at(-1)).to.deep.include({ type: 'run.finished', status: 'failed' });
    expect(existsSync(join(cwd, '.ftp/lock'))).to.equal(false);
  });
});
