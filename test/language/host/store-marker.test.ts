import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MARKER, markStore, storeId } from '../../../src/language/host/store-marker.js';

describe('the marker of a store', () => {
  let folder = '';
  const marker = (): string => join(folder, MARKER);
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-marker-')));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made once, and nothing is left next to it', () => {
    expect(storeId(folder)).to.equal(undefined);
    const id = markStore(folder);
    expect(id).to.match(/^[0-9a-f]{16}$/);
    expect(storeId(folder)).to.equal(id);
    const text = readFileSync(marker(), 'utf8');
    expect(JSON.parse(text)).to.deep.equal({ version: 1, id });
    expect(markStore(folder)).to.equal(id);
    expect(readFileSync(marker(), 'utf8')).to.equal(text);
    expect(readdirSync(folder)).to.deep.equal([MARKER]);
  });

  it('is another one for each store', () => {
    for (const name of ['a', 'b']) mkdirSync(join(folder, name));
    expect(markStore(join(folder, 'a'))).to.not.equal(markStore(join(folder, 'b')));
  });

  for (const [what, text] of [
    ['no JSON', '{"version":1,'],
    ['of a later version', '{"version":99,"id":"0123456789abcdef"}'],
    ['without an id', '{"version":1}'],
    ['with an id of another form', '{"version":1,"id":"../../elsewhere"}'],
  ] as const)
    it(`is none where it is ${what}`, () => {
      writeFileSync(marker(), text);
      expect(storeId(folder)).to.equal(undefined);
    });

  it('is none where a folder has its name', () => {
    mkdirSync(marker());
    expect(storeId(folder)).to.equal(undefined);
    expect(() => markStore(folder)).to.throw(/EISDIR|EEXIST|ENOTEMPTY|EPERM/);
    expect(readdirSync(folder)).to.deep.equal([MARKER]);
  });

  it('is not made in a folder that is not there', () => {
    expect(() => markStore(join(folder, 'absent'))).to.throw(/ENOENT/);
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});
