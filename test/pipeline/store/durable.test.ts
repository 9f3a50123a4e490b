import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { outputFolder, replaceFile } from '../../../src/pipeline/store/index.js';
import { leaveOut } from '../../helpers/leave-out.js';

describe('a file that cannot be begun', () => {
  it('is not said to have been removed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-write-'));
    try {
      expect(() => outputFolder(folder).write('x'.repeat(300), 'text'))
        .to.throw(UserError, /its path is too long/)
        .with.nested.property('diagnostic.notes').that.is.empty;
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a file that is replaced', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-replace-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('stays the target of a link', () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real/file'), 'old');
    symlinkSync('real/file', join(folder, 'link'));
    replaceFile(join(folder, 'link'), 'new');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).to.equal(true);
    expect(readFileSync(join(folder, 'real/file'), 'utf8')).to.equal('new');
    expect(readdirSync(join(folder, 'real'))).to.deep.equal(['file']);
  });

  it('leaves a device what it is', function () {
    const device = join(folder, 'null');
    if (execaSync('mknod', [device, 'c', '1', '3'], { reject: false }).failed)
      leaveOut(this, 'making a device needs root');
    replaceFile(device, 'text');
    expect(statSync(device).isCharacterDevice()).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(['null']);
  });

  it('leaves nothing beside a folder that is already there', () => {
    mkdirSync(join(folder, 'file'));
    expect(() => replaceFile(join(folder, 'file'), 'text')).to.throw();
    expect(readdirSync(folder)).to.deep.equal(['file']);
  });
});
