import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { userError, wholeFile } from '../../../src/language/diagnostics/make.js';
import { promote } from '../../../src/pipeline/deploy/promote.js';
import { rollback } from '../../../src/pipeline/deploy/rollback.js';
import { createRouter, type RouterOptions } from '../../../src/pipeline/serve/release-router.js';
import { NoModelError, type RoutedModel, type Router } from '../../../src/pipeline/serve/router.js';
import { scratch } from '../../compute/evaluation/tiny.js';
import { access, codeOf, publishContent } from '../deploy/releases-fixture.js';
import { type FakeModel, type FakeModels, fakeModels } from './fake-models.js';

describe('requests to releases', () => {
  const places: { remove(): void }[] = [];
  after(() => {
    for (const place of places) place.remove();
  });

  interface Setup {
    readonly path: string;
    readonly folder: string;
    readonly models: FakeModels;
    readonly told: string[];
    /** Tells the router to look, and waits until it is done. */
    readonly look: () => Promise<void>;
    router: Router<FakeModel>;
    now: number;
    /** Of a clock that nobody sets. */
    passed: number;
  }

  const setup = async (
    contents: readonly string[],
    options: Partial<RouterOptions<FakeModel>> = {},
    models = fakeModels(),
  ): Promise<Setup> => {
    const place = scratch();
    places.push(place);
    for (const content of contents) await publishContent(place.path, content);
    const folder = join(place.path, 'releases');
    let changed = (): void => {};
    const told: string[] = [];
    const made = { path: place.path, folder, models, told, now: 1000, passed: 0 };
    const router = await createRouter<FakeModel>({
      access: { ...access, host: { ...access.host, now: () => made.now, clock: () => made.passed } },
      folder,
      start: models.start,
      memory: 10,
      report: (text) => told.push(text),
      watch: (_, call) => {
        changed = call;
        return { close: () => {} };
      },
      ...options,
    });
    const look = async (): Promise<void> => {
      changed();
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    };
    return Object.assign(made, { router, look });
  };
  const asked = async ({ router }: Pick<Setup, 'router'>, user?: string): Promise<number> => {
    const { model, done } = await router.route(user);
    done();
    expect(model.isClosed).to.equal(false);
    return model.number;
  };

  it('go to the current one, and to a new one as soon as that answers; the old one finishes first', async () => {
    const made = await setup(['one']);
    const long = await made.router.route('ana');
    expect(long.release).to.deep.equal({ number: 1, role: 'current' });
    let open = (): void => {};
    made.models.wait = () => new Promise((resolve) => (open = resolve));
    await publishContent(made.path, 'two');
    await made.look();
    expect(await asked(made)).to.equal(1);
    expect(made.router.releases().map(({ number, state }) => [number, state])).to.deep.equal([
      [1, 'serving'],
      [2, 'starting'],
    ]);
    open();
    await made.look();
    expect(await asked(made)).to.equal(2);
    expect(made.models.open()).to.deep.equal([1, 2]);
    expect(
      made.router.releases().map(({ number, state, requests }) => [number, state, requests]),
    ).to.deep.equal([
      [2, 'serving', 0],
      [1, 'draining', 1],
    ]);
    long.done();
    long.done();
    await made.look();
    expect(made.models.open()).to.deep.equal([2]);
    expect(made.told).to.include('release 2 answers now, instead of 1');
    rollback(access, made.folder);
    made.models.wait = async () => {};
    await made.look();
    expect(await asked(made)).to.equal(1);
    await made.router.close();
    expect(made.models.open()).to.deep.equal([]);
  });

  it('go to the canary for its share of the users, always the same ones', async () => {
    const made = await setup(['one']);
    await publishContent(made.path, 'two', { canary: 0.2 });
    await made.look();
    const users = Array.from({ length: 2000 }, (_, index) => `user-${index}`);
    const canaries = async (): Promise<ReadonlySet<string>> => {
      const found = new Set<string>();
      for (const user of users) if ((await asked(made, user)) === 2) found.add(user);
      return found;
    };
    const first = await canaries();
    // Binomial with n = 2000 and p = 0.2: mean 400, deviation 18.
    expect(first.size).to.be.within(400 - 4 * 18, 400 + 4 * 18);
    expect(await canaries()).to.deep.equal(first);
    promote(access, made.folder, 0.4);
    await made.look();
    const more = await canaries();
    expect(more.size).to.be.greaterThan(first.size);
    for (const user of first) expect(more.has(user)).to.equal(true);
    promote(access, made.folder);
    await made.look();
    expect(made.models.started).to.have.length(2);
    expect(made.models.open()).to.deep.equal([2]);
    expect((await canaries()).size).to.equal(users.length);
    await made.router.close();
  });

  it('go to the current one while the canary cannot answer, and after it was taken away', async () => {
    const made = await setup(['one'], { random: () => 0 });
    await publishContent(made.path, 'two', { canary: 0.1 });
    await made.look();
    expect(await asked(made)).to.equal(2);
    const canary = made.models.started[1];
    if (canary !== undefined) canary.up = false;
    expect(await asked(made)).to.equal(1);
    expect(made.router.ready()).to.equal(true);
    if (canary !== undefined) canary.up = true;
    expect(await asked(made)).to.equal(2);
    rollback(access, made.folder);
    await made.look();
    expect(await asked(made)).to.equal(1);
    expect(made.models.open()).to.deep.equal([1]);
    await made.router.close();
  });

  it('stay with the old release while the new one cannot be opened, which is tried again later', async () => {
    const made = await setup(['one']);
    made.models.wait = async () => {
      throw userError('FTP0831', wholeFile('x'), 'the weights are damaged', { help: 'copy them again' });
    };
    await publishContent(made.path, 'two');
    await made.look();
    expect(await asked(made)).to.equal(1);
    expect(made.router.releases()[1]).to.include({
      number: 2,
      state: 'failed',
      problem: 'the weights are damaged',
    });
    made.models.wait = async () => {};
    await made.look();
    expect(await asked(made)).to.equal(1);
    // someone sets the clock back by an hour
    made.now -= 3_600_000;
    made.passed += 60_000;
    await made.look();
    expect(await asked(made)).to.equal(2);
    rmSync(join(made.folder, 'current'));
    await made.look();
    expect(await asked(made)).to.equal(2);
    await made.router.close();
  });

  it('do not wait for a release that is not wanted any more', async () => {
    const made = await setup(['one']);
    made.models.wait = (number, signal) =>
      number === 2
        ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        : Promise.resolve();
    await publishContent(made.path, 'two');
    await made.look();
    await publishContent(made.path, 'three');
    await made.look();
    expect(await asked(made)).to.equal(3);
    expect(made.models.started.map(({ number }) => number)).to.deep.equal([1, 3]);
    await made.router.close();
  });

  it('never go to a release that was taken back while it was tried', async () => {
    const made = await setup(['one']);
    let open = (): void => {};
    made.models.wait = () => new Promise((resolve) => (open = resolve));
    await publishContent(made.path, 'two');
    await made.look();
    rollback(access, made.folder);
    await made.look();
    // it answers after all
    open();
    await made.look();
    expect(await asked(made)).to.equal(1);
    expect(made.models.open()).to.deep.equal([1]);
    expect(made.models.started.map(({ number }) => number)).to.deep.equal([1, 2]);
    await made.router.close();
  });

  it('wait where two models do not fit into memory at once, and a canary is not opened', async () => {
    const made = await setup(['one'], { memory: 15 }, fakeModels(10));
    await publishContent(made.path, 'two', { canary: 0.5 });
    await made.look();
    expect(made.router.releases()[1]).to.include({
      state: 'failed',
      role: 'canary',
      problem: 'two models do not fit into memory',
    });
    let open = (): void => {};
    made.models.wait = () => new Promise((resolve) => (open = resolve));
    const running = await made.router.route('ana');
    await publishContent(made.path, 'three');
    await made.look();
    const waits = made.router.route('bea');
    const goes = new AbortController();
    const aborted = made.router.route('cem', goes.signal).catch((error: unknown) => error);
    goes.abort(new Error('gone'));
    expect(await aborted).to.have.property('message', 'gone');
    running.done();
    await made.look();
    expect(made.models.open()).to.deep.equal([]);
    open();
    const { model, done } = await waits;
    expect(model.number).to.equal(3);
    done();
    await made.router.close();
  });

  it('get the old release back where it had to end for one that cannot be opened', async () => {
    const made = await setup(['one'], { memory: 15 }, fakeModels(10));
    made.models.wait = async (number) => {
      if (number === 2) throw new Error('out of memory');
    };
    await publishContent(made.path, 'two');
    await made.look();
    expect(await asked(made)).to.equal(1);
    expect(made.models.started.map(({ number }) => number)).to.deep.equal([1, 1]);
    await made.router.close();
  });

  it('are refused once the server ends, which waits for those that run', async () => {
    const made = await setup(['one']);
    const running = await made.router.route('ana');
    const closed = made.router.close();
    expect(made.router.ready()).to.equal(false);
    const refused = await made.router.route('bea').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(NoModelError);
    expect(made.models.open()).to.deep.equal([1]);
    running.done();
    await closed;
    expect(made.models.open()).to.deep.equal([]);
  });

  it('have nobody where no release is current', async () => {
    const problem = await setup([]).catch((error) => error.diagnostic);
    expect(problem).to.include({ code: 'FTP2101' });
    expect(problem.message).to.match(/has no releases$/);
    expect(codeOf(() => rollback(access, 'nowhere'))).to.equal('FTP0743');
  });

  it('1,000 of them pass 20 swaps, canaries and rollbacks, and none fails', async () => {
    const made = await setup(['0', '1']);
    let [answered, failed, turn] = [0, 0, 0];
    const running: RoutedModel<FakeModel>[] = [];
    const numbers = new Set<number>();
    const request = async (user: string): Promise<void> => {
      try {
        const routed = await made.router.route(user);
        running.push(routed);
        if (running.length > 16) {
          const { model, release, done } = running.shift() ?? routed;
          if (model.isClosed || model.number !== release.number) failed++;
          numbers.add(model.number);
          done();
        }
        answered++;
      } catch {
        failed++;
      }
    };
    const swaps: readonly (() => unknown)[] = [
      () => publishContent(made.path, `${turn}`, { canary: 0.3 }),
      () => promote(access, made.folder),
      () => rollback(access, made.folder),
      () => publishContent(made.path, `${turn}`),
    ];
    for (turn = 2; turn < 22; turn++) {
      for (let index = 0; index < 25; index++) await request(`user-${turn}-${index}`);
      await swaps[turn % swaps.length]?.();
      const looked = made.look();
      for (let index = 0; index < 25; index++) await request(`user-${turn}-${index}`);
      await looked;
    }
    for (const { model, done } of running.splice(0)) {
      if (model.isClosed) failed++;
      done();
    }
    expect([answered, failed]).to.deep.equal([1000, 0]);
    expect(numbers.size).to.be.greaterThan(5);
    await made.look();
    expect(made.models.open().length).to.be.lessThan(3);
    await made.router.close();
  });
});
