import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Program, Stage } from '../../../src/language/ir/program.js';
import { wentBack } from '../../../src/pipeline/planner/went-back.js';

describe('trainings that diverged in their last run', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-went-back-'));
    const run = join(folder, '.ftp/runs/20261129-161221-c8c2');
    mkdirSync(run, { recursive: true });
    const recovery = (from_step: number) => ({
      ...{ type: 'recovery', stage: 'adapter', cause: 'training has diverged: …' },
      change: { rate: '50%', from_step },
    });
    const lines = [
      { type: 'run.started', version: 1, pipeline: 'p.ftp' },
      { type: 'stage.started', stage: 'adapter', action: 'run', parts: { 'settings.optimizer': 'adamw' } },
      { type: 'recovery', stage: 'adapter', cause: 'out of memory', change: { microBatch: 1 } },
      ...[recovery(100), recovery(120)],
    ];
    writeFileSync(join(run, 'journal.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const told = (optimizer: string, divergence: unknown) => {
    const stage = {
      ...{ kind: 'train', name: 'adapter', span: { file: 'p.ftp', start: 0, end: 1 } },
      settings: {
        optimizer: { call: 'adamw', args: { rate: 2e-4 } },
        watch: { divergence },
      } as unknown as Stage['settings'],
      ...{ origins: {}, requires: [], inputs: [] },
    } as const satisfies Stage;
    const program = { file: 'p.ftp', stages: [stage] } as unknown as Program;
    const keys = new Map([['adapter', { key: 'k', parts: { 'settings.optimizer': optimizer } }]]);
    return wentBack({ program, host: nodeHost(folder), keys });
  };
  const recover = { call: 'recover', args: { rate: 0.5, times: 2 } };

  it('are told with the rate that was left', () => {
    const [found, ...others] = told('adamw', recover);
    expect(others).to.deep.equal([]);
    expect(found?.code).to.equal('FTP0858');
    expect(found?.message).to.equal(
      '`adapter` diverged in its last run and went back twice: 25% of its rate were left',
    );
    expect(found?.notes?.map((note) => note.split(':')[0])).to.deep.equal([
      'back to step 100',
      'back to step 120',
    ]);
    expect(found?.help).to.include('`rate: 0.00005`');
  });

  it('are told that it was not enough', () => {
    const run = join(folder, '.ftp/runs/20261129-161221-c8c2/journal.jsonl');
    const end = (more: object): void =>
      appendFileSync(
        run,
        `${JSON.stringify({ type: 'stage.finished', stage: 'adapter', status: 'failed', ...more })}\n`,
      );
    end({ interrupted: true });
    expect(told('adamw', recover)[0]?.help).to.include('`rate: 0.00005`');
    end({});
    expect(told('adamw', recover)[0]?.help).to.equal(
      'it diverged with what was left, too: write a far lower rate, such as `rate: 0.000005`',
    );
    // it may have failed for another reason where it could have gone back once more
    expect(told('adamw', { ...recover, args: { rate: 0.5, times: 3 } })[0]?.help).to.include(
      '`rate: 0.00005`',
    );
  });

  it('are not once the file has another rate, or asks for no recovery', () => {
    expect(told('another', recover)).to.deep.equal([]);
    expect(told('adamw', 'stop')).to.deep.equal([]);
  });
});
