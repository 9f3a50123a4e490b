import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { noteUse, removeCommit, unusedCommits } from '../../../src/pipeline/hub/cache-garbage.js';
import { listingText } from '../../../src/pipeline/hub/listing.js';

/** Named by digests, as content is. */
const [ONE, BOTH, TWO, THREE, HALF] = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
  string,
];

const [OLD, NEW, FOREIGN] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];

describe('the cache of a hub', () => {
  const cache = mkdtempSync(join(tmpdir(), 'ftpc-cache-'));
  after(() => rmSync(cache, { recursive: true, force: true }));
  const host = { ...nodeHost(cache), env: (name: string) => (name === 'HF_HUB_CACHE' ? cache : undefined) };
  const repository = join(cache, 'models--org--name');
  const long = (Date.now() - 40 * 86_400_000) / 1000;

  /** A commit with files, as ftpc fetches it; without a list, as another program does. */
  function write(commit: string, blobs: readonly string[], isListed = true): void {
    const snapshot = join(repository, 'snapshots', commit);
    for (const folder of [
      snapshot,
      join(repository, 'blobs'),
      join(repository, 'refs'),
      join(repository, 'ftpc'),
    ])
      mkdirSync(folder, { recursive: true });
    for (const blob of blobs) {
      writeFileSync(join(repository, 'blobs', blob), blob);
      symlinkSync(`../../blobs/${blob}`, join(snapshot, `${blob}.bin`));
    }
    if (!isListed) return;
    const list = join(repository, 'ftpc', `${commit}.json`);
    const files = blobs.map((blob) => ({ name: `${blob}.bin`, bytes: blob.length, blob }));
    writeFileSync(list, listingText({ commit, files }));
    utimesSync(list, long, long);
  }

  before(() => {
    write(OLD, [ONE, BOTH]);
    write(NEW, [BOTH, TWO]);
    write(FOREIGN, [THREE], false);
    writeFileSync(join(repository, 'refs/main'), OLD);
    writeFileSync(join(repository, 'refs/v2'), NEW);
    const half = join(repository, 'blobs', `${HALF}.ftpc-gone,4194303,1`);
    writeFileSync(half, 'half');
    utimesSync(half, long, long);
  });

  it('keeps what a lock file names, what a run reads, and what others fetched', () => {
    const unused = (named: readonly string[]) =>
      unusedCommits(host, new Set(named), Date.now()).map(({ commit }) => commit);
    expect(unused([])).to.deep.equal([OLD, NEW, 'unfinished']);
    expect(unused([OLD])).to.deep.equal([NEW, 'unfinished']);
    noteUse(host, [{ kind: 'model', id: 'org/name', revision: 'v2', commit: NEW, files: [] }]);
    expect(unused([])).to.deep.equal([OLD, 'unfinished']);
  });

  it('loses a commit with its files, and no file of another one', () => {
    for (const commit of unusedCommits(host, new Set(), Date.now())) {
      expect(commit.bytes).to.be.above(0);
      removeCommit(host, commit);
    }
    expect(readdirSync(join(repository, 'blobs'))).to.deep.equal([BOTH, TWO, THREE]);
    expect(readdirSync(join(repository, 'snapshots'))).to.deep.equal([NEW, FOREIGN]);
    expect(readdirSync(join(repository, 'refs'))).to.deep.equal(['v2']);
    expect(existsSync(join(repository, 'ftpc', `${OLD}.json`))).to.equal(false);
  });
});
