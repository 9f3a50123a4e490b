import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { workFolder } from '../../../src/pipeline/store/index.js';
import { hasCheckpoint } from '../../../src/pipeline/store/work-folder.js';
import { freshFolder } from './folders.js';

const state = Uint8Array.from({ length: 1000 }, (_, index) => index % 256);

describe('work folder', () => {
  const found: Diagnostic[] = [];
  const open = (path: string) => workFolder(path, (diagnostic) => found.push(diagnostic));

  it('commits whole folders, replaces and removes them, and lists them sorted', async () => {
    const path = join(freshFolder(), 'work');
    expect(hasCheckpoint(path)).to.equal(false);
    const work = open(path);
    await work.commit('step-000020', { 'state.bin': [state, state], 'deep/meta.json': '{}' });
    await work.commit('step-000010', { 'state.bin': state });
    expect(work.committed()).to.deep.equal(['step-000010', 'step-000020']);
    expect(readFileSync(join(path, 'step-000020/state.bin')).length).to.equal(2000);
    await work.commit('step-000010', { 'state.bin': 'new' });
    expect(readFileSync(join(path, 'step-000010/state.bin'), 'utf8')).to.equal('new');
    work.remove('step-000010');
    expect(work.committed()).to.deep.equal(['step-000020']);
    expect(readdirSync(path)).to.deep.equal(['step-000020']);
    expect(hasCheckpoint(path)).to.equal(true);
  });

  it('takes the contents at once, and is there when they are on the disk', async () => {
    const path = join(freshFolder(), 'work');
    const work = open(path);
    const content = Uint8Array.from(state);
    const written = work.commit('a', { 'state.bin': content });
    content.fill(7);
    expect(work.committed()).to.deep.equal([]);
    await written;
    expect(work.committed()).to.deep.equal(['a']);
    expect(new Uint8Array(readFileSync(join(path, 'a/state.bin')))).to.deep.equal(state);
  });

  it('does not count what is damaged or unfinished, and warns once', async () => {
    const path = join(freshFolder(), 'work');
    await open(path).commit('a', { 'state.bin': state });
    await open(path).commit('b', { 'state.bin': state });
    await open(path).commit('c', { 'state.bin': state });
    const changed = Uint8Array.from(state);
    changed[500] = 0;
    writeFileSync(join(path, 'a/state.bin'), changed);
    rmSync(join(path, 'b/commit.json'));
    mkdirSync(join(path, '.unfinished-d'));
    writeFileSync(join(path, '.unfinished-d/state.bin'), 'half');
    found.length = 0;
    const work = open(path);
    expect(work.committed()).to.deep.equal(['c']);
    expect(work.committed()).to.deep.equal(['c']);
    expect(found.map(({ code }) => code)).to.deep.equal(['FTP0803', 'FTP0803']);
    expect(existsSync(join(path, '.unfinished-d'))).to.equal(false);
  });

  it('has files beside the commits that are removed when they are closed, or when the folder is opened again', () => {
    const path = join(freshFolder(), 'work');
    const pages = open(path).pages('state');
    pages.write(5, state);
    pages.write(7, Uint8Array.of(1, 2));
    const read = new Uint8Array(6);
    pages.read(4, read);
    expect([...read]).to.deep.equal([0, state[0], state[1], 1, 2, state[4]]);
    expect(() => pages.read(5 + state.length - 1, read)).to.throw('ends before');
    expect(open(path).committed()).to.deep.equal([]);
    expect(readdirSync(path)).to.deep.equal([]);
    pages.close();
    const again = open(path).pages('state');
    again.close();
    expect(readdirSync(path)).to.deep.equal([]);
  });

  it('keeps the earlier commit when a later one of the same name fails half-way', async () => {
    const path = join(freshFolder(), 'work');
    const work = open(path);
    await work.commit('a', { 'state.bin': 'first' });
    function* breaking(): Generator<Uint8Array> {
      yield state;
      throw new Error('the source of the data failed');
    }
    const failure = await work
      .commit('a', { 'state.bin': breaking() })
      .catch((error: Error) => error.message);
    expect(failure).to.equal('the source of the data failed');
    expect(readFileSync(join(path, 'a/state.bin'), 'utf8')).to.equal('first');
    expect(readdirSync(path)).to.deep.equal(['a']);
  });
});
