/** The places outside of stores that ftpc cleans: what is somebody else's there stays, digest by digest. */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { archiveOf } from '../../../../src/compute/libraries/packed.js';
import { librariesFolder, unpacked } from '../../../../src/compute/libraries/unpack.js';
import { conversionsFolder, converted } from '../../../../src/compute/serving/llama-cpp/conversions.js';
import { runtimesFolder } from '../../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import { writeCachedText } from '../../../../src/language/host/cached-text.js';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { promote } from '../../../../src/pipeline/deploy/promote.js';
import { rollback } from '../../../../src/pipeline/deploy/rollback.js';
import { removeCommit, unusedCommits } from '../../../../src/pipeline/hub/cache-garbage.js';
import { listingText } from '../../../../src/pipeline/hub/listing.js';
import { openRequestJournal } from '../../../../src/pipeline/serve/monitoring/request-journal.js';
import { alone, finish, removeWheels } from '../../../../src/tools/install/staging.js';
import { fakePackage } from '../../../compute/libraries/fake-package.js';
import { deadMark, type Foreign, foreign, type Names } from '../../../helpers/foreign.js';
import { access, publishContent } from '../../../pipeline/deploy/releases-fixture.js';
import { writePipeline } from '../../../pipeline/run/pipelines.js';
import { requestLine } from '../../../pipeline/serve/request-lines.js';
import { freshFolder, ftpc } from '../folders.js';

const DEAD = 4_194_303;
const YEAR = 365 * 86_400_000;
const [OLD, OTHER] = ['a'.repeat(40), 'b'.repeat(40)] as const;

/** Of a process that is gone, as releases have it. */
const deadWriter = (): string => deadMark().replace(/-[0-9a-f]{12}$/, '');

function write(path: string, text = 'text'): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** With a cache of its own; a year from now, so that all that is in it is old. */
function hostOf(folder: string, later = YEAR): Host {
  const real = nodeHost(folder);
  const own: Readonly<Record<string, string>> = {
    XDG_CACHE_HOME: join(folder, 'cache'),
    HF_HUB_CACHE: join(folder, 'hub'),
  };
  return { ...real, now: () => real.now() + later, env: (name) => own[name] ?? real.env(name) };
}

describe('what somebody else has put outside of the stores', () => {
  let planter: Foreign;
  let folder: string;
  beforeEach(() => {
    planter = foreign();
    folder = freshFolder();
  });
  afterEach(() => planter.remove());

  it('stays in a folder of releases, whoever publishes, goes back and promotes', async () => {
    const releases = join(folder, 'releases');
    await publishContent(folder, 'one');
    await planter.plant(releases, {
      '.publishing-mine': 'folder',
      [`.publishing-${deadWriter()}`]: 'socket',
      [`.current-${deadWriter()}x`]: 'link',
      '.canary-mine': 'file',
      'current.bak': 'link',
      'canary.json.bak': 'file',
      '0007': 'link',
      '0008': 'file',
      '0009': 'folder',
    });
    await planter.plant(join(releases, '.shares/0001'), { '0.5': 'file', half: 'folder', '1': 'link' });
    const left = write(join(releases, `.publishing-${deadWriter()}0/model.bin`));
    renameSync(join(left, '..'), join(releases, `.publishing-${deadWriter().replace(/^\d+/, String(DEAD))}`));
    await publishContent(folder, 'two');
    expect(readdirSync(releases).filter((name) => name.includes(String(DEAD)))).to.deep.equal([]);
    await publishContent(folder, 'three', { canary: 0.25 });
    promote(access, releases, 0.5);
    promote(access, releases);
    rollback(access, releases);
    await publishContent(folder, 'three');
    planter.check();
    // in a release: it is not what was published any more, and another takes its place
    await planter.plant(join(releases, '0001'), { 'manifest.json.bak': 'file' });
    await publishContent(folder, 'one');
    expect(readlinkSync(join(releases, 'current')))
      .to.match(/^00\d\d$/)
      .and.not.equal('0001');
    planter.check();
  });

  it('stays next to the journal of a server, which drops its oldest file', async () => {
    const traffic = join(folder, 'traffic');
    await planter.plant(traffic, {
      'requests.jsonl.bak': 'file',
      'requests.1.jsonl.gz': 'file',
      'traffic-2026.jsonl.bak': 'file',
      'requests.one.jsonl': 'link',
      'requests.9.jsonl': 'folder',
    });
    const fill = (): number => {
      const journal = openRequestJournal(traffic, { report: () => {}, files: 3, largest: 2000 });
      for (let index = 0; index < 60; index++) journal.append(requestLine({ id: `id-${index}` }));
      journal.close();
      return journal.lost();
    };
    expect(fill()).to.equal(0);
    expect(existsSync(join(traffic, 'requests.2.jsonl'))).to.equal(true);
    planter.check();
  });

  for (const kind of ['link', 'folder', 'pipe', 'dangling'] as const)
    it(`stays where the oldest file of the journal is to be, and is ${kind === 'dangling' ? 'a link to nothing' : `a ${kind}`}`, async () => {
      const traffic = join(folder, 'traffic');
      const names: Names = kind === 'dangling' ? {} : { 'requests.1.jsonl': kind };
      await planter.plant(traffic, names);
      if (kind === 'dangling') symlinkSync('nowhere', join(traffic, 'requests.1.jsonl'));
      const told: string[] = [];
      const journal = openRequestJournal(traffic, {
        report: (text) => void told.push(text),
        files: 2,
        largest: 2000,
      });
      for (let index = 0; index < 20; index++) journal.append(requestLine({ id: `id-${index}` }));
      journal.close();
      expect(journal.lost()).to.be.above(0);
      expect(told[0]).to.include('is no file of ftpc');
      if (kind === 'dangling') expect(readlinkSync(join(traffic, 'requests.1.jsonl'))).to.equal('nowhere');
      planter.check();
    });

  it('stays in the cache of the Hub', async () => {
    const host = hostOf(folder);
    const repository = join(folder, 'hub/models--org--name');
    const blob = '1'.repeat(40);
    const own = [
      write(join(repository, 'blobs', blob), blob),
      write(join(repository, 'refs/main'), OLD),
      write(join(repository, 'blobs', `${'2'.repeat(40)}.ftpc-gone,${DEAD},1`), 'half'),
      write(
        join(repository, 'ftpc', `${OLD}.json`),
        listingText({ commit: OLD, files: [{ name: 'config.json', bytes: 40, blob }] }),
      ),
      join(repository, 'snapshots', OLD, 'config.json'),
    ];
    mkdirSync(join(repository, 'snapshots', OLD), { recursive: true });
    symlinkSync(`../../blobs/${blob}`, join(repository, 'snapshots', OLD, 'config.json'));
    const half = `${'3'.repeat(40)}.ftpc-gone,${DEAD},1`;
    await planter.plant(join(folder, 'hub'), { 'models--org--other': 'folder' });
    for (const [name, names] of Object.entries<Names>({
      '.': {},
      blobs: {
        ['4'.repeat(40)]: 'file',
        [half]: 'link',
        [`${blob}.incomplete`]: 'file',
        'x.partial': 'file',
      },
      refs: { 'refs-of-mine': 'folder', v9: 'link' },
      snapshots: { [OTHER]: 'folder' },
      [`snapshots/${OLD}`]: { 'config.json.bak': 'file', 'model.safetensors': 'link' },
      ftpc: { [`${OTHER}.json`]: 'link', [`${'c'.repeat(40)}.json`]: 'folder', 'mine.json': 'file' },
      'ftpc-sealed': { [`${OTHER}.json`]: 'link', 'mine.json': 'file' },
    }))
      await planter.plant(join(repository, name), names);
    planter.age();
    const found = unusedCommits(host, new Set(), host.now());
    expect(found.map(({ commit }) => commit)).to.deep.equal([OLD, 'unfinished']);
    for (const commit of found) removeCommit(host, commit);
    for (const path of own) expect(existsSync(path), path).to.equal(false);
    planter.check();
  });

  it('stays in the cache of small texts, which keeps so many', async () => {
    const cache = join(folder, 'texts');
    const named = (index: number): string => join(cache, `${String(index).padStart(16, '0')}.json`);
    for (let index = 0; index < 600; index++) {
      write(named(index));
      utimesSync(named(index), index + 1e9, index + 1e9);
    }
    await planter.plant(cache, {
      [`${'e'.repeat(16)}.json`]: 'link',
      [`${'d'.repeat(16)}.json`]: 'folder',
      [`${'c'.repeat(16)}.json.bak`]: 'file',
      'mine.json': 'file',
    });
    planter.age();
    writeCachedText(join(cache, `${'f'.repeat(16)}.json`), 'text');
    expect(existsSync(named(0))).to.equal(false);
    expect(existsSync(named(599))).to.equal(true);
    planter.check();
  });

  it('stays next to a folder that a training is ejected to, and in it', async () => {
    writePipeline(folder, { rows: 20, steps: 4 });
    const left = join(folder, `.out.unfinished-${deadMark()}`);
    write(join(left, 'half.bin'));
    await planter.plant(folder, {
      '.out.unfinished-mine': 'folder',
      [`.out.unfinished-${deadMark()}`]: 'file',
      [`.out.unfinished-${deadMark().replace(/^\d+/, '1')}x`]: 'folder',
      [`.other.unfinished-${deadMark()}`]: 'folder',
      [`.out.unfinished-${deadMark().replace(/^\d+/, '7')}`]: 'link',
    });
    const eject = () =>
      ftpc(folder, ['eject', 'tiny.ftp', 'out'], { XDG_CACHE_HOME: join(folder, 'cache'), FTPC_PYTHON: '' });
    const { code, err } = await eject();
    expect(code, err).to.equal(0);
    expect(existsSync(left)).to.equal(false);
    planter.check();
    await planter.plant(join(folder, 'out'));
    expect((await eject()).err).to.include('`out` is there already');
    planter.check();
  });

  it('stays next to runtimes, whichever installation was cut off', async () => {
    const host = hostOf(folder, 0);
    const root = runtimesFolder(host);
    const what = { name: 'tensorflow', title: 'TensorFlow' };
    const lock = write(join(root, '.tensorflow.lock'), JSON.stringify({ pid: DEAD, runId: 'x' }));
    const left = [
      write(join(root, `.tensorflow-${DEAD}/half`)),
      write(join(root, `.llama-${DEAD}.old/half`)),
    ];
    await planter.plant(root, {
      '.tensorflow-mine': 'folder',
      [`.tensorflow-${DEAD - 1}`]: 'link',
      [`.tensorflow-${DEAD - 2}.bak`]: 'folder',
      [`.llama-${DEAD - 3}`]: 'socket',
      '.tensorflow.lock.bak': 'file',
      [`tensorflow-${DEAD}`]: 'folder',
    });
    await planter.plant(join(root, 'downloads'), {
      'mine.whl': 'folder',
      'yours.whl': 'link',
      'a.zip': 'file',
    });
    const wheel = write(join(root, 'downloads/tensorflow.whl'));
    write(join(root, 'tensorflow/old'), 'version before');
    await alone(host, what, (staging) => {
      mkdirSync(staging);
      finish(staging, join(root, 'tensorflow'), { version: 1 });
      removeWheels(join(root, 'downloads'));
    });
    for (const path of [lock, ...left, wheel, join(root, 'tensorflow/old')])
      expect(existsSync(path), path).to.equal(false);
    planter.check();
  });

  it('stays among models that were written for llama.cpp', async () => {
    const host = hostOf(folder);
    const cache = conversionsFolder(host);
    const own = [`.${randomUUID()}`, `${'0'.repeat(32)}.gguf`].map((name) => write(join(cache, name)));
    await planter.plant(cache, {
      [`.${randomUUID()}`]: 'folder',
      [`.${randomUUID().slice(1)}`]: 'file',
      [`${'1'.repeat(32)}.gguf`]: 'link',
      [`${'2'.repeat(32)}.gguf`]: 'folder',
      [`${'3'.repeat(32)}.gguf.bak`]: 'file',
      'llama-7b.gguf': 'file',
    });
    planter.age();
    const source = write(join(folder, 'model.safetensors'));
    const make = () => ({ bytes: 4, chunks: () => [Buffer.from('GGUF')] });
    const path = converted(host, { label: 'model', sources: [source], form: 'f16', make });
    expect(readFileSync(path, 'utf8')).to.equal('GGUF');
    for (const one of own) expect(existsSync(one), one).to.equal(false);
    planter.check();
  });

  it('stays among libraries that were unpacked', async () => {
    const made = fakePackage({ 'node_modules/tokenizers/index.js': "exports.name = 'it';\n" });
    const host = { ...made.host, now: () => Date.now() + YEAR };
    const root = librariesFolder(host);
    const archive = archiveOf(host, 'tokenizers');
    const own = [join(root, `.${randomUUID()}`), join(root, 'tokenizers-0.9.0-0000')];
    write(join(own[0] ?? '', 'half'));
    write(join(own[1] ?? '', 'manifest.json'), JSON.stringify({ version: 1, files: {} }));
    await planter.plant(root, {
      [`.${randomUUID()}`]: 'link',
      [`.${randomUUID()}.bak`]: 'folder',
      'tokenizers-mine': 'folder',
      'tokenizers-0.8.0': 'link',
    });
    write(join(root, 'tokenizers-mine-too/manifest.json'), '{"name":"a web application"}');
    planter.age();
    expect(existsSync(await unpacked(host, archive))).to.equal(true);
    for (const path of own) expect(existsSync(path), path).to.equal(false);
    expect(existsSync(join(root, 'tokenizers-mine-too/manifest.json'))).to.equal(true);
    planter.check();
  });
});
