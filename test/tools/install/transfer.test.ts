/** Files that come over HTTP, and what ends the waiting for them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { UserError } from '../../../src/language/diagnostics/types.js';
import { fetchFile, type Remote } from '../../../src/tools/install/transfer.js';
import { type IndexServer, indexServer } from './index-server.js';

const NAME = 'any-1.0-py3-none-any.whl';
const CONTENT = Buffer.from('content '.repeat(1000));
const PAUSES = [1, 1, 1];

describe('a file that is fetched', () => {
  const { signal } = new AbortController();
  let folder: string;
  let server: IndexServer;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'transfer-'));
    server = await indexServer({ [NAME]: CONTENT });
  });
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const remote = (parts: Partial<Remote> = {}): Remote => ({
    name: NAME,
    url: `${server.url.replace('/simple', '')}/files/${NAME}`,
    bytes: CONTENT.length,
    sha256: createHash('sha256').update(CONTENT).digest('hex'),
    ...parts,
  });
  const path = (): string => join(folder, 'downloads', NAME);
  const fetch = async (parts?: Partial<Remote>): Promise<string | undefined> => {
    const error: unknown = await fetchFile(remote(parts), path(), signal, () => {}, PAUSES).catch(
      (reason: unknown) => reason,
    );
    return (error as UserError | undefined)?.diagnostic.code;
  };

  it('comes whole, goes on from a half, and begins again where the half is another', async () => {
    expect(await fetch()).to.equal(undefined);
    writeFileSync(path(), CONTENT.subarray(0, 100));
    expect(await fetch()).to.equal(undefined);
    writeFileSync(path(), 'another file');
    expect(await fetch()).to.equal(undefined);
    expect(readFileSync(path()).equals(CONTENT)).to.equal(true);
    expect(server.asked).to.deep.equal(['', ' 100', ' 12', ''].map((start) => `/files/${NAME}${start}`));
  });

  it('is given up where the server has less of it than its index lists, however much comes each time', async () => {
    expect(await fetch({ bytes: CONTENT.length + 1 })).to.equal('FTP0915');
    expect(server.asked.length).to.be.within(2, 2 * PAUSES.length);
  });
});
