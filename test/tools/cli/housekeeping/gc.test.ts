import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { deadMark } from '../../../helpers/foreign.js';
import { expectSchema } from '../../../helpers/schema.js';
import { writePipeline } from '../../../pipeline/run/pipelines.js';
import { FTPC, finish, start } from '../../../pipeline/run/processes.js';
import { freshFolder } from '../../../pipeline/run/worlds.js';

/** Texts as long as a parameter says. */
function writeLengths(cwd: string): void {
  writePipeline(cwd, { rows: 20 });
  const path = join(cwd, 'tiny.ftp');
  const text = readFileSync(path, 'utf8')
    .replace('data rows {', 'param length: Tokens = 128tok\n\ndata rows {')
    .replace('max_length = 128tok', 'max_length = length');
  writeFileSync(path, text);
}

const RUN = ['run', 'tiny.ftp', '--json'];
const run = (cwd: string, length: number, ...words: readonly string[]) =>
  finish(cwd, [...RUN, '-p', `length=${length}tok`, ...words]);

const actionsOf = ({ lines }: Awaited<ReturnType<typeof run>>) =>
  lines.filter(({ type }) => type === 'stage.started').map(({ action }) => action);

interface Found {
  readonly bytes: number;
  readonly outputs: readonly { readonly stage?: string; readonly bytes: number }[];
  readonly kept: readonly { readonly need: string }[];
  readonly leftovers: readonly { readonly path: string }[];
}

function gc(cwd: string, ...words: readonly string[]): Found {
  const { stdout, stderr } = spawnSync(process.execPath, [FTPC, 'gc', '--json', ...words], {
    cwd,
    encoding: 'utf8',
  });
  expect(stderr).to.equal('');
  const found = JSON.parse(stdout) as Found;
  expectSchema('gc', found);
  return found;
}

const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);

describe('gc', () => {
  it('leaves exactly what the kept runs need: they are cached, and the others are made again @long', async () => {
    const cwd = freshFolder();
    writeLengths(cwd);
    for (const length of [130, 140, 150]) expect((await run(cwd, length)).code).to.equal(0);
    const store = join(cwd, '.ftp/store');
    expect(namesIn(store), 'rows once, texts three times').to.have.lengthOf(4);
    expect(gc(cwd, '--keep-runs', '2').outputs, 'what was used lately').to.deep.equal([]);
    const shown = gc(cwd, '--keep-runs', '2', '--grace', '0');
    expect(shown.outputs.map(({ stage }) => stage)).to.deep.equal(['dialogs']);
    expect(shown.kept.map(({ need }) => need)).to.deep.equal(['recent_run', 'recent_run', 'recent_run']);
    expect(namesIn(store), 'nothing has gone').to.have.lengthOf(4);
    const done = gc(cwd, '--keep-runs', '2', '--grace', '0', '--delete');
    expect(done.bytes).to.equal(shown.bytes).and.above(0);
    expect(namesIn(store)).to.have.lengthOf(3);
    expect(namesIn(join(cwd, '.ftp/runs'))).to.have.lengthOf(2);
    for (const folder of ['tmp', 'claims'])
      expect(namesIn(join(cwd, '.ftp', folder)), folder).to.deep.equal([]);
    for (const length of [150, 140])
      expect(actionsOf(await run(cwd, length))).to.deep.equal(['cached', 'cached']);
    expect(actionsOf(await run(cwd, 130))).to.deep.equal(['cached', 'run']);
    expect(gc(cwd, '--keep-runs', '9', '--grace', '0').outputs).to.deep.equal([]);
  });

  it('keeps what others need of a store, until their directory is gone for a week', async () => {
    const [shared, mine, theirs] = [freshFolder(), freshFolder(), freshFolder()];
    const store = ['--store', shared];
    for (const cwd of [mine, theirs]) writeLengths(cwd);
    await run(mine, 130, ...store);
    await run(theirs, 140, ...store);
    rmSync(join(mine, '.ftp'), { recursive: true });
    const words = [...store, '--grace', '0', '--delete'];
    expect(
      gc(mine, ...words).outputs.map(({ stage }) => stage),
      'only what was mine',
    ).to.have.lengthOf(1);
    expect(actionsOf(await run(theirs, 140, ...store))).to.deep.equal(['cached', 'cached']);
    rmSync(theirs, { recursive: true });
    expect(gc(mine, ...words).outputs).to.deep.equal([]);
    const users = join(shared, 'users');
    for (const name of readdirSync(users)) {
      const user = JSON.parse(readFileSync(join(users, name), 'utf8')) as { at: number };
      writeFileSync(join(users, name), JSON.stringify({ ...user, at: user.at - 8 * 86_400_000 }));
    }
    expect(gc(mine, ...words).outputs).to.have.lengthOf(2);
    expect(namesIn(join(shared, 'store'))).to.deep.equal([]);
    mkdirSync(theirs);
  });

  it('removes what killed runs left next to releases, and counts it', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 2, gate: '> 0' });
    const { code, err } = await finish(cwd, RUN);
    expect(code, err).to.equal(0);
    const releases = join(cwd, 'releases/tiny');
    const before = namesIn(releases);
    const left = join(releases, `.publishing-${deadMark().replace(/-[0-9a-f]{12}$/, '')}`);
    mkdirSync(join(left, 'deep'), { recursive: true });
    writeFileSync(join(left, 'deep/model.bin'), 'x'.repeat(1000));
    mkdirSync(join(releases, '.publishing-mine'));
    const shown = gc(cwd);
    expect(shown.leftovers).to.deep.equal([{ path: left, bytes: 1000 }]);
    expect(namesIn(left), 'only shown').to.deep.equal(['deep']);
    expect(gc(cwd, '--delete')).to.deep.include({ bytes: 1000, leftovers: shown.leftovers });
    expect(namesIn(releases)).to.have.members([...before, '.publishing-mine']);
    expect(gc(cwd, '--delete')).to.deep.include({ bytes: 0, leftovers: [] });
  });

  it('goes on next to runs of the same store, which lose nothing @long', async () => {
    const shared = freshFolder();
    const folders = [freshFolder(), freshFolder(), freshFolder()];
    for (const cwd of folders) writeLengths(cwd);
    const runs = folders.map((cwd) => start(cwd, [...RUN, '-p', 'length=140tok', '--store', shared]));
    const tidier = freshFolder();
    let tidied = 0;
    let going = true;
    const ended = Promise.all(runs.map((one) => one.ended)).finally(() => {
      going = false;
    });
    while (going) {
      const { code, err } = await start(tidier, [
        'gc',
        '--json',
        '--delete',
        '--grace',
        '0',
        '--store',
        shared,
      ]).ended;
      expect({ code, err }).to.deep.equal({ code: 0, err: '' });
      tidied++;
    }
    for (const one of await ended) expect(one).to.deep.equal({ code: 0, signal: null, err: '' });
    expect(tidied).to.be.above(0);
    for (const cwd of folders)
      expect(actionsOf(await run(cwd, 140, '--store', shared))).to.deep.equal(['cached', 'cached']);
  });
});
