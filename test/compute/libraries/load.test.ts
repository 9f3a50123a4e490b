import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { libraryVersion, loadLibrary } from '../../../src/compute/libraries/index.js';
import { librariesFolder } from '../../../src/compute/libraries/unpack.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type FakePackage, fakePackage } from './fake-package.js';

const CODE = 'node_modules/tokenizers/index.js';
const PARTS = 'node_modules/tokenizers/parts.js';
const FILES = { [CODE]: "exports.name = require('./parts').name;\n", [PARTS]: "exports.name = 'first';\n" };
const KILLED = `.${randomUUID()}`;
const DAY = 24 * 60 * 60 * 1000;

const moduleAt = (path: string): string =>
  JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);

/** Loads it where nothing is loaded yet. */
const program = ({ folder }: FakePackage, say = 'console.log'): string => `
  import { parentPort } from 'node:worker_threads';
  import { loadLibrary } from ${moduleAt('compute/libraries/index.js')};
  import { nodeHost } from ${moduleAt('language/host/node-host.js')};
  const env = (name) => (name === 'XDG_CACHE_HOME' ? ${JSON.stringify(join(folder, 'cache'))} : process.env[name]);
  const host = { ...nodeHost(), env, packageFolder: ${JSON.stringify(join(folder, 'package'))} };
  ${say}((await loadLibrary('tokenizers', host)).name);
`;

async function loaded(made: FakePackage): Promise<string> {
  const args = ['--input-type=module', '-e', program(made)];
  return (await promisify(execFile)(process.execPath, args)).stdout.trim();
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof UserError) return error.diagnostic.code;
    throw error;
  }
  return 'none';
}

describe('libraries of native code', () => {
  let made: FakePackage;
  beforeEach(() => {
    made = fakePackage(FILES);
  });
  afterEach(() => rmSync(made.folder, { recursive: true, force: true }));

  const archives = (): string => join(made.folder, 'package', 'dist', 'libraries');
  const archive = (): string =>
    join(archives(), readdirSync(archives()).find((name) => name.endsWith('.br')) ?? 'none');
  const names = (): readonly string[] => readdirSync(librariesFolder(made.host));
  const inCache = (path: string): string =>
    join(librariesFolder(made.host), names().find((name) => !name.startsWith('.')) ?? 'none', path);
  const age = (path: string, days: number): void => {
    const time = new Date(Date.now() - days * DAY);
    utimesSync(path, time, time);
  };

  it('are packages of its own in the repository', () => {
    const host = nodeHost();
    const file = join(host.packageFolder, 'node_modules', 'tokenizers', 'package.json');
    expect(libraryVersion(host, 'tokenizers')).to.equal(JSON.parse(readFileSync(file, 'utf8')).version);
  });

  it('are unpacked at their first use, and not again', async () => {
    expect(libraryVersion(made.host, 'tokenizers')).to.equal('1.0.0');
    expect(made.host.stat(librariesFolder(made.host)), 'to know a version takes none').to.equal(undefined);
    expect(await loaded(made)).to.equal('first');
    rmSync(archive());
    expect(await loaded(made)).to.equal('first');
    expect(names()).to.have.length(1);
  });

  it('are unpacked by processes that start at once, one of which gives the folder its name', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => loaded(made)));
    expect(all).to.deep.equal(Array.from({ length: 6 }, () => 'first'));
    expect(names()).to.have.length(1);
  });

  it('load in a worker thread', async () => {
    const code = encodeURIComponent(program(made, 'parentPort.postMessage'));
    const worker = new Worker(new URL(`data:text/javascript,${code}`));
    const name = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(name).to.equal('first');
  });

  const damages: readonly (readonly [string, (path: string) => void])[] = [
    ['is gone', (path) => rmSync(path)],
    ['is cut off', (path) => writeFileSync(path, '')],
    [
      'has other content of the same size',
      (path) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace('first', 'other'));
        age(path, 1);
      },
    ],
  ];
  for (const [how, damage] of damages)
    it(`are unpacked again where a file ${how}`, async () => {
      await loaded(made);
      damage(inCache(PARTS));
      expect(await loaded(made)).to.equal('first');
      expect(readFileSync(inCache(PARTS), 'utf8')).to.equal(FILES[PARTS]);
      expect(names()).to.have.length(1);
    });

  it('are unpacked again where a file does not load whose size and time are as they were', async () => {
    await loaded(made);
    const path = inCache(PARTS);
    const { atime, mtime } = statSync(path);
    writeFileSync(path, FILES[PARTS].replace("first'", 'first('));
    utimesSync(path, atime, mtime);
    expect(await loaded(made)).to.equal('first');
    expect(readFileSync(path, 'utf8')).to.equal(FILES[PARTS]);
    expect(names()).to.have.length(1);
  });

  it('are not taken from what a killed unpacking left, which goes in time', async () => {
    const left = join(librariesFolder(made.host), KILLED);
    mkdirSync(join(left, 'node_modules', 'tokenizers'), { recursive: true });
    writeFileSync(join(left, CODE), "exports.name = 'half'");
    expect(await loaded(made)).to.equal('first');
    expect(names(), 'another process may be writing it').to.include(KILLED);
    age(left, 1);
    rmSync(inCache('manifest.json'));
    expect(await loaded(made)).to.equal('first');
    expect(names()).to.have.length(1);
  });

  it('are kept in other versions for as long as these are used', async () => {
    await loaded(made);
    const first = names()[0] ?? 'none';
    age(inCache('.'), 29);
    await loaded(made);
    made.pack({ ...FILES, [PARTS]: "exports.name = 'second';\n" }, { version: '1.1.0' });
    expect(await loaded(made)).to.equal('second');
    expect(names(), 'loading it said that it is used').to.include(first);
    age(join(librariesFolder(made.host), first), 31);
    made.pack({ ...FILES, [PARTS]: "exports.name = 'third';\n" }, { version: '1.2.0' });
    expect(await loaded(made)).to.equal('third');
    expect(names()).to.have.length(2).and.not.include(first);
  });

  it('say for which systems there are any', async () => {
    made.pack(FILES, { system: 'plan9-x64' });
    expect(libraryVersion(made.host, 'tokenizers')).to.equal(undefined);
    expect(await codeOf(loadLibrary('tokenizers', made.host))).to.equal('FTP0924');
    rmSync(archives(), { recursive: true });
    expect(await codeOf(loadLibrary('tokenizers', made.host))).to.equal('FTP0924');
  });

  it('say where nothing can be written', async () => {
    writeFileSync(join(made.folder, 'cache'), '');
    expect(await codeOf(loadLibrary('tokenizers', made.host))).to.equal('FTP0925');
  });

  it('are not unpacked from an archive that is not the published one', async () => {
    writeFileSync(archive(), readFileSync(archive()).subarray(1));
    expect(await codeOf(loadLibrary('tokenizers', made.host))).to.equal('FTP0926');
    rmSync(archive());
    expect(await codeOf(loadLibrary('tokenizers', made.host))).to.equal('FTP0926');
    expect(made.host.stat(librariesFolder(made.host))).to.equal(undefined);
  });
});
