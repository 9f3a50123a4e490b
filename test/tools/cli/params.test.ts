import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freshFolder, ftpc } from './folders.js';

describe('--params', () => {
  const cwd = freshFolder();
  before(() => {
    writeFileSync(
      join(cwd, 'p.ftp'),
      'edition 2026\nparam most: Int(1..100) = 3\nparam name: String = "a"\nbudget machine { require wall_time <= 1h }\n',
    );
    writeFileSync(join(cwd, 'good.json'), '{ "most": 5, "name": "a \\"b\\"" }');
    writeFileSync(join(cwd, 'bad.json'), '{\n  "most": 500\n}');
  });
  const found = (text: string) =>
    JSON.parse(text).diagnostics.map(
      ({ code, file, line, column }: Record<string, unknown>) => `${code} ${file}:${line}:${column}`,
    );

  it('sets parameters from a file, and says where in it a value is wrong', async () => {
    expect((await ftpc(cwd, ['check', 'p.ftp', '--params', 'good.json'])).code).to.equal(0);
    const { code, out, err } = await ftpc(cwd, ['check', 'p.ftp', '--params', 'bad.json', '--json']);
    expect(code).to.equal(1);
    expect(err).to.equal('');
    expect(found(out)).to.deep.equal(['FTP0503 bad.json:2:11']);
  });

  it('yields to `-p`', async () => {
    const words = ['check', 'p.ftp', '--params', 'bad.json', '-p', 'most=7'];
    expect((await ftpc(cwd, words)).code).to.equal(0);
  });

  it('names a file that is not there', async () => {
    const { code, out } = await ftpc(cwd, ['plan', 'p.ftp', '--params', 'none.json', '--json']);
    expect(code).to.equal(1);
    expect(out).to.include('FTP0515');
  });

  it('reads no device, which would have no end', async () => {
    const { code, err } = await ftpc(cwd, ['check', 'p.ftp', '--params', '/dev/zero']);
    expect(code).to.equal(1);
    expect(err).to.include('FTP0515').and.to.include('a device');
  });
});
