/** The short form of `npm run test:torture`: a few cases of each kind, always the same. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { leaveOut } from '../helpers/leave-out.js';
import type { Kind } from './kind.js';
import { KINDS } from './kinds.js';
import { torture } from './torture.js';

/** Kinds whose few cases take seconds. */
const SLOW: readonly string[] = ['disk', 'flips'];

describe('what ftpc survives', () => {
  let folder = '';
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-torture-')));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'shared'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, kind] of Object.entries<Kind>(KINDS))
    it(`${name}: ${kind.doc}${SLOW.includes(name) ? ' @long' : ''}`, async function () {
      const missing = kind.missing?.();
      if (missing !== undefined) leaveOut(this, missing);
      const own = join(folder, name);
      mkdirSync(own);
      const options = { seed: 1, count: kind.short, folder: own, shared: join(folder, 'shared'), lanes: 1 };
      const { tried, losses } = await torture(kind, options);
      expect(losses).to.deep.equal([]);
      expect(tried).to.be.within(1, kind.short);
    });
});
