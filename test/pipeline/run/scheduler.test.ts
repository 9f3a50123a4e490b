import { expect } from 'chai';
import type { RunEvent } from '../../../src/language/ir/events.js';
import type { Stage } from '../../../src/language/ir/program.js';
import type { RunContext, StageOutcome, StagePlan } from '../../../src/pipeline/run/run-context.js';
import { runStages } from '../../../src/pipeline/run/scheduler.js';
import type { ClaimAbout, ClaimOptions } from '../../../src/pipeline/store/claims.js';
import { type ClaimHolder, openStore, type StoreEntry } from '../../../src/pipeline/store/index.js';
import { calm, freshFolder, recorder, span } from './worlds.js';

/** A stage of a plan that reads others and takes 100 bytes. */
const planOf = (name: string, inputs: readonly string[] = [], parts: Partial<StagePlan> = {}): StagePlan => {
  const stage: Stage = { kind: 'train', name, settings: {}, origins: {}, requires: [], inputs, span };
  const { key = name } = parts;
  const load = { name, key, after: inputs, memoryBytes: 100, computes: true };
  return { stage, key, parts: {}, reasons: [], load, ...parts };
};

const HOLDER: ClaimHolder = {
  pid: 1,
  host: 'box',
  user: 'ana',
  cwd: '/home/ana',
  runId: 'other',
  stage: 'a',
  since: '2026-01-01T00:00:00.000Z',
  mark: 'm',
};

/** Stages that end when the test says so. */
function ground(capacity: Partial<RunContext['capacity']> = {}) {
  const cwd = freshFolder();
  const entries = new Map<string, StoreEntry>();
  /** Keys that other processes make, and how to tell that they no longer do. */
  const elsewhere = new Map<string, () => void>();
  const released = { progress: () => {}, child: () => {}, lost: calm.stop, release: () => {} };
  const store = {
    ...openStore(cwd),
    claim: async (key: string, _about: ClaimAbout, { waiting, signal }: ClaimOptions = {}) => {
      if (!elsewhere.has(key)) return released;
      waiting?.(HOLDER);
      await new Promise<void>((resolve) => {
        elsewhere.set(key, resolve);
        signal?.addEventListener('abort', () => resolve());
      });
      return signal?.aborted === true ? undefined : released;
    },
    find: (key: string) => entries.get(key),
    resumable: () => false,
  };
  const seen = recorder();
  const at = { time: 0 };
  const stop = new AbortController();
  const context: RunContext = {
    runId: 'run',
    store,
    engine: { name: 'embedded' },
    shared: { folder: cwd, runtime: 'onnx', threads: 2, repositories: [] },
    capacity: { stages: 2, memoryBytes: 1000, hasDevice: false, ...capacity },
    retries: 0,
    verify: false,
    changedFile: () => undefined,
    clock: () => at.time,
    watcher: seen,
    interrupts: { ...calm, stop: stop.signal },
  };
  const ends = new Map<string, (outcome: StageOutcome) => void>();
  const inputs = new Map<string, readonly string[]>();
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const ended = async (name: string, parts: Partial<StageOutcome>): Promise<void> => {
    ends.get(name)?.({ cached: false, interrupted: false, peakMemoryBytes: 100, ...parts });
    ends.delete(name);
    await settled();
  };
  return {
    seen,
    at,
    stop,
    inputs,
    entries,
    /** Other processes make these. */
    takeAway: (...keys: readonly string[]): void => {
      for (const key of keys) elsewhere.set(key, () => {});
    },
    giveBack: async (key: string): Promise<void> => {
      elsewhere.get(key)?.();
      elsewhere.delete(key);
      await settled();
    },
    /** Names of stages at work. */
    busy: () => [...ends.keys()],
    run: async (plans: readonly StagePlan[]) => {
      const outcome = runStages(plans, context, (plan, given) => {
        inputs.set(plan.stage.name, Object.keys(given.artefacts));
        return new Promise((resolve) => ends.set(plan.stage.name, resolve));
      });
      await settled();
      return { outcome };
    },
    done: (name: string, key = name) => {
      const result = { outputs: {}, metrics: {} };
      const record = { version: 1, kind: 'train', key, parts: {}, files: {}, result } as const;
      const entry = { key, path: cwd, record: { ...record, seconds: 1, peakMemoryBytes: 100 } };
      entries.set(key, entry);
      return ended(name, { entry });
    },
    ended,
  };
}

const statuses = (events: readonly RunEvent[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'stage.finished' ? [`${event.stage} ${event.status}`] : []));

describe('the scheduler', () => {
  it('starts what is independent at once, in the order of the plan, and the rest as soon as it can', async () => {
    const { run, busy, done, inputs } = ground();
    const { outcome } = await run([
      planOf('rows'),
      planOf('a', ['rows']),
      planOf('b', ['rows']),
      planOf('c', ['a']),
    ]);
    expect(busy()).to.deep.equal(['rows']);
    await done('rows');
    expect(busy()).to.deep.equal(['a', 'b']);
    await done('b');
    expect(busy()).to.deep.equal(['a']);
    await done('a');
    await done('c');
    const { summaries, failed } = await outcome;
    expect(summaries.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'rows done',
      'a done',
      'b done',
      'c done',
    ]);
    expect(failed).to.equal(false);
    // b was there, and c does not read it
    expect(inputs.get('c')).to.deep.equal(['rows', 'a']);
  });

  it('never has more at once than the memory of the plan, and says what was taken', async () => {
    const { run, busy, done, at } = ground({ stages: 3, memoryBytes: 250 });
    const { outcome } = await run([planOf('a'), planOf('b'), planOf('c')]);
    expect(busy()).to.deep.equal(['a', 'b']);
    at.time = 10;
    await done('a');
    expect(busy()).to.deep.equal(['b', 'c']);
    at.time = 20;
    await done('b');
    at.time = 30;
    await done('c');
    expect((await outcome).peakMemoryBytes).to.equal(200);
  });

  it('lets the others finish where one fails, and blocks what depends on it', async () => {
    const { run, busy, done, ended, seen } = ground();
    const { outcome } = await run([
      planOf('a'),
      planOf('b'),
      planOf('a.eval', ['a']),
      planOf('b.eval', ['b']),
    ]);
    await ended('a', {});
    expect(busy()).to.deep.equal(['b']);
    await done('b');
    await done('b.eval');
    expect((await outcome).failed).to.equal(true);
    expect(statuses(seen.events)).to.deep.equal(['a failed', 'a.eval blocked', 'b done', 'b.eval done']);
  });

  it('makes what two stages share once: the second waits, and finds it', async () => {
    const { run, busy, done, seen } = ground();
    const { outcome } = await run([planOf('a', [], { key: 'same' }), planOf('b', [], { key: 'same' })]);
    expect(busy()).to.deep.equal(['a']);
    await done('a', 'same');
    expect((await outcome).summaries.map(({ status }) => status)).to.deep.equal(['done', 'cached']);
    expect(seen.events.map(({ type }) => type)).to.deep.equal([
      'stage.started',
      'stage.finished',
      'stage.started',
      'stage.finished',
    ]);
  });

  it('gives the place of a stage that waits for another process to others, and asks for it again', async () => {
    const { run, busy, done, takeAway, giveBack, at } = ground({ stages: 3, memoryBytes: 200 });
    takeAway('a');
    const { outcome } = await run([planOf('a'), planOf('b'), planOf('c'), planOf('d')]);
    expect(busy(), 'within the memory of two').to.deep.equal(['b', 'c']);
    at.time = 10;
    await giveBack('a');
    expect(busy(), 'it has no place yet').to.deep.equal(['b', 'c']);
    at.time = 20;
    await done('b');
    expect(busy(), 'before those that have not begun').to.deep.equal(['c', 'a']);
    at.time = 30;
    await done('a');
    expect(busy()).to.deep.equal(['c', 'd']);
    await done('c');
    at.time = 40;
    await done('d');
    const { summaries, peakMemoryBytes } = await outcome;
    expect(peakMemoryBytes, 'what waits takes nothing').to.equal(200);
    expect(summaries.map(({ name, seconds }) => [name, seconds])).to.deep.include(['a', 0.01]);
  });

  it('runs the others where all places would be waiting, one at a time too', async () => {
    const { run, busy, done, takeAway, giveBack, entries } = ground({ stages: 1 });
    takeAway('a', 'b');
    const { outcome } = await run([planOf('a'), planOf('b'), planOf('c'), planOf('a.eval', ['a'])]);
    expect(busy()).to.deep.equal(['c']);
    await done('a');
    expect(entries.has('a'), 'the other process has made it').to.equal(true);
    await giveBack('a');
    expect(busy(), 'what is made takes no place').to.deep.equal(['c']);
    await giveBack('b');
    await done('c');
    expect(busy()).to.have.lengthOf(1);
    for (const name of ['b', 'a.eval', 'b', 'a.eval']) if (busy().includes(name)) await done(name);
    const { summaries, failed } = await outcome;
    expect(failed).to.equal(false);
    expect(summaries.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'a cached',
      'b done',
      'c done',
      'a.eval done',
    ]);
  });

  it('ends what waits, for another process or for a place, once it is interrupted', async () => {
    const { run, busy, ended, takeAway, giveBack, stop } = ground({ stages: 1 });
    takeAway('a', 'b');
    const { outcome } = await run([planOf('a'), planOf('b'), planOf('c')]);
    await giveBack('a');
    expect(busy()).to.deep.equal(['c']);
    stop.abort();
    await ended('c', { interrupted: true });
    const { interrupted, failed } = await outcome;
    expect([interrupted, failed]).to.deep.equal([true, false]);
  });

  it('starts nothing more once it is interrupted, and waits for those that save', async () => {
    const { run, busy, ended, stop, seen } = ground();
    const { outcome } = await run([planOf('a'), planOf('b'), planOf('c')]);
    stop.abort();
    await ended('a', { interrupted: true });
    expect(busy()).to.deep.equal(['b']);
    await ended('b', { interrupted: true });
    expect((await outcome).interrupted).to.equal(true);
    expect(statuses(seen.events)).to.deep.equal(['a failed', 'c blocked', 'b failed']);
    expect(seen.events.filter((event) => 'interrupted' in event)).to.have.length(2);
  });

  it('waits for the others before it reports a bug', async () => {
    const { run, done, busy } = ground();
    const broken = { ...planOf('a'), stage: { ...planOf('a').stage, requires: null } };
    const { outcome } = await run([broken as unknown as StagePlan, planOf('b'), planOf('c')]);
    const failure = outcome.catch((error: unknown) => error);
    await done('a');
    expect(busy()).to.deep.equal(['b']);
    await done('b');
    expect(await failure).to.be.instanceOf(TypeError);
  });
});
