import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Disk } from '../../../src/language/host/disk.js';
import { canaryDamage, noteShare, readCanary } from '../../../src/pipeline/deploy/canary.js';
import { readHistory } from '../../../src/pipeline/deploy/history.js';
import { promote } from '../../../src/pipeline/deploy/promote.js';
import { currentRelease, type ReleaseAccess } from '../../../src/pipeline/deploy/releases.js';
import { rollback } from '../../../src/pipeline/deploy/rollback.js';
import { scratch } from '../../compute/evaluation/tiny.js';
import { access, codeOf, publishContent } from './releases-fixture.js';

describe('a canary', () => {
  const places: { remove(): void }[] = [];
  const fresh = (): { readonly path: string; readonly folder: string } => {
    const place = scratch();
    places.push(place);
    return { path: place.path, folder: join(place.path, 'releases') };
  };
  after(() => {
    for (const place of places) place.remove();
  });
  const actions = (folder: string): readonly string[] =>
    readHistory(access, folder).map(({ action, release }) => `${action} ${release}`);
  const roles = (folder: string, where: ReleaseAccess = access) => [
    currentRelease(where, folder)?.number,
    readCanary(where, folder)?.release,
  ];
  const withCanary = async (): Promise<{ readonly path: string; readonly folder: string }> => {
    const place = fresh();
    await publishContent(place.path, 'one');
    await publishContent(place.path, 'two', { canary: 0.1 });
    return place;
  };

  it('is current where no release is', async () => {
    const { path, folder } = fresh();
    expect(await publishContent(path, 'one', { canary: 0.1 })).to.include({
      action: 'publish',
      role: 'current',
    });
    expect(roles(folder)).to.deep.equal([1, undefined]);
    expect(await publishContent(path, 'one', { canary: 0.1 })).to.include({
      action: 'unchanged',
      role: 'current',
    });
    expect(codeOf(() => promote(access, folder))).to.equal('FTP2100');
  });

  it('is published next to the current release, and gets another share when that changes', async () => {
    const { path, folder } = await withCanary();
    expect(roles(folder)).to.deep.equal([1, 2]);
    expect([readlinkSync(join(folder, 'current')), readlinkSync(join(folder, 'canary'))]).to.deep.equal([
      '0001',
      '0002',
    ]);
    const before = readCanary(access, folder);
    expect(before).to.include({ release: 2, share: 0.1 });
    expect(await publishContent(path, 'two', { canary: 0.1 })).to.include({
      action: 'unchanged',
      role: 'canary',
    });
    expect(await publishContent(path, 'two', { canary: 0.5 })).to.include({
      action: 'again',
      role: 'canary',
    });
    expect(readCanary(access, folder)).to.deep.equal({ ...before, share: 0.5 });
    await publishContent(path, 'three', { canary: 0.2 });
    expect(roles(folder)).to.deep.equal([1, 3]);
    expect(readHistory(access, folder).map(({ action, share }) => [action, share])).to.deep.equal([
      ['publish', undefined],
      ['canary', 0.1],
      ['canary', 0.5],
      ['canary', 0.2],
    ]);
  });

  it('is promoted, keeps a share, or is taken away', async () => {
    const { folder } = await withCanary();
    expect(promote(access, folder, 0.25)).to.deep.equal({ from: 1, to: 2, share: 0.1 });
    expect(readCanary(access, folder)?.share).to.equal(0.25);
    expect(promote(access, folder)).to.deep.equal({ from: 1, to: 2, share: 0.25 });
    expect(roles(folder)).to.deep.equal([2, undefined]);
    expect(readdirSync(folder).sort()).to.deep.equal(['0001', '0002', 'current', 'history.jsonl']);
    expect(rollback(access, folder)).to.deep.equal({ from: 2, to: 1 });

    const other = await withCanary();
    expect(rollback(access, other.folder)).to.deep.equal({ from: 1, to: 1, canary: 2 });
    expect(roles(other.folder)).to.deep.equal([1, undefined]);
    expect(existsSync(join(other.folder, 'canary'))).to.equal(false);
    expect(actions(other.folder)).to.deep.equal(['publish 1', 'canary 2', 'end_canary 2']);
    expect(codeOf(() => rollback(access, other.folder))).to.equal('FTP0744');
  });

  it('ends when a release is published as the current one, itself or another', async () => {
    const { path, folder } = await withCanary();
    await publishContent(path, 'three');
    expect(roles(folder)).to.deep.equal([3, undefined]);
    expect(actions(folder)).to.deep.equal(['publish 1', 'canary 2', 'end_canary 2', 'publish 3']);
    await publishContent(path, 'two', { canary: 0.3 });
    await publishContent(path, 'two');
    expect(roles(folder)).to.deep.equal([2, undefined]);
    expect(actions(folder).slice(4)).to.deep.equal(['canary 2', 'again 2']);
  });

  it('keeps its share when someone goes back to a number', async () => {
    const { path, folder } = fresh();
    await publishContent(path, 'one');
    await publishContent(path, 'two');
    await publishContent(path, 'three', { canary: 0.1 });
    rollback(access, folder, 1);
    expect(roles(folder)).to.deep.equal([1, 3]);
    rollback(access, folder, 3);
    expect(roles(folder)).to.deep.equal([3, undefined]);
  });

  it('is not promoted if it was changed, and is none if its file was', async () => {
    const { folder } = await withCanary();
    writeFileSync(join(folder, '0002', 'config.json'), '[]');
    expect(codeOf(() => promote(access, folder))).to.equal('FTP0746');
    expect(roles(folder)).to.deep.equal([1, 2]);
    const file = join(folder, 'canary.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('0.1', '0.9'));
    expect(roles(folder)).to.deep.equal([1, undefined]);
    expect(canaryDamage(access, folder)).to.equal(
      'canary.json: it does not have the content that was written',
    );
    rmSync(file);
    expect(canaryDamage(access, folder)).to.equal(undefined);
  });

  it('notes the share that a pipeline gave it last, until it gives another', () => {
    const { folder } = fresh();
    const first = noteShare(access, folder, 2, 0.1) ?? '';
    expect(noteShare(access, folder, 2, 0.1)).to.equal(first);
    const other = noteShare(access, folder, 3, 0.1) ?? '';
    const second = noteShare(access, folder, 2, 0.5) ?? '';
    expect([first, second, other].map((path) => existsSync(path))).to.deep.equal([false, true, true]);
    expect(noteShare(access, folder, 2, undefined)).to.equal(undefined);
    expect([second, other].map((path) => existsSync(path))).to.deep.equal([false, true]);
  });

  it('does not replace what is no link', async () => {
    const { path, folder } = fresh();
    await publishContent(path, 'one');
    mkdirSync(join(folder, 'canary'));
    let code = '';
    await publishContent(path, 'two', { canary: 0.1 }).catch((error) => {
      code = error.diagnostic.code;
    });
    expect(code).to.equal('FTP0750');
    expect(roles(folder)).to.deep.equal([1, undefined]);
  });

  class Killed extends Error {}

  /** A disk whose call number `at` and all later ones never happen. */
  const killedAt = (at: number): { readonly disk: Disk; readonly reached: () => boolean } => {
    let calls = 0;
    const guarded =
      <A extends readonly unknown[], R>(work: (...args: A) => R) =>
      (...args: A): R => {
        calls++;
        if (calls >= at) throw new Killed();
        return work(...args);
      };
    const { makeFolder, copy, write, append, rename, link, remove } = access.disk;
    const disk = {
      ...access.disk,
      makeFolder: guarded(makeFolder),
      copy: guarded(copy),
      write: guarded(write),
      append: guarded(append),
      rename: guarded(rename),
      link: guarded(link),
      remove: guarded(remove),
    };
    return { disk, reached: () => calls >= at };
  };

  /** What each change may leave behind when it is killed, and what a second try makes of it. */
  const CHANGES: readonly {
    readonly name: string;
    readonly make: (where: ReleaseAccess, folder: string) => unknown;
    readonly between: readonly (readonly (number | undefined)[])[];
    readonly atLast: readonly (number | undefined)[];
  }[] = [
    {
      name: 'promote',
      make: (where, folder) => promote(where, folder),
      between: [
        [1, 2],
        [2, undefined],
      ],
      atLast: [2, undefined],
    },
    {
      name: 'another share',
      make: (where, folder) => promote(where, folder, 0.5),
      between: [[1, 2]],
      atLast: [1, 2],
    },
    {
      name: 'rollback',
      make: (where, folder) => rollback(where, folder),
      between: [
        [1, 2],
        [1, undefined],
      ],
      atLast: [1, undefined],
    },
  ];

  it('survives a kill at any call of publishing it, and the next run ends what was begun', async () => {
    let at = 1;
    for (; ; at++) {
      const { path, folder } = fresh();
      await publishContent(path, 'one');
      const { disk, reached } = killedAt(at);
      await publishContent(path, 'two', { canary: 0.1 }, { ...access, disk }).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      if (!reached()) break;
      expect([undefined, 2], `call ${at}`).to.include(roles(folder)[1]);
      expect(roles(folder)[0]).to.equal(1);
      await publishContent(path, 'two', { canary: 0.1 });
      expect(roles(folder)).to.deep.equal([1, 2]);
    }
    expect(at).to.be.greaterThan(8);
  });

  it('is not left behind by a kill at any call of publishing another release, once that is published again', async () => {
    let at = 1;
    for (; ; at++) {
      const { path, folder } = await withCanary();
      const { disk, reached } = killedAt(at);
      await publishContent(path, 'three', {}, { ...access, disk }).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      if (!reached()) break;
      expect(
        [
          [1, 2],
          [1, undefined],
          [3, undefined],
        ],
        `call ${at}`,
      ).to.deep.include(roles(folder));
      await publishContent(path, 'three');
      expect(roles(folder)).to.deep.equal([3, undefined]);
    }
    expect(at).to.be.greaterThan(8);
  });

  for (const { name, make, between, atLast } of CHANGES)
    it(`survives a kill at any call of ${name}: the old state or the new one`, async () => {
      let at = 1;
      for (; ; at++) {
        const { folder } = await withCanary();
        const { disk, reached } = killedAt(at);
        try {
          make({ ...access, disk }, folder);
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
        }
        if (!reached()) break;
        const seen = roles(folder);
        expect(between, `call ${at}`).to.deep.include(seen);
        if (seen[1] !== undefined) make(access, folder);
        expect(roles(folder)).to.deep.equal(atLast);
      }
      expect(at).to.be.greaterThan(3);
    });
});
