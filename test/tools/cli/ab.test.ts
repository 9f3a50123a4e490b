import { join } from 'node:path';
import { expect } from 'chai';
import { openRequestJournal } from '../../../src/pipeline/serve/monitoring/request-journal.js';
import { publishContent } from '../../pipeline/deploy/releases-fixture.js';
import { randoms, requestLine } from '../../pipeline/serve/request-lines.js';
import { freshFolder, ftpc } from './folders.js';

describe('ftpc ab', () => {
  let folder = '';
  before(async () => {
    folder = freshFolder();
    await publishContent(folder, 'one');
    await publishContent(folder, 'two', { canary: 0.5 });
    const random = randoms(3);
    const journal = openRequestJournal(join(folder, 'releases/traffic'), { report: () => {} });
    for (let group = 0; group < 300; group++)
      for (const release of [1, 2])
        for (const at of [0, Date.now() + 1000])
          journal.append(
            requestLine({
              at,
              id: `${release}-${group}-${at}`,
              release,
              group,
              seconds: (1 + random()) * release,
            }),
          );
    journal.close();
  });

  it('says how the canary differs, since it is one, within 80 columns', async () => {
    const { code, out } = await ftpc(folder, ['ab', 'releases']);
    expect(code).to.equal(0);
    expect(out).to.match(/^release 1: 300 requests; release 2: 300 requests, since \d{4}-/);
    expect(out).to.match(/^duration +1\.\d+ s +2\.\d+ s +\+\d+(\.\d+)?% \(\+.*% to \+.*%\) +real: worse$/m);
    expect(out).to.match(/^error rate +0% +0% +0 \(.*\) points +not shown$/m);
    for (const line of out.split('\n')) expect(line.length, line).to.be.at.most(80);
  });

  it('compares any two by all of their requests, as JSON too', async () => {
    const { code, out } = await ftpc(folder, ['ab', 'releases', '--a', '2', '--b', '1', '--json']);
    expect(code).to.equal(0);
    const found = JSON.parse(out);
    expect(found).to.deep.include({ version: 1, a: 2, b: 1, since: null, requests: { a: 600, b: 600 } });
    expect(found.measures.map(({ measure }: { measure: string }) => measure)).to.include('seconds');
  });

  it('refuses what cannot be compared', async () => {
    const same = await ftpc(folder, ['ab', 'releases', '--a', '1', '--b', '1']);
    expect(same.code).to.equal(1);
    expect(same.err).to.match(/FTP2102.*release 1 cannot be compared with itself/);
    expect((await ftpc(folder, ['ab', 'releases', '--b', '7'])).err).to.match(/FTP0745/);
    expect((await ftpc(folder, ['ab', 'nowhere'])).err).to.match(/FTP2102/);
    const empty = await ftpc(folder, ['ab', 'releases', '--journal', 'none']);
    expect(empty.out).to.match(/too few requests to compare/);
  });
});
