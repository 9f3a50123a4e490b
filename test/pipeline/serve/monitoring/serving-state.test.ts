import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { DiskError } from '../../../../src/language/host/disk.js';
import { HostError } from '../../../../src/language/host/host.js';
import type { ReleaseAccess } from '../../../../src/pipeline/deploy/releases.js';
import { followedPair } from '../../../../src/pipeline/serve/monitoring/serving-state.js';
import { scratch } from '../../../compute/evaluation/tiny.js';
import { access, publishContent } from '../../deploy/releases-fixture.js';

describe('what is compared while a server runs', () => {
  const place = scratch();
  after(() => place.remove());

  it('is what it was while the folder of releases cannot be read', async () => {
    const folder = join(place.path, 'releases');
    let trouble: (path: string) => void = () => {};
    const troubled: ReleaseAccess = {
      disk: {
        ...access.disk,
        readLink: (path) => {
          trouble(path);
          return access.disk.readLink(path);
        },
      },
      host: {
        ...access.host,
        stat: (path) => {
          trouble(path);
          return access.host.stat(path);
        },
      },
    };
    const pair = followedPair(troubled, folder);
    await publishContent(place.path, 'one');
    expect(pair()).to.equal(undefined);
    await publishContent(place.path, 'two', { canary: 0.1 });
    const found = pair();
    expect(found).to.include({ current: 1, canary: 2 });
    for (const error of [
      new DiskError('io', folder, 'stale'),
      new HostError('no_access', folder, 'not allowed'),
    ]) {
      trouble = () => {
        throw error;
      };
      expect(pair()).to.equal(found);
    }
    trouble = () => {
      throw new Error('a bug');
    };
    expect(pair).to.throw('a bug');
    trouble = () => {};
    rmSync(join(folder, 'current'));
    expect(pair()).to.equal(found);
    await publishContent(place.path, 'three');
    expect(pair()).to.equal(undefined);
  });
});
