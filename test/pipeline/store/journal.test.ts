import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import {
  layoutIn,
  newRunId,
  openJournal,
  readJournal,
  runIdAt,
  runIds,
} from '../../../src/pipeline/store/index.js';
import { freshFolder } from './folders.js';

describe('journal', () => {
  it('keeps every event with its time, and reads past a torn last line', () => {
    const layout = layoutIn(freshFolder());
    let time = 1000;
    const journal = openJournal(layout, 'r1', () => time++);
    journal.append({ type: 'note', stage: 'a', text: 'line\nbreak' });
    journal.append({ type: 'checkpoint.saved', stage: 'a', step: 5, path: 'x' });
    journal.close();
    appendFileSync(journal.path, '{"at":1002,"type":"no');
    expect(readJournal(layout, 'r1')).to.deep.equal([
      { at: 1000, type: 'note', stage: 'a', text: 'line\nbreak' },
      { at: 1001, type: 'checkpoint.saved', stage: 'a', step: 5, path: 'x' },
    ]);
    expect(readFileSync(journal.path, 'utf8').split('\n')).to.have.lengthOf(3);
    expect(readJournal(layout, 'none')).to.deep.equal([]);
  });

  it('leaves out a line of which a bit was flipped, and reads journals without checks', () => {
    const layout = layoutIn(freshFolder());
    const journal = openJournal(layout, 'r1', () => 1000);
    journal.append({ type: 'note', stage: 'a', text: 'one' });
    journal.append({ type: 'note', stage: 'a', text: 'two' });
    journal.close();
    const sound = readFileSync(journal.path, 'utf8');
    expect(sound).to.match(/"text":"one","check":"[0-9a-f]{8}"\}\n/);
    writeFileSync(journal.path, sound.replace('one', 'onf'));
    expect(readJournal(layout, 'r1')).to.deep.equal([{ at: 1000, type: 'note', stage: 'a', text: 'two' }]);
    expect(readJournal(layout, 'r1', ['run.started'])).to.deep.equal([]);
    expect(readJournal(layout, 'r1', ['note'])).to.have.lengthOf(1);
    writeFileSync(journal.path, sound.replaceAll(/,"check":"[0-9a-f]{8}"/g, ''));
    expect(readJournal(layout, 'r1')).to.have.lengthOf(2);
  });

  it('names runs so that they sort by time', () => {
    const times = [1e12, 1e12 + 1, 1e12 + 999, 1e12 + 1000, 1e12 + 86_400_000];
    const ids = times.map((now, later) => runIdAt(now, 63 - later));
    expect(new Set(ids).size).to.equal(times.length);
    expect([...ids].sort()).to.deep.equal(ids);
    expect(runIdAt(1e12, 42)).not.to.equal(runIdAt(1e12, 43));
    const layout = layoutIn(freshFolder());
    for (const id of ids.slice(2)) openJournal(layout, id, () => 0).close();
    expect(runIds({ ...nodeHost(), cwd: layout.cwd })).to.deep.equal(ids.slice(2).reverse());
  });

  it('names a run after those that are there, though the clock was set back', () => {
    const layout = layoutIn(freshFolder());
    const at = (now: number) => ({ ...nodeHost(), cwd: layout.cwd, now: () => now });
    const begin = (now: number): string => {
      const id = newRunId(at(now), 7);
      openJournal(layout, id, () => 0).close();
      return id;
    };
    openJournal(layout, '99999999-other', () => 0).close();
    const ids = [1e12 + 999, 1e12, 1e12 - 86_400_000, 1e12 + 5000].map(begin);
    expect(ids[0]).to.equal(runIdAt(1e12 + 999, 7));
    expect(ids[1]).to.equal(runIdAt(1e12 + 1000, 7));
    expect([...ids].sort()).to.deep.equal(ids);
    expect(ids[3]).to.equal(runIdAt(1e12 + 5000, 7));
  });
});
