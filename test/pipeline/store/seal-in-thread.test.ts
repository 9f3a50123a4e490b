import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { sealFiles } from '../../../src/pipeline/store/seal.js';
import { sealFilesAside } from '../../../src/pipeline/store/seal-in-thread.js';
import { freshFolder } from './folders.js';

describe('sealing in a thread', () => {
  it('gives what sealing here gives, and lets other things happen', async () => {
    const folder = freshFolder();
    mkdirSync(join(folder, 'deep'));
    writeFileSync(join(folder, 'deep/x'), 'x');
    writeFileSync(join(folder, 'large'), Buffer.alloc(3 << 20, 7));
    let turns = 0;
    const turn = setInterval(() => turns++);
    const files = await sealFilesAside(folder, 0);
    clearInterval(turn);
    expect(files).to.deep.equal(sealFiles(folder));
    expect(Object.keys(files)).to.deep.equal(['deep/x', 'large']);
    expect(turns).to.be.above(0);
  });

  it('passes on what goes wrong, and begins again', async () => {
    const folder = freshFolder();
    const error: unknown = await sealFilesAside(join(folder, 'none'), -1).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error);
    writeFileSync(join(folder, 'x'), 'x');
    expect(Object.keys(await sealFilesAside(folder, -1))).to.deep.equal(['x']);
  });
});
