import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { ReleaseManifest } from '../../../src/compute/packaging/manifest.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { type Disk, DiskError } from '../../../src/language/host/disk.js';
import { readHistory } from '../../../src/pipeline/deploy/history.js';
import { listReleases, verifyRelease } from '../../../src/pipeline/deploy/releases.js';
import { scratch } from '../../compute/evaluation/tiny.js';
import { access, publishContent, source } from './releases-fixture.js';

describe('publishing', () => {
  const places: { remove(): void }[] = [];
  const fresh = (): string => {
    const place = scratch();
    places.push(place);
    return place.path;
  };
  after(() => {
    for (const place of places) place.remove();
  });
  const releasesOf = (folder: string): string => join(folder, 'releases');
  const current = (folder: string): string => readlinkSync(join(releasesOf(folder), 'current'));

  it('makes numbered releases, each with its manifest, and moves current', async () => {
    const folder = fresh();
    const first = await publishContent(folder, 'one');
    const second = await publishContent(folder, 'two');
    expect([first.number, second.number]).to.deep.equal([1, 2]);
    expect(readdirSync(releasesOf(folder)).sort()).to.deep.equal([
      '0001',
      '0002',
      'current',
      'history.jsonl',
    ]);
    expect(current(folder)).to.equal('0002');
    const manifest = JSON.parse(readFileSync(join(first.path, 'manifest.json'), 'utf8')) as ReleaseManifest;
    expect(manifest).to.include({ version: 1, release: 1, kind: 'model', ftpc: '0.0.0' });
    expect(Object.keys(manifest.files)).to.deep.equal([
      'config.json',
      'deep/tokenizer.json',
      'model.safetensors',
    ]);
    expect(manifest.smoke).to.deep.equal({ prompt: 'q', answer: 'a' });
    expect(verifyRelease(access, releasesOf(folder), 1)).to.deep.equal({
      release: 1,
      holds: true,
      problems: [],
    });
    expect(
      readHistory(access, releasesOf(folder)).map(({ action, release, from }) => [action, release, from]),
    ).to.deep.equal([
      ['publish', 1, null],
      ['publish', 2, 1],
    ]);
  });

  it('publishes the same content once, and makes an old release current again', async () => {
    const folder = fresh();
    const first = await publishContent(folder, 'one');
    expect(await publishContent(folder, 'one')).to.deep.equal({ ...first, action: 'unchanged' });
    await publishContent(folder, 'two');
    const again = await publishContent(folder, 'one');
    expect(again).to.deep.equal({ ...first, action: 'again' });
    expect(current(folder)).to.equal('0001');
    expect(listReleases(access, releasesOf(folder))).to.have.length(2);
    expect(readHistory(access, releasesOf(folder))).to.have.length(3);
  });

  it('publishes again where the release of the same content is damaged', async () => {
    const folder = fresh();
    const first = await publishContent(folder, 'one');
    writeFileSync(join(first.path, 'config.json'), '{"changed": true}');
    expect((await publishContent(folder, 'one')).number).to.equal(2);
    expect(verifyRelease(access, releasesOf(folder), 1).problems).to.deep.equal([
      'config.json has 17 bytes instead of 2',
    ]);
  });

  it('keeps another base apart: the same adapter over it is another release', async () => {
    const folder = fresh();
    await publishContent(folder, 'one');
    const other = { label: 'other', folder: 'o', storage: 'stored', sha256: 'c', files: {} } as const;
    const draft = {
      kind: 'adapter',
      ftpc: '0.0.0',
      base: other,
      adapter: null,
      stages: [],
      data: [],
      settings: {},
      metrics: {},
      baseline: {},
    } as const;
    expect((await publishContent(folder, 'one', { draft })).number).to.equal(2);
  });

  it('shows nothing of a release that does not answer, and leaves current alone', async () => {
    const folder = fresh();
    await publishContent(folder, 'one');
    const failed = new Error('it does not answer');
    let caught: unknown;
    let asked = '';
    await publishContent(folder, 'two', {
      smoke: async (release) => {
        asked = readFileSync(join(release, 'deep', 'tokenizer.json'), 'utf8');
        throw failed;
      },
    }).catch((error: unknown) => {
      caught = error;
    });
    expect(caught).to.equal(failed);
    expect(asked).to.equal('two');
    expect(readdirSync(releasesOf(folder)).sort()).to.deep.equal(['0001', 'current', 'history.jsonl']);
    expect(current(folder)).to.equal('0001');
    expect((await publishContent(folder, 'two')).number).to.equal(2);
  });

  it('does not replace a folder called current that is no link', async () => {
    const folder = fresh();
    await publishContent(folder, 'one');
    rmSync(join(releasesOf(folder), 'current'));
    access.disk.makeFolder(join(releasesOf(folder), 'current'));
    let code = '';
    await publishContent(folder, 'two').catch((error: unknown) => {
      if (error instanceof UserError) code = error.diagnostic.code;
    });
    expect(code).to.equal('FTP0750');
  });

  /** Every call that writes, counted; call number `at` fails in the middle, and so does each one after it. */
  const failing = (at: number, error: () => Error, writer: string): { disk: Disk; calls: () => number } => {
    let calls = 0;
    const guard =
      <A extends readonly unknown[]>(work: (...args: A) => void, half?: (...args: A) => void) =>
      (...args: A): void => {
        calls++;
        if (calls > at) throw error();
        if (calls < at) {
          work(...args);
          return;
        }
        half?.(...args);
        throw error();
      };
    const real = access.disk;
    return {
      calls: () => calls,
      disk: {
        ...real,
        writer,
        makeFolder: guard(real.makeFolder),
        copy: guard(real.copy, (from, to) => {
          real.makeFolder(dirname(to));
          real.write(to, readFileSync(from, 'utf8').slice(0, 100));
        }),
        write: guard(real.write, (path, text) => real.write(path, text.slice(0, text.length / 2))),
        append: guard(real.append, (path, text) => real.append(path, text.slice(0, text.length / 2))),
        rename: guard(real.rename),
        link: guard(real.link),
        remove: guard(real.remove),
      },
    };
  };

  /** Whatever happened: every release that can be seen is whole, and current is one of them. */
  const isSound = (folder: string): number => {
    const releases = listReleases(access, releasesOf(folder));
    for (const { number } of releases)
      expect(verifyRelease(access, releasesOf(folder), number).problems, `release ${number}`).to.deep.equal(
        [],
      );
    expect(releases.filter(({ current: is }) => is)).to.have.length(1);
    return releases.length;
  };

  class Killed extends Error {}
  /** As a killed process of this machine has it. */
  const DEAD = access.disk.writer.replace(/^\d+/, '4194303');

  it('survives a kill at any call: the old state or the new one, and the next run tidies up', async () => {
    let at = 1;
    for (; ; at++) {
      const folder = fresh();
      await publishContent(folder, 'one');
      const { disk, calls } = failing(at, () => new Killed(), DEAD);
      let killed = false;
      await publishContent(folder, 'two', {}, { ...access, disk }).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
        killed = true;
      });
      if (!killed && calls() < at) break;
      const seen = isSound(folder);
      expect(seen).to.be.within(1, 2);
      const then = await publishContent(folder, 'two');
      expect(then.number).to.equal(2);
      expect(isSound(folder)).to.equal(2);
      expect(current(folder)).to.equal('0002');
      expect(readdirSync(releasesOf(folder)).filter((name) => name.startsWith('.'))).to.deep.equal([]);
      for (const entry of readHistory(access, releasesOf(folder))) expect(entry.release).to.be.within(1, 2);
    }
    // Two folders, three copies, manifest, rename, link and rename, history, and removals.
    expect(at).to.be.greaterThan(10);
  });

  it('says so when the disk is full, at any call, and keeps the current release', async () => {
    const full = (): Error => new DiskError('full', '/somewhere', 'ENOSPC');
    let at = 1;
    for (; ; at++) {
      const folder = fresh();
      await publishContent(folder, 'one');
      const { disk, calls } = failing(at, full, access.disk.writer);
      let code = 'none';
      await publishContent(folder, 'two', {}, { ...access, disk }).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        code = error.diagnostic.code;
      });
      if (calls() < at) break;
      expect(code, `call ${at}`).to.equal('FTP0741');
      isSound(folder);
      expect((await publishContent(folder, 'two')).number).to.equal(2);
    }
    expect(at).to.be.greaterThan(10);
  });

  it('notices a file that changes while it is copied', async () => {
    const folder = fresh();
    const path = source(folder, 'two');
    const disk: Disk = {
      ...access.disk,
      copy: (from, to) => {
        writeFileSync(join(path, 'config.json'), '{"other": 1}');
        access.disk.copy(from, to);
      },
    };
    let code = '';
    await publishContent(folder, 'two', {}, { ...access, disk }).catch((error: unknown) => {
      if (error instanceof UserError) code = error.diagnostic.code;
    });
    expect(code).to.equal('FTP0747');
    expect(listReleases(access, releasesOf(folder))).to.deep.equal([]);
  });
});
