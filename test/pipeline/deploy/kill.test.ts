import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { listReleases, verifyRelease } from '../../../src/pipeline/deploy/releases.js';
import { scratch } from '../../compute/evaluation/tiny.js';
import { access, publishContent } from './releases-fixture.js';

const publisher = fileURLToPath(new URL('./publisher.js', import.meta.url));

describe('a publishing process that is killed', () => {
  const place = scratch();
  const folder = join(place.path, 'releases');
  after(() => place.remove());

  it('leaves only whole releases, and a current one that answers to its manifest', async () => {
    for (const delay of [2, 5, 9, 14]) {
      const child = spawn(process.execPath, [publisher, place.path, '400'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await sleep(delay * 5);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const releases = listReleases(access, folder);
      for (const { number } of releases)
        expect(verifyRelease(access, folder, number).problems, `release ${number}`).to.deep.equal([]);
      if (releases.length > 1) expect(releases.filter(({ current }) => current)).to.have.length(1);
    }
    await publishContent(place.path, 'the last');
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).to.deep.equal([]);
    expect(listReleases(access, folder).at(-1)?.current).to.equal(true);
  });
});
