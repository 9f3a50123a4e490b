import { cpSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCanary } from '../../../src/pipeline/deploy/canary.js';
import { access, publishContent } from '../../pipeline/deploy/releases-fixture.js';
import { type MarkedCall, RUN } from '../../torture/faults/plan.js';
import { ftpc as asProcess } from '../../torture/project.js';
import { freshFolder, ftpc } from './folders.js';

describe('a canary on the command line', () => {
  let folder = '';
  beforeEach(async () => {
    folder = freshFolder();
    await publishContent(folder, 'one');
    await publishContent(folder, 'two', { canary: 0.1 });
  });

  it('is listed with its share, gets another, and is promoted', async () => {
    const listed = await ftpc(folder, ['releases', 'releases']);
    expect(listed.out).to.match(/^ +→ +1 /m);
    expect(listed.out).to.match(/^10% +2 /m);
    expect(await ftpc(folder, ['promote', 'releases', '--share', '12.5%'])).to.include({
      code: 0,
      err: 'canary: release 2 gets 12.5% (was 10%)\n',
    });
    const json = await ftpc(folder, ['promote', 'releases', '--json']);
    expect(JSON.parse(json.out)).to.deep.equal({ version: 1, from: 1, to: 2, share: 0.125 });
    expect((await ftpc(folder, ['promote', 'releases'])).err).to.match(/FTP2100/);
    expect(await ftpc(folder, ['rollback', 'releases'])).to.include({ err: 'current: release 1 (was 2)\n' });
  });

  it('is taken away by a rollback', async () => {
    expect(await ftpc(folder, ['rollback', 'releases'])).to.include({
      code: 0,
      err: 'release 2 is no canary any more; release 1 is current, as before\n',
    });
    expect((await ftpc(folder, ['releases', 'releases'])).out).not.to.match(/%/);
  });

  it('has no share that is none', async () => {
    for (const share of ['0%', '100%', '10', '']) {
      const { code, err } = await ftpc(folder, ['promote', 'releases', `--share=${share}`]);
      expect(code, share).to.equal(1);
      expect(err, share).to.match(/`--share` takes a percentage from 0.1% to 99%/);
    }
  });

  for (const command of ['promote', 'rollback'])
    it(`is there or gone, whichever call of ${command} its process is killed at @long`, async function () {
      this.timeout(300_000);
      const log = `${folder}.log`;
      const copy = `${folder}-copy`;
      const fresh = (): void => {
        rmSync(copy, { recursive: true, force: true });
        cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
      };
      fresh();
      await asProcess(copy, [command, 'releases'], { faults: { root: copy, log } });
      const calls = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as MarkedCall);
      expect(calls.length).to.be.at.least(3);
      const last = command === 'promote' ? '0002' : '0001';
      for (const { number } of calls) {
        fresh();
        await asProcess(copy, [command, 'releases'], {
          faults: { root: copy, at: { process: RUN, number }, kill: 'self' },
        });
        const releases = join(copy, 'releases');
        const state = [readlinkSync(join(releases, 'current')), readCanary(access, releases)?.release];
        expect(
          [
            ['0001', 2],
            [last, undefined],
          ],
          `call ${number}`,
        ).to.deep.include(state);
        if (state[1] !== undefined) await asProcess(copy, [command, 'releases']);
        expect(readlinkSync(join(releases, 'current'))).to.equal(last);
        expect(readCanary(access, releases)).to.equal(undefined);
      }
    });
});
