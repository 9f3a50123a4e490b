import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { digestOf } from '../../../src/language/host/digests.js';
import { SIGN_BYTES, worked } from '../../../src/language/host/long-work.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { identityOf, markOf } from '../../../src/language/host/process-identity.js';
import { type ClaimHolder, claimKey, foundClaims, tryClaim } from '../../../src/pipeline/store/claims.js';
import { sealFile } from '../../../src/pipeline/store/digest.js';
import { layoutIn, openStore } from '../../../src/pipeline/store/index.js';
import { freshFolder } from './folders.js';

const KEY = 'a'.repeat(64);
const MARK = markOf();
const ABOUT = { runId: 'run', stage: 'train' };
const FAST = { beat: 10, look: 10, silence: 200, patience: 0 };

/** A claim as another process would have left it. */
function leave(layout: ReturnType<typeof layoutIn>, parts: object, beat?: object): void {
  const holder = {
    ...identityOf(process.pid),
    ...{
      user: 'ana',
      cwd: '/there',
      runId: 'other',
      stage: 'tune',
      since: '2026-01-01T00:00:00Z',
      mark: MARK,
    },
    ...parts,
  };
  mkdirSync(layout.claims, { recursive: true });
  writeFileSync(join(layout.claims, KEY), JSON.stringify(holder));
  if (beat !== undefined) writeFileSync(join(layout.claims, `${KEY}.${MARK}.beat`), JSON.stringify(beat));
}

describe('claims', () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;

  it('of one key are held by one at a time, who is named to those that wait', async () => {
    const layout = layoutIn(freshFolder(), freshFolder());
    const order: number[] = [];
    const told: ClaimHolder[] = [];
    const use = async (index: number): Promise<void> => {
      const claim = await claimKey(layout, KEY, ABOUT, {
        timing: FAST,
        waiting: (holder) => void told.push(holder),
      });
      order.push(index, index);
      claim?.progress({ done: 1, total: 2, unit: 'steps' });
      await sleep(30);
      expect(foundClaims(layout).map(({ progress }) => progress?.done)).to.deep.equal([1]);
      order.push(index);
      claim?.release();
    };
    await Promise.all([0, 1, 2, 3].map(use));
    for (let at = 0; at < order.length; at += 3) expect(new Set(order.slice(at, at + 3)).size).to.equal(1);
    expect(order).to.have.lengthOf(12);
    expect(told[0]).to.include({ runId: 'run', stage: 'train', pid: process.pid, cwd: layout.cwd });
    expect(readdirSync(layout.claims)).to.deep.equal([]);
  });

  it('end their waiting with the signal', async () => {
    const layout = layoutIn(freshFolder());
    const held = tryClaim(layout, KEY, ABOUT);
    const stop = new AbortController();
    const waiting = claimKey(layout, KEY, ABOUT, { signal: stop.signal });
    stop.abort();
    expect(await waiting).to.equal(undefined);
    held?.release();
  });

  for (const [what, holder] of Object.entries<object>({
    'a process that is gone': { pid: gone, started: undefined },
    'an earlier start of the machine': { boot: 'earlier' },
    'a machine that gives no sign of life': { host: 'elsewhere' },
  }))
    it(`are taken over from ${what}`, async () => {
      const layout = layoutIn(freshFolder());
      leave(layout, holder, { beat: 1 });
      const claim = await claimKey(layout, KEY, ABOUT, { timing: FAST });
      expect(foundClaims(layout).map(({ holder: { runId } }) => runId)).to.deep.equal(['run']);
      claim?.release();
      expect(readdirSync(layout.claims)).to.deep.equal([]);
    });

  it('are left to another machine as long as it gives signs of life, whatever its clock says', async () => {
    const layout = layoutIn(freshFolder());
    leave(layout, { host: 'elsewhere', since: '1999-01-01T00:00:00Z' }, { beat: 0 });
    const stop = new AbortController();
    let time = 0;
    const timing = { ...FAST, clock: () => time };
    const waiting = claimKey(layout, KEY, ABOUT, { timing, signal: stop.signal });
    for (let beat = 1; beat < 20; beat++) {
      await sleep(20);
      writeFileSync(join(layout.claims, `${KEY}.${MARK}.beat`), JSON.stringify({ beat }));
      time += FAST.silence / 2;
    }
    stop.abort();
    expect(await waiting).to.equal(undefined);
    expect(foundClaims(layout)[0]?.holder.user).to.equal('ana');
  });

  it('tell who held one that another has taken over', async () => {
    const layout = layoutIn(freshFolder());
    const claim = await claimKey(layout, KEY, ABOUT, { timing: FAST });
    leave(layout, {});
    while (claim?.lost.aborted === false) await sleep(5);
    claim?.release();
    expect(foundClaims(layout)[0]?.holder.user, 'and it stays with the other').to.equal('ana');
  });

  it('go to one of many that find a holder gone at once', async () => {
    const layout = layoutIn(freshFolder());
    leave(layout, { pid: gone, started: undefined });
    let holding = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        const claim = await claimKey(layout, KEY, ABOUT, { timing: FAST });
        most = Math.max(most, ++holding);
        await sleep(5);
        holding--;
        claim?.release();
      }),
    );
    expect(most).to.equal(1);
  });

  it('protect what is being written from the sweeping of another run', async () => {
    const shared = freshFolder();
    const [one, other] = [openStore(freshFolder(), shared), openStore(freshFolder(), shared)];
    const claim = await one.claim(KEY, ABOUT);
    const folder = one.begin(KEY);
    writeFileSync(join(folder, 'x'), '');
    other.sweep();
    expect(existsSync(join(folder, 'x'))).to.equal(true);
    expect(JSON.parse(readFileSync(join(one.layout.claims, KEY), 'utf8'))).to.include({ runId: 'run' });
    claim?.release();
    other.sweep();
    expect(existsSync(folder)).to.equal(false);
  });

  it('show signs of life while their holder reads for long, by the bytes that it reads', async () => {
    const store = openStore(freshFolder());
    const { layout } = store;
    const beats = (): number => foundClaims(layout)[0]?.beat ?? -1;
    const claim = await store.claim(KEY, ABOUT, { timing: { beat: 1e9 } });
    const begun = beats();
    for (let part = 0; part < 8; part++) worked(SIGN_BYTES / 4);
    expect(beats() - begun).to.equal(2);
    const large = join(layout.root, 'large');
    writeFileSync(large, '');
    truncateSync(large, 3 * SIGN_BYTES);
    sealFile(large);
    expect(beats() - begun, 'as it is sealed').to.equal(5);
    digestOf(nodeHost(), large);
    expect(beats() - begun, 'as it is verified').to.equal(8);
    claim?.release();
    worked(SIGN_BYTES);
    expect(readdirSync(layout.claims)).to.deep.equal([]);
  });

  it('of processes that are gone, and what belongs to them, are swept', () => {
    const store = openStore(freshFolder());
    const { layout } = store;
    leave(layout, { pid: gone, started: undefined }, { beat: 3 });
    const note = JSON.stringify({ ...identityOf(process.pid), pid: gone, started: undefined });
    writeFileSync(join(layout.claims, `${KEY}.${markOf()}.ticket`), note);
    writeFileSync(join(layout.claims, `${KEY}.${markOf()}.beat`), '{}');
    const cut = (mark: string): string => `${KEY}.${mark}.ticket`;
    const [mine, theirs] = [markOf(), markOf().replace(/-[0-9a-f]{8}-/, '-00000000-')];
    for (const mark of [mine, mine.replace(/^\d+-\d*/, `${gone}-`), theirs])
      writeFileSync(join(layout.claims, cut(mark)), note.slice(0, 5));
    writeFileSync(`${layout.lock}.${gone}.20260101-000000-0000`, note);
    writeFileSync(`${layout.lock}.${gone}.20260101-000001-0000`, note.slice(0, 5));
    const alive = `${layout.lock}.${process.pid}.20260101-000002-0000`;
    writeFileSync(alive, JSON.stringify(identityOf(process.pid)));
    store.sweep();
    expect(readdirSync(layout.claims).sort(), 'of this process, and of another machine').to.deep.equal(
      [cut(mine), cut(theirs)].sort(),
    );
    expect(readdirSync(layout.root).filter((name) => name.startsWith('lock'))).to.deep.equal([
      alive.slice(layout.root.length + 1),
    ]);
  });
});
