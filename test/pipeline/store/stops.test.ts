import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  askToStop,
  isAskedToStop,
  layoutIn,
  openStore,
  runFolder,
} from '../../../src/pipeline/store/index.js';
import { freshFolder } from './folders.js';

const RUN = '20261125-021354-1a2b';

describe('a request to end', () => {
  it('to a run of this directory that was killed is removed by the next', () => {
    const store = openStore(freshFolder());
    const { layout } = store;
    mkdirSync(runFolder(layout, RUN), { recursive: true });
    askToStop(layout.root, RUN);
    store.sweep();
    expect(isAskedToStop(layout.root, RUN)).to.equal(false);
  });

  it('to a run that lives is left, wherever it is, and removed when nobody looks for it any more', async () => {
    const shared = freshFolder();
    const [mine, theirs] = [openStore(freshFolder(), shared), openStore(freshFolder(), shared)];
    const claim = await theirs.claim('a'.repeat(64), { runId: RUN, stage: 'rows' });
    const other = '20261125-021355-1a2b';
    for (const run of [RUN, other]) {
      askToStop(shared, run);
      const hours = new Date(Date.now() - 2 * 3_600_000);
      if (run === RUN) utimesSync(join(shared, 'stops', run), hours, hours);
    }
    mine.sweep();
    expect(
      [RUN, other].map((run) => isAskedToStop(shared, run)),
      'it lives, or may',
    ).to.deep.equal([true, true]);
    claim?.release();
    mine.sweep();
    expect(isAskedToStop(shared, RUN)).to.equal(false);
    expect(isAskedToStop(shared, other)).to.equal(true);
    const long = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(join(shared, 'stops', other), long, long);
    mine.sweep();
    expect(isAskedToStop(shared, other)).to.equal(false);
    expect(existsSync(layoutIn(shared).root), 'nothing else is made').to.equal(false);
  });
});
