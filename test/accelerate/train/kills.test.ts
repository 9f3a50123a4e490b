/** Kills of ranks, of the stage's process and of the run, at moments that differ each time: what is trained is the same. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { writePipeline } from '../../pipeline/run/pipelines.js';
import { type Line, type Running, stageProcess, start } from '../../pipeline/run/processes.js';
import { freshFolder } from '../../pipeline/run/worlds.js';
import { PYTHON, withPython } from '../python.js';
import { killRank, ranksIn, untilGone } from './rank-processes.js';

const STEPS = 40;
const KILLS = Number(process.env['FTPC_KILLS'] ?? 4);

const TRAIN = `
train adapter {
  base = local("model")
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: 2, alpha: 4, dropout: 10% }
  optimizer = adamw(rate: 5e-3)
  batch = { global: 8, micro: 2 }
  stop = { steps: ${STEPS}, epochs: 1000 }
  checkpoint = { every: 3steps, keep: 2 }
}
`;

function pipeline(using = ''): string {
  const cwd = freshFolder();
  writePipeline(cwd);
  const train = using === '' ? TRAIN : TRAIN.replace('train adapter', `train adapter using ${using}`);
  appendFileSync(join(cwd, 'tiny.ftp'), using === '' ? train : train.replace(/ {2}lora = .*\n/, ''));
  return cwd;
}

const run = (
  cwd: string,
  devices: number,
  sharding: string,
  env: Readonly<Record<string, string>> = {},
  limit?: string,
): Running => {
  const engine = ['--engine', 'accelerate', '--python', PYTHON ?? '', '--devices', String(devices)];
  const shared = devices === 1 ? [] : ['--sharding', sharding];
  // one thread each: several ranks and this process share the cores
  const words = ['run', 'tiny.ftp', '--json', '--retries', '0', '--threads', '1', ...engine, ...shared];
  return start(cwd, words, env, limit);
};

/** The trained tensors, as bytes. */
function bytesOf(cwd: string, lines: readonly Line[]): string {
  const finished = lines.find(({ type, stage }) => type === 'stage.finished' && stage === 'adapter');
  const { last = '' } = (finished?.['outputs'] ?? {}) as { readonly last?: string };
  const file = openSafetensors(nodeHost(), join(cwd, last, 'adapter_model.safetensors'));
  return [...file.tensors.values()].map((entry) => Buffer.from(file.read(entry)).toString('base64')).join();
}

const isStep =
  (least: number) =>
  ({ type, stage, step }: Line): boolean =>
    type === 'stage.progress' && stage === 'adapter' && Number(step) >= least;

const VICTIMS: Readonly<Record<string, (running: Running, cwd: string, turn: number) => void>> = {
  rank: (_, cwd, turn) => killRank(cwd, turn),
  'process of the stage': (_, cwd) => process.kill(stageProcess(cwd), 'SIGKILL'),
  run: ({ process: parent }) => void parent.kill('SIGKILL'),
};

withPython('a training on ranks', () => {
  if (process.platform !== 'linux') return;
  let undisturbed = '';
  before(async () => {
    const cwd = pipeline();
    const running = run(cwd, 2, 'ddp');
    const { code, err } = await running.ended;
    expect(code, err + JSON.stringify(running.lines.slice(-3))).to.equal(0);
    undisturbed = bytesOf(cwd, running.lines);
  });

  it(`ends with the same bytes after ${KILLS} kills, and leaves no process behind`, async () => {
    const cwd = pipeline();
    mkdirSync(join(cwd, '.ftp'), { recursive: true });
    const victims = Object.keys(VICTIMS);
    for (let turn = 0; turn < KILLS; turn++) {
      const victim = victims[turn % victims.length] ?? '';
      const running = run(cwd, 2, 'ddp');
      await running.until(isStep(1 + Math.floor((turn * STEPS) / (KILLS + 1))));
      await sleep(Math.random() * 200);
      VICTIMS[victim]?.(running, cwd, turn);
      const { code, err } = await running.ended;
      expect(code, `${victim}: ${err}`).to.not.equal(0);
      await untilGone(cwd);
    }
    const running = run(cwd, 2, 'ddp');
    const { code, err } = await running.ended;
    expect(code, err).to.equal(0);
    expect(bytesOf(cwd, running.lines)).to.equal(undisturbed);
  });

  it('finds a rank that was stopped, and goes on from the checkpoint', async () => {
    const cwd = pipeline();
    const first = run(cwd, 2, 'ddp', { FTPC_RANK_SILENCE: '20' });
    await first.until(isStep(5));
    process.kill(ranksIn(cwd)[1] ?? 0, 'SIGSTOP');
    expect((await first.ended).code).to.equal(1);
    const [diagnostic] = first.lines.filter(({ type }) => type === 'diagnostic');
    expect(diagnostic).to.include({ code: 'FTP1891' });
    expect(diagnostic?.['message']).to.contain('was stopped (SIGSTOP)');
    await untilGone(cwd);
    const second = run(cwd, 2, 'ddp');
    expect((await second.ended).code).to.equal(0);
    expect(bytesOf(cwd, second.lines)).to.equal(undisturbed);
  });

  it('says that no space is left, and goes on once there is', async () => {
    const cwd = pipeline('full');
    // the weights of a checkpoint are written, and the state of its optimiser is too long
    const first = run(cwd, 2, 'ddp', {}, 'ulimit -f 300');
    expect((await first.ended).code).to.equal(1);
    const [diagnostic] = first.lines.filter(({ type }) => type === 'diagnostic');
    expect(diagnostic, JSON.stringify(first.lines.slice(-3))).to.include({ code: 'FTP0801' });
    await untilGone(cwd);
    expect((await run(cwd, 2, 'ddp').ended).code).to.equal(0);
  });

  it('saves on SIGTERM, says so, and goes on', async () => {
    const cwd = pipeline();
    const first = run(cwd, 2, 'ddp');
    await first.until(isStep(5));
    first.process.kill('SIGTERM');
    await first.ended;
    expect(first.lines.at(-1)).to.include({ type: 'run.finished', status: 'interrupted' });
    expect(first.lines.some(({ code }) => code === 'FTP0816')).to.equal(false);
    const reached = Math.max(...first.lines.filter(isStep(1)).map(({ step }) => Number(step)));
    const second = run(cwd, 2, 'ddp');
    expect((await second.ended).code).to.equal(0);
    expect(second.lines.find(isStep(1))?.['step']).to.equal(reached + 1);
    expect(
      second.lines.find(({ type, stage }) => type === 'stage.started' && stage === 'adapter'),
    ).to.include({
      action: 'resume',
    });
    expect(bytesOf(cwd, second.lines)).to.equal(undisturbed);
  });
});
