import { expect } from 'chai';
import type { RunEvent } from '../../../src/language/ir/events.js';
import type { Stage } from '../../../src/language/ir/program.js';
import type { RunContext, StageOutcome, StagePlan } from '../../../src/pipeline/run/run-context.js';
import { runStages } from '../../../src/pipeline/run/scheduler.js';
import { openStore, type StoreEntry } from '../../../src/pipeline/store/index.js';
import { calm, freshFolder, recorder, span } from './worlds.js';

/** A stage of a plan that reads others and takes 100 bytes. */
const planOf = (name: string, inputs: readonly string[] = [], parts: Partial<StagePlan> = {}): StagePlan => {
  const stage: Stage = { kind: 'train', name, settings: {}, origins: {}, requires: [], inputs, span };
  const { key = name } = parts;
  const load = { name, key, after: inputs, memoryBytes: 100, computes: true };
  return { stage, key, parts: {}, reasons: [], load, ...parts };
};

/** Stages that end when the test says so. */
function ground(capacity: Partial<RunContext['capacity']> = {}) {
  const cwd = freshFolder();
  const entries = new Map<string, StoreEntry>();
  const released = { progress: () => {}, child: () => {}, lost: calm.stop, release: () => {} };
  const store = {
    ...openStore(cwd),
    claim: async () => released,
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
