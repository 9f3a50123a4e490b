import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RunEvent } from '../../../src/language/ir/events.js';
import type { Search, Stage } from '../../../src/language/ir/program.js';
import type { RunContext, StageOutcome, StagePlan } from '../../../src/pipeline/run/run-context.js';
import { runStages } from '../../../src/pipeline/run/scheduler.js';
import type { Trials } from '../../../src/pipeline/run/trials.js';
import { openStore, type StoreEntry } from '../../../src/pipeline/store/index.js';
import { calm, freshFolder, recorder, span } from './worlds.js';

const TRIALS = 4;
const RUNG = 10;

const search: Search = {
  name: 'best',
  span,
  method: 'halving',
  by: { stage: 'quality', port: 'perplexity' },
  factor: 2,
  training: 'adapter',
  trials: Array.from({ length: TRIALS }, (_, trial) => ({
    at: { rate: trial },
    stages: { adapter: `adapter@${trial}`, quality: `quality@${trial}` },
  })),
};

const planOf = (
  kind: 'train' | 'eval',
  name: string,
  inputs: readonly string[],
  rungs?: readonly number[],
) => {
  const stage: Stage = { kind, name, settings: {}, origins: {}, requires: [], inputs, span };
  const load = { name, key: name, after: inputs, memoryBytes: 1, computes: true };
  return { stage, key: name, parts: {}, reasons: [], load, ...(rungs === undefined ? {} : { rungs }) };
};

const plans: readonly StagePlan[] = search.trials.flatMap((_, trial) => [
  planOf('train', `adapter@${trial}`, [], [RUNG]),
  planOf('eval', `quality@${trial}`, [`adapter@${trial}`]),
]);

/** Trainings of 20 steps that validate every 5, with a loss of their own; `dies` is one that fails at once. */
function ground(
  cwd: string,
  losses: readonly number[],
  { dies, stopAt }: { dies?: string; stopAt?: number } = {},
) {
  const entries = new Map<string, StoreEntry>();
  const real = openStore(cwd);
  const seen = recorder();
  const stop = new AbortController();
  const released = { progress: () => {}, child: () => {}, lost: calm.stop, release: () => {} };
  const context: RunContext = {
    runId: 'run',
    store: {
      ...real,
      claim: async () => released,
      find: (key) => entries.get(key),
      resumable: (key) => progressOf(join(real.workPath(key), 'step-000001')) > 0,
    },
    engine: { name: 'embedded' },
    shared: { folder: cwd, runtime: 'onnx', threads: 1, repositories: [] },
    capacity: { stages: 1, memoryBytes: 10, hasDevice: false },
    retries: 0,
    verify: false,
    changedFile: () => undefined,
    clock: () => 0,
    watcher: seen,
    interrupts: { ...calm, stop: stop.signal },
    search,
  };
  /** Steps that were taken, by stage. */
  const taken: string[] = [];
  const entry = (key: string, kind: 'train' | 'eval', metrics: Record<string, number>): StageOutcome => {
    const result = { outputs: {}, metrics };
    const record = {
      version: 1,
      kind,
      key,
      parts: {},
      files: {},
      result,
      seconds: 1,
      peakMemoryBytes: 1,
    } as const;
    const found = { key, path: cwd, record };
    entries.set(key, found);
    return { entry: found, cached: false, interrupted: false, peakMemoryBytes: 1 };
  };
  let validations = 0;
  const make: Parameters<typeof runStages>[2] = async ({ stage, key }, _, { interrupts, watcher }) => {
    const trial = Number(stage.name.split('@')[1]);
    const loss = losses[trial] ?? 0;
    if (stage.kind === 'eval') return entry(key, 'eval', { perplexity: loss });
    if (stage.name === dies) return { cached: false, interrupted: false, peakMemoryBytes: 1 };
    const work = join(real.workPath(key), 'step-000001');
    const done = progressOf(work);
    for (let step = done + 5; step <= 20; step += 5) {
      taken.push(`${trial}:${step}`);
      keep(work, step, loss);
      watcher.event({ type: 'validation', stage: stage.name, step, loss, best: true });
      if (++validations === stopAt) stop.abort();
      if (interrupts.stop.aborted && step < 20)
        return { cached: false, interrupted: true, saved: true, peakMemoryBytes: 1 };
    }
    return entry(key, 'train', { valid_loss: loss });
  };
  return { context, make, seen, taken };
}

const STATES = new Map<string, number>();
const progressOf = (folder: string): number => STATES.get(folder) ?? 0;

/** A checkpoint, as far as it is read to compare trials. */
function keep(folder: string, step: number, loss: number): void {
  STATES.set(folder, step);
  mkdirSync(folder, { recursive: true });
  const validations = Array.from({ length: step / 5 }, (_, index) => ({ step: 5 * (index + 1), loss }));
  const state = { step, checked: step, best: null, stale: 0, seconds: 0, steps: [], validations };
  writeFileSync(join(folder, 'state.json'), JSON.stringify({ version: 1, digest: 'd', state }));
}

async function run(cwd: string, losses: readonly number[], options: Parameters<typeof ground>[2] = {}) {
  const { context, make, seen, taken } = ground(cwd, losses, options);
  let outcomes: ReturnType<Trials['outcomes']> = [];
  let winner: number | undefined;
  const outcome = await runStages(plans, context, make, async (trials) => {
    outcomes = trials.outcomes();
    winner = trials.winner(outcomes);
    return [];
  });
  return { outcome, outcomes, winner, taken, events: seen.events };
}

const rungsOf = (events: readonly RunEvent[]) => events.filter((event) => event.type === 'search.rung');

describe('trials of a search', () => {
  it('stop at a rung until all are there; only the best go on, and the best of those wins', async () => {
    const { outcome, outcomes, winner, taken, events } = await run(freshFolder(), [4, 2, 3, 1]);
    expect(taken.slice(0, 8)).to.deep.equal(['0:5', '0:10', '1:5', '1:10', '2:5', '2:10', '3:5', '3:10']);
    expect(taken.slice(8)).to.deep.equal(['1:15', '1:20', '3:15', '3:20']);
    expect(outcomes.map(({ end }) => end)).to.deep.equal(['ended', 'done', 'ended', 'done']);
    expect(winner).to.equal(3);
    expect(rungsOf(events)).to.have.length(1);
    const status = Object.fromEntries(outcome.summaries.map(({ name, status }) => [name, status]));
    expect(status).to.include({ 'adapter@0': 'ended', 'quality@0': 'ended', 'quality@3': 'done' });
    expect(outcome).to.include({ failed: false, interrupted: false, gateClosed: false });
    const begun = events.flatMap((event) =>
      event.type === 'stage.started' && event.stage === 'adapter@1' ? [event] : [],
    );
    expect(begun.map(({ action }) => action)).to.deep.equal(['run', 'resume']);
    expect(begun.map(({ reasons }) => reasons.map(({ code }) => code))).to.deep.equal([[], ['checkpoint']]);
  });

  it('go on without one that fails, and the run has not failed', async () => {
    const { outcome, outcomes, winner } = await run(freshFolder(), [4, 2, 3, 1], { dies: 'adapter@3' });
    expect(outcomes.map(({ end }) => end)).to.deep.equal(['ended', 'done', 'done', 'failed']);
    expect(winner).to.equal(1);
    expect(outcome.failed).to.equal(false);
  });

  it('end a search without a winner where none gets to its end', async () => {
    const alone: Search = { ...search, trials: search.trials.slice(3) };
    const { context, make } = ground(freshFolder(), [4, 2, 3, 1], { dies: 'adapter@3' });
    let winner: number | undefined = 0;
    await runStages(plans.slice(6), { ...context, search: alone }, make, async (trials) => {
      winner = trials.winner(trials.outcomes());
      return [];
    });
    expect(winner).to.equal(undefined);
  });

  it('decide the same in the run after one that was ended, wherever that was', async () => {
    const whole = (await run(freshFolder(), [4, 2, 3, 1])).outcomes;
    for (const stopAt of [1, 3, 8, 9, 11]) {
      const cwd = freshFolder();
      const first = await run(cwd, [4, 2, 3, 1], { stopAt });
      expect(first.outcome.interrupted, `validation ${stopAt}`).to.equal(true);
      const second = await run(cwd, [4, 2, 3, 1]);
      expect(second.outcomes, `validation ${stopAt}`).to.deep.equal(whole);
      const both = [...first.taken, ...second.taken];
      expect(new Set(both).size, 'no step is done twice').to.equal(both.length);
    }
  });
});
