/** What is taken for a store, what is refused as one, and stores of versions that marked none. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { markOf } from '../../../../src/language/host/process-identity.js';
import { MARKER, storeId } from '../../../../src/language/host/store-marker.js';
import { writePipeline } from '../../../pipeline/run/pipelines.js';
import { type Ended, freshFolder, ftpc, objects } from '../folders.js';

const KEY = 'a'.repeat(64);

/** A directory with a pipeline that makes rows and texts. */
function directory(): string {
  const cwd = freshFolder();
  writePipeline(cwd, { rows: 20 });
  return cwd;
}

const run = (cwd: string, ...words: readonly string[]): Promise<Ended> =>
  ftpc(cwd, ['run', 'tiny.ftp', '--json', ...words]);

const actionsOf = ({ out }: Ended) =>
  objects(out)
    .filter(({ type }) => type === 'stage.started')
    .map(({ action }) => action);

async function ran(cwd: string, actions: readonly string[], ...words: readonly string[]): Promise<void> {
  const ended = await run(cwd, ...words);
  expect(ended.code, ended.err).to.equal(0);
  expect(actionsOf(ended)).to.deep.equal(actions);
}
const made = (cwd: string, ...words: readonly string[]) => ran(cwd, ['run', 'run'], ...words);
const cached = (cwd: string, ...words: readonly string[]) => ran(cwd, ['cached', 'cached'], ...words);

/** Refused with a code, whatever reads or writes a store. */
async function refused(cwd: string, code: string, ...words: readonly string[]): Promise<string> {
  const ended = await ftpc(cwd, ['run', 'tiny.ftp', ...words]);
  for (const one of [ended, await ftpc(cwd, ['gc', '--delete', ...words])]) {
    expect(one.code, one.err).to.equal(1);
    expect(one.err).to.include(`[${code}]`);
  }
  return ended.err;
}

/** Everything below a folder: what it is, and what it holds. */
const tree = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const mode = lstatSync(path).mode.toString(8);
      const what = entry.isSymbolicLink()
        ? readlinkSync(path)
        : entry.isFile()
          ? createHash('sha256').update(readFileSync(path)).digest('hex')
          : '';
      return [relative(folder, path), `${mode} ${what}`];
    }),
  );

/** A folder that is somebody's, with a folder that is called as one of a store. */
function somebodys(): string {
  const folder = freshFolder();
  mkdirSync(join(folder, 'tmp/mine'), { recursive: true });
  writeFileSync(join(folder, 'tmp/mine/thesis.tex'), 'years of work');
  writeFileSync(join(folder, 'notes.txt'), 'notes');
  return folder;
}

describe('a store', () => {
  it('is no folder that holds something else, until it is made one', async () => {
    const [cwd, folder] = [directory(), somebodys()];
    const before = tree(folder);
    const err = await refused(cwd, 'FTP0807', '--store', folder);
    expect(err).to.include(`\`${folder}\` is not a store, and not empty: it has \`notes.txt\` and \`tmp\``);
    expect(err).to.include(`\`ftpc store init ${folder}\` makes this one a store`);
    expect(tree(folder)).to.deep.equal(before);
    const init = () => ftpc(cwd, ['store', 'init', folder]);
    expect(await init()).to.deep.equal({ code: 0, out: '', err: `${folder} is a store now\n` });
    const id = storeId(folder);
    expect(await init()).to.deep.equal({ code: 0, out: '', err: `${folder} was a store already\n` });
    await made(cwd, '--store', folder);
    await cached(cwd, '--store', folder);
    expect(storeId(folder)).to.equal(id);
    expect((await ftpc(cwd, ['gc', '--delete', '--grace', '0', '--store', folder])).code).to.equal(0);
    expect(tree(folder), 'what was there').to.include(before);
  });

  it('is a folder that is empty, or not there, or that of a disk that was just formatted', async () => {
    const parent = freshFolder();
    const kinds: Readonly<Record<string, readonly string[]>> = {
      empty: [''],
      'new/and/deep': [],
      formatted: ['lost+found'],
      begun: ['store', 'work', 'tmp', 'claims', 'users', 'used'],
    };
    for (const [name, folders] of Object.entries(kinds)) {
      const folder = join(parent, name);
      for (const one of folders) mkdirSync(join(folder, one), { recursive: true });
      const cwd = directory();
      await made(cwd, '--store', folder);
      expect(storeId(folder), name).to.match(/^[0-9a-f]{16}$/);
      for (const one of folders) expect(existsSync(join(folder, one)), one).to.equal(true);
    }
  });

  it('may be a link, and so may the one of a directory: both are followed', async () => {
    const [cwd, real, links] = [directory(), freshFolder(), freshFolder()];
    symlinkSync(real, join(links, 'store'));
    await made(cwd, '--store', join(links, 'store'));
    expect(readdirSync(join(real, 'store'))).to.have.lengthOf(2);
    await cached(cwd, '--store', real);
    const other = directory();
    const elsewhere = freshFolder();
    symlinkSync(elsewhere, join(other, '.ftp'));
    await made(other);
    await cached(other);
    expect(storeId(elsewhere)).to.match(/^[0-9a-f]{16}$/);
    expect(readdirSync(join(elsewhere, 'store'))).to.have.lengthOf(2);
    writePipeline(other, { rows: 30 });
    await made(other);
    expect(readdirSync(join(elsewhere, 'store'))).to.have.lengthOf(4);
    expect((await ftpc(other, ['gc', '--delete', '--grace', '0', '--keep-runs', '1'])).code).to.equal(0);
    expect(readdirSync(join(elsewhere, 'store')), 'gc goes through it too').to.have.lengthOf(2);
    await cached(other);
    for (const link of [join(links, 'store'), join(other, '.ftp')])
      expect(lstatSync(link).isSymbolicLink(), link).to.equal(true);
  });

  it('has no folder that is a link', async () => {
    const [cwd, scratch] = [directory(), somebodys()];
    await made(cwd);
    const before = tree(scratch);
    for (const name of ['tmp', 'store', 'runs', 'work', 'claims']) {
      const path = join(cwd, '.ftp', name);
      const aside = join(cwd, 'aside');
      if (existsSync(path)) renameSync(path, aside);
      symlinkSync(scratch, path);
      const err = await refused(cwd, 'FTP0808');
      expect(err).to.include(`\`${path}\` is a link: the folders of a store are its own`);
      expect(err).to.include('move what it leads to here; to keep outputs elsewhere');
      expect(tree(scratch), name).to.deep.equal(before);
      rmSync(path);
      if (existsSync(aside)) renameSync(aside, path);
    }
    await cached(cwd);
  });

  it('of a later version is not used, nor is its marker replaced', async () => {
    const cwd = directory();
    await made(cwd);
    const marker = join(cwd, '.ftp', MARKER);
    for (const text of ['{"version":99,"id":"0123456789abcdef"}\n', '{"version":1,']) {
      writeFileSync(marker, text);
      const before = tree(join(cwd, '.ftp'));
      const err = await refused(cwd, 'FTP0810');
      expect(err).to.include(`\`${marker}\` cannot be read`);
      expect((await ftpc(cwd, ['store', 'init', '.ftp'])).err).to.include('[FTP0810]');
      expect(tree(join(cwd, '.ftp'))).to.deep.equal(before);
    }
    rmSync(marker);
    await cached(cwd);
  });

  it('of a version that marked none is known by its layout, marked once, and used without loss', async () => {
    const cwd = directory();
    await made(cwd);
    const root = join(cwd, '.ftp');
    rmSync(join(root, MARKER));
    const left = plantLeftovers(root);
    const before = withoutNew(tree(root));
    await cached(cwd);
    const id = storeId(root);
    expect(id).to.match(/^[0-9a-f]{16}$/);
    for (const path of left.gone) expect(existsSync(path), path).to.equal(false);
    expect(readdirSync(join(root, 'tmp'))).to.deep.equal([left.foreign]);
    const after = tree(root);
    for (const [path, what] of Object.entries(before))
      if (!left.gone.some((gone) => join(root, path).startsWith(gone)))
        expect(after[path], path).to.equal(what);
    await cached(cwd);
    expect(storeId(root), 'the same one').to.equal(id);
  });

  it('of such a version that several use is marked once, too', async () => {
    const [cwd, other, shared] = [directory(), directory(), freshFolder()];
    await made(cwd, '--store', shared);
    rmSync(join(shared, MARKER));
    const before = tree(join(shared, 'store'));
    await cached(other, '--store', shared);
    const id = storeId(shared);
    await cached(cwd, '--store', shared);
    expect(storeId(shared))
      .to.equal(id)
      .and.match(/^[0-9a-f]{16}$/);
    expect(tree(join(shared, 'store'))).to.deep.equal(before);
  });
});

/** What changes with each run, though nothing is lost: when outputs were used, and who uses them. */
const withoutNew = (found: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(found).filter(([path]) => !/^(?:users|used|speed\.json)/.test(path)));

/** What killed runs of such a version left in `tmp`, and what is somebody's there. */
function plantLeftovers(root: string): { readonly gone: readonly string[]; readonly foreign: string } {
  const foreign = 'removed.thesis';
  const gone = [`${KEY}.${markOf()}`, `removed.${markOf()}`].map((name) => join(root, 'tmp', name));
  for (const path of [...gone, join(root, 'tmp', foreign)]) {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'rows.jsonl'), '{}\n');
  }
  return { gone, foreign };
}
