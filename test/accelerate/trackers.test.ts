/** What trackers were given, read by their own Python packages: a Python that has them is named by `FTPC_PYTHON`. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { RunEvent } from '../../src/language/ir/events.js';
import { layoutIn, openJournal } from '../../src/pipeline/store/index.js';
import { deliverPending, keepSpool, type Tracking } from '../../src/tools/track/index.js';
import { freshFolder } from '../pipeline/run/worlds.js';

const PYTHON = process.env['FTPC_PYTHON'] || 'python3';
const SCRIPT = join(nodeHost().packageFolder, 'test/fixtures/trackers/read_back.py');
const KEY = 'c'.repeat(64);
const RUN = '20260101-000000-0001';
const STEPS = 400;

const has = (module: string): boolean =>
  spawnSync(PYTHON, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;

/** A test that says why it is left out where Python lacks a package. */
const withPackage = (module: string, title: string, test: () => Promise<void>): void => {
  if (has(module)) it(title, test);
  else it.skip(`${title} (not run: \`${PYTHON}\` has no \`${module}\`)`, () => {});
};

const readBack = (...words: readonly string[]) =>
  JSON.parse(
    execFileSync(PYTHON, [SCRIPT, ...words], {
      encoding: 'utf8',
      maxBuffer: 1e8,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );

const lossAt = (step: number): number => 3 / (1 + step);

/** A run of a training, from one step to another, and then what was measured. */
function journal(cwd: string, runId: string, from: number, to: number): void {
  let at = 1_767_225_600_000 + from * 1000;
  const file = openJournal(layoutIn(cwd), runId, () => at++);
  const events: RunEvent[] = [
    {
      type: 'run.started',
      version: 1,
      runId,
      pipeline: 'legal.ftp',
      engine: 'embedded',
      runtime: 'onnx',
      ftpc: '0',
    },
    {
      type: 'stage.started',
      stage: 'adapter',
      kind: 'train',
      action: 'run',
      reasons: [],
      key: KEY,
      parts: { 'settings.optimizer.rate': '0.001' },
    },
    ...Array.from({ length: to - from + 1 }, (_, index): RunEvent => {
      const step = from + index;
      const loss = lossAt(step);
      return {
        type: 'stage.progress',
        stage: 'adapter',
        done: step,
        total: STEPS,
        unit: 'steps',
        step,
        loss,
      };
    }),
    { type: 'validation', stage: 'adapter', step: to, loss: 0.25, best: true },
    {
      type: 'stage.finished',
      stage: 'adapter',
      kind: 'train',
      status: to === STEPS ? 'done' : 'failed',
      seconds: 1,
      peakMemoryBytes: 1,
      outputs: {},
      metrics: { valid_loss: 0.25 },
    },
  ];
  for (const event of events) file.append(event);
  file.close();
}

/** Given to a tracker after each of two runs, of which the second did some steps again. */
async function given(
  tracking: Pick<Tracking, 'tracker' | 'args'>,
): Promise<{ readonly cwd: string; readonly where: string }> {
  const cwd = freshFolder();
  let where = '';
  for (const [runId, from, to] of [
    [RUN, 1, 250],
    ['20260102-000000-0001', 201, STEPS],
  ] as const) {
    journal(cwd, runId, from, to);
    keepSpool(nodeHost(cwd), {
      version: 1,
      runId,
      pipeline: 'legal.ftp',
      trackings: [{ ...tracking, stage: 'adapter', state: 'pending' }],
      planned: { adapter: '| planned | |\n| --- | --- |\n| steps | 400 |' },
    });
    const after = await deliverPending(nodeHost(cwd), { limit: 120_000 });
    const last = after.at(-1)?.trackings[0];
    expect(last?.problem).to.equal(undefined);
    where = last?.where ?? '';
  }
  return { cwd, where };
}

const steps = Array.from({ length: STEPS }, (_, index) => index + 1);

describe('trackers read what they were given', () => {
  withPackage('tensorboard', 'TensorBoard: curves, notes and times', async () => {
    const { where } = await given({ tracker: 'tensorboard', args: { folder: 'runs' } });
    const { scalars, texts } = readBack('tensorboard', where);
    const curve: readonly [number, number, number][] = scalars['train/loss'];
    expect(curve.map(([step]) => step)).to.deep.equal(steps);
    for (const [step, value] of curve) expect(value).to.equal(Math.fround(lossAt(step)));
    expect(scalars['valid/loss'].map(([step]: [number]) => step)).to.deep.equal([250, STEPS]);
    expect(scalars['final/valid_loss'].at(-1).slice(0, 2)).to.deep.equal([STEPS, 0.25]);
    expect(texts['plan/text_summary']).to.include('| steps | 400 |');
    expect(texts['settings/text_summary']).to.include('optimizer.rate');
  });

  withPackage('wandb.sdk.internal.datastore', 'wandb: an offline run', async () => {
    const { where } = await given({ tracker: 'wandb', args: { project: 'legal', folder: 'wandb' } });
    const { run, history, summary, exit } = readBack('wandb', join(where, `run-${KEY.slice(0, 16)}.wandb`));
    expect(run).to.include({ project: 'legal', id: KEY.slice(0, 16) });
    expect(run.config['optimizer.rate']).to.equal('0.001');
    expect(history.map(({ step }: { step: number }) => step)).to.deep.equal(steps);
    expect(history[9]).to.include({ 'train/loss': lossAt(10), _step: 10 });
    expect(summary['final/valid_loss']).to.equal(0.25);
    expect(exit).to.equal(0);
  });

  withPackage('mlflow.server', 'MLflow: a run of a server', async () => {
    const server = await mlflowServer();
    try {
      await given({ tracker: 'mlflow', args: { uri: server.uri, experiment: 'legal' } });
      const { runs } = readBack('mlflow', server.uri, 'legal');
      expect(runs, 'one run, of two of ftpc').to.have.length(1);
      const { metrics, params, status, tags, files } = runs[0];
      expect(metrics['train/loss'].map(([step]: [number]) => step)).to.deep.equal(steps);
      for (const [step, value] of metrics['train/loss']) expect(value).to.equal(lossAt(step));
      expect(params['optimizer.rate']).to.equal('0.001');
      expect(status).to.equal('FINISHED');
      expect(tags['ftpc.key']).to.equal(KEY);
      expect(files).to.include('plan.md');
    } finally {
      server.end();
    }
  });
});

async function mlflowServer(): Promise<{ readonly uri: string; end(): void }> {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
  const words = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const store = ['--backend-store-uri', 'sqlite:///mlflow.db', '--artifacts-destination', './artifacts'];
  const server: ChildProcess = spawn(PYTHON, ['-m', 'mlflow', 'server', ...words, ...store], {
    cwd: freshFolder(),
    stdio: 'ignore',
    detached: true,
  });
  const uri = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`${uri}/health`).catch(() => undefined);
    if (answer?.ok === true) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return {
    uri,
    end: () => {
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
    },
  };
}
