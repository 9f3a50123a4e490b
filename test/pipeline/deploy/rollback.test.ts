import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readHistory } from '../../../src/pipeline/deploy/history.js';
import { listReleases, verifyRelease } from '../../../src/pipeline/deploy/releases.js';
import { rollback } from '../../../src/pipeline/deploy/rollback.js';
import { scratch } from '../../compute/evaluation/tiny.js';
import { access, codeOf, publishContent } from './releases-fixture.js';

describe('going back', () => {
  const place = scratch();
  const folder = join(place.path, 'releases');
  after(() => place.remove());
  const current = (): string => readlinkSync(join(folder, 'current'));

  it('has nothing to go back to where there is no release, or one', async () => {
    expect(codeOf(() => rollback(access, folder))).to.equal('FTP0743');
    expect(listReleases(access, folder)).to.deep.equal([]);
    await publishContent(place.path, 'one');
    expect(codeOf(() => rollback(access, folder))).to.equal('FTP0744');
  });

  it('goes back one release at a time, and to a number', async () => {
    await publishContent(place.path, 'two');
    await publishContent(place.path, 'three');
    expect(rollback(access, folder)).to.deep.equal({ from: 3, to: 2 });
    expect(current()).to.equal('0002');
    expect(rollback(access, folder)).to.deep.equal({ from: 2, to: 1 });
    expect(rollback(access, folder, 3)).to.deep.equal({ from: 1, to: 3 });
    expect(rollback(access, folder, 3)).to.deep.equal({ from: 3, to: 3 });
    expect(current()).to.equal('0003');
    const last = readHistory(access, folder).at(-1);
    expect(last).to.include({ action: 'rollback', release: 3, from: 1 });
    expect(codeOf(() => rollback(access, folder, 9))).to.equal('FTP0745');
  });

  it('does not go back to a damaged release', () => {
    writeFileSync(join(folder, '0002', 'config.json'), '[]');
    writeFileSync(join(folder, '0002', 'more'), '');
    expect(codeOf(() => rollback(access, folder))).to.equal('FTP0746');
    expect(current()).to.equal('0003');
    expect(verifyRelease(access, folder, 2).problems).to.deep.equal([
      'config.json does not have the content that was written',
      'more was not published with it',
    ]);
    writeFileSync(join(folder, '0001', 'manifest.json'), '{"version": 1}');
    expect(listReleases(access, folder)[0]?.damage).to.equal('manifest.json: it has no `release`');
    expect(verifyRelease(access, folder, 1).holds).to.equal(false);
  });
});
