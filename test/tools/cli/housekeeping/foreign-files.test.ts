/** Whatever cleans, in every place that ftpc ever cleans, leaves what is somebody else's, digest by digest. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { storeId } from '../../../../src/language/host/store-marker.js';
import { initStore } from '../../../../src/pipeline/store/enter.js';
import { deadMark, type Foreign, foreign, type Names } from '../../../helpers/foreign.js';
import { writePipeline } from '../../../pipeline/run/pipelines.js';
import { freshFolder, ftpc } from '../folders.js';

const KEY = 'c0ffee00'.repeat(8);
const OTHER = 'facade00'.repeat(8);
const RUN = '20260101-000000-abcd';
const ID = '0123456789abcdef';
const DEAD = 4_194_303;

/** Names that look like what ftpc removes from the folders of a store. */
const lookalikes = (id: string): Readonly<Record<string, Names>> => ({
  '': {
    'lock.stale': 'file',
    'lock.12.notes': 'file',
    [`lock.${DEAD}.${RUN}`]: 'link',
    'lock.stale.12': 'folder',
    [`config.json.${deadMark()}.tmp`]: 'folder',
    [`speed.json.${deadMark()}.tmp`]: 'link',
  },
  store: { [KEY]: 'folder', [OTHER]: 'link', [`${KEY}.bak`]: 'folder', ['ab'.repeat(32)]: 'file' },
  work: { [KEY]: 'folder', [OTHER]: 'link', [`${KEY}x`]: 'folder', ['ab'.repeat(32)]: 'file' },
  tmp: {
    [KEY]: 'folder',
    [`${KEY}.${deadMark()}`]: 'folder',
    [`${KEY}.${ID}.${deadMark()}`]: 'folder',
    [`${OTHER}.${id}.${deadMark()}`]: 'link',
    [`removed.${id}.${deadMark()}`]: 'file',
  },
  runs: {
    [RUN]: 'folder',
    '20260101-000000-ffff': 'link',
    '20260101-000000-eeee': 'file',
    [`${RUN}.bak`]: 'folder',
  },
  claims: {
    'something.ticket': 'file',
    [`${KEY}.${deadMark()}.ticket`]: 'folder',
    [`${KEY}.stale.${deadMark()}`]: 'link',
    [`${OTHER}.${deadMark()}.beat`]: 'socket',
    [`${KEY}.bak`]: 'file',
    'other.beat': 'file',
  },
  stops: { [RUN]: 'folder', '20260101-000000-ffff': 'link', 'other-run': 'file' },
  users: { 'someone.json': 'file', [`${ID}.json`]: 'folder', 'fedcba9876543210.json': 'link' },
  used: { [KEY]: 'folder', 'now.then': 'file', [OTHER]: 'socket' },
});

/** What killed processes left in a store, which has to go; claims are those of the store that is used. */
function plantOwn(root: string, hasClaims: boolean): readonly string[] {
  const id = storeId(root) ?? '';
  const folders = [`${KEY}.${id}.${deadMark()}`, `removed.${id}.${deadMark()}`].map((name) =>
    join(root, 'tmp', name),
  );
  for (const folder of folders) write(join(folder, 'rows.jsonl'), '{}');
  const claims = hasClaims ? [`claims/${OTHER}.${deadMark()}.ticket`] : [];
  const files = [`speed.json.${deadMark()}.tmp`, ...claims].map((name) => write(join(root, name), '{}'));
  return [...folders, ...files];
}

function write(path: string, text: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function plantStore(planter: Foreign, root: string): Promise<void> {
  for (const [folder, names] of Object.entries(lookalikes(storeId(root) ?? '')))
    await planter.plant(join(root, folder), names);
}

describe('what somebody else has put where ftpc cleans', () => {
  let planter: Foreign;
  beforeEach(() => {
    planter = foreign();
  });
  afterEach(() => planter.remove());

  const TIDY = ['gc', '--delete', '--cache', '--checkpoints', '--grace', '0', '--keep-runs', '1'];

  for (const [where, isShared] of [
    ['the store of a directory', false],
    ['a store that several use', true],
  ] as const)
    it(`stays in ${where}, whatever runs and cleans`, async () => {
      const [cwd, shared] = [freshFolder(), freshFolder()];
      const own = join(cwd, '.ftp');
      const root = isShared ? shared : own;
      const words = isShared ? ['--store', shared] : [];
      const env = { HF_HUB_CACHE: join(cwd, 'hub'), XDG_CACHE_HOME: join(cwd, 'cache') };
      const succeeds = async (...all: readonly string[]): Promise<string> => {
        const { code, err, out } = await ftpc(cwd, [...all, ...words], env);
        expect(code, `${all.join(' ')}: ${err}`).to.equal(0);
        return out;
      };
      writePipeline(cwd, { rows: 20 });
      await succeeds('run', 'tiny.ftp');
      const [first = ''] = readdirSync(join(root, 'store'));
      const [run = ''] = readdirSync(join(own, 'runs'));
      const tests = join(own, 'tests/.ftp');
      initStore(tests);
      const stores = [...new Set([root, own, tests])];
      const leave = () => stores.flatMap((store) => plantOwn(store, store !== own || !isShared));
      for (const store of stores) await plantStore(planter, store);
      // within what ftpc has made, which nobody needs any more
      await planter.plant(join(root, 'store', first));
      await planter.plant(join(own, 'runs', run));
      const checkpoints = workOf(root, ['b'.repeat(64), first]);
      const [, finished] = checkpoints;
      for (const folder of checkpoints)
        await planter.plant(folder, { 'step-00000009': 'folder', references: 'link', result: 'socket' });

      for (const rows of [30, 40]) {
        const left = leave();
        leaveLock(own);
        writePipeline(cwd, { rows });
        await succeeds('run', 'tiny.ftp');
        for (const path of left.filter((one) => !one.startsWith(tests)))
          expect(existsSync(path), `a run sweeps ${path}`).to.equal(false);
        planter.check();
      }
      const outputs = readdirSync(join(root, 'store')).length;
      const left = leave();
      await succeeds('gc');
      planter.check();
      await succeeds(...TIDY);
      for (const path of left) expect(existsSync(path), `gc removes ${path}`).to.equal(false);
      // those of the first run have a work folder, in which something is
      expect(readdirSync(join(root, 'store')), 'outputs of the second run').to.have.lengthOf(outputs - 2);
      expect(existsSync(join(own, 'runs', run, 'journal.jsonl')), 'with what is in it').to.equal(true);
      for (const folder of checkpoints)
        expect(existsSync(join(folder, '.unfinished-step-00000004')), folder).to.equal(folder !== finished);
      expect(existsSync(join(root, 'store', first, 'stage.json')), 'with what is in it').to.equal(true);
      planter.check();
      await succeeds('run', 'tiny.ftp');
      await succeeds('status');
      planter.check();
    });
});

/** Work folders with a checkpoint each, as a killed training leaves them. */
function workOf(root: string, keys: readonly string[]): readonly string[] {
  return keys.map((key) => {
    const folder = join(root, 'work', key);
    write(join(folder, 'step-00000002/commit.json'), '{}');
    write(join(folder, '.unfinished-step-00000004/adapter.bin'), 'half');
    return folder;
  });
}

/** The lock of a run that was killed. */
const leaveLock = (root: string): string =>
  write(join(root, 'lock'), JSON.stringify({ pid: DEAD, runId: RUN, since: '2026-01-01T00:00:00Z' }));
