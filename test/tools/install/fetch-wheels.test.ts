/** Wheels of a lock from an index of the test's own, and where indexes are looked for. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { fetchWheels } from '../../../src/tools/install/fetch-wheels.js';
import { indexesOf } from '../../../src/tools/install/python-index.js';
import type { LockedWheel } from '../../../src/tools/install/python-lock.js';
import { freshFolder } from '../cli/folders.js';
import { type IndexOptions, type IndexServer, indexServer } from './index-server.js';

const CONTENTS = Object.fromEntries(
  ['one', 'two', 'three'].map((name) => [
    `${name}-1.0-py3-none-any.whl`,
    Buffer.from(`${name} `.repeat(100)),
  ]),
);
const LOCK: readonly LockedWheel[] = Object.entries(CONTENTS).map(([name, content]) => ({
  project: name.split('-')[0] ?? '',
  version: '1.0',
  name,
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
}));

describe('wheels of a lock', () => {
  let folder: string;
  let server: IndexServer | undefined;
  beforeEach(() => {
    folder = freshFolder();
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  const host = (variables: Readonly<Record<string, string>> = {}): Host => {
    const all: Readonly<Record<string, string>> = {
      HOME: folder,
      PIP_CONFIG_FILE: '/dev/null',
      ...(server === undefined ? {} : { PIP_INDEX_URL: server.url }),
      ...variables,
    };
    return { ...nodeHost(folder), env: (name) => all[name] };
  };
  const { signal } = new AbortController();
  const serve = async (options: IndexOptions = {}): Promise<void> => {
    server = await indexServer(CONTENTS, options);
  };
  const fetched = async (at: Host, told: number[] = []): Promise<string> => {
    try {
      await fetchWheels(at, LOCK, join(folder, 'downloads'), signal, (bytes) => void told.push(bytes));
      for (const [name, content] of Object.entries(CONTENTS))
        expect(readFileSync(join(folder, 'downloads', name))).to.deep.equal(content);
      return 'fetched';
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic.code;
      throw error;
    }
  };

  for (const [name, html] of [
    ['JSON', false],
    ['HTML', true],
  ] as const)
    it(`come from an index with pages in ${name}`, async () => {
      await serve({ html });
      const told: number[] = [];
      expect(await fetched(host(), told)).to.equal('fetched');
      expect(told.at(-1)).to.equal(LOCK.reduce((sum, { bytes }) => sum + bytes, 0));
      const asked = server?.asked.length;
      expect(await fetched(host())).to.equal('fetched');
      expect(server?.asked.length, 'what is there is not fetched again').to.equal(asked);
    });

  it('go on where a connection broke', async () => {
    await serve({ cutAt: 100 });
    expect(await fetched(host())).to.equal('fetched');
    expect(server?.asked.filter((one) => one.endsWith(' 100'))).to.have.length(1);
  });

  it('are fetched again where a file on the disk is another', async () => {
    await serve();
    const [first] = LOCK;
    mkdirSync(join(folder, 'downloads'));
    writeFileSync(join(folder, 'downloads', first?.name ?? ''), 'x'.repeat(first?.bytes ?? 0));
    expect(await fetched(host())).to.equal('fetched');
  });

  it('are none that the index has with another digest', async () => {
    await serve({ wrongDigest: true });
    expect(await fetched(host())).to.equal('FTP0918');
    await server?.close();
    await serve({ html: true, spoilt: true });
    expect(await fetched(host())).to.equal('FTP0916');
  });

  it('are taken from a folder to which someone has brought them', async () => {
    await serve({ status: 403 });
    mkdirSync(join(folder, 'brought'));
    for (const [name, content] of Object.entries(CONTENTS))
      writeFileSync(join(folder, 'brought', name), content);
    expect(await fetched(host({ PIP_FIND_LINKS: join(folder, 'brought') }))).to.equal('fetched');
    expect(server?.asked).to.deep.equal([]);
  });

  it('come from a second index where the first has none', async () => {
    await serve();
    const wrong = await indexServer({}, { status: 404 });
    try {
      const at = host({ PIP_INDEX_URL: wrong.url, PIP_EXTRA_INDEX_URL: `${server?.url}/` });
      expect(await fetched(at)).to.equal('fetched');
    } finally {
      await wrong.close();
    }
  });

  it('fail as a whole where one does', async () => {
    await serve({ status: 500 });
    const stop = new AbortController();
    const work = fetchWheels(host(), LOCK, join(folder, 'downloads'), stop.signal, () => {});
    stop.abort(new Error('stopped'));
    expect(await work.catch((error: unknown) => (error instanceof Error ? error.message : ''))).to.equal(
      'stopped',
    );
    expect(existsSync(join(folder, 'downloads', LOCK[0]?.name ?? ''))).to.equal(false);
  });
});

describe('the package index of a user', () => {
  const of = (variables: Readonly<Record<string, string>>, settings = ''): readonly string[] => {
    const home = freshFolder();
    mkdirSync(join(home, '.config', 'pip'), { recursive: true });
    writeFileSync(join(home, '.config', 'pip', 'pip.conf'), settings);
    return indexesOf({ ...nodeHost(home), env: (name) => ({ HOME: home, ...variables })[name] });
  };

  it('is that of uv or pip, in their variables', () => {
    expect(of({ PIP_INDEX_URL: 'https://a/simple/' })).to.deep.equal(['https://a/simple']);
    expect(of({ PIP_INDEX_URL: 'https://a/simple', UV_DEFAULT_INDEX: 'https://b' })).to.deep.equal([
      'https://b',
    ]);
    expect(of({ UV_INDEX_URL: 'https://a', UV_INDEX: 'cpu=https://c/cpu https://d' })).to.deep.equal([
      'https://a',
      'https://c/cpu',
      'https://d',
    ]);
  });

  it('is that of the settings of pip', () => {
    const settings =
      '[global]\nindex-url = https://a/simple/\n\n[install]\nextra-index-url = https://b\n    https://c\n';
    expect(of({}, settings)).to.deep.equal(['https://a/simple', 'https://b', 'https://c']);
    expect(of({ PIP_INDEX_URL: 'https://z' }, settings)[0]).to.equal('https://z');
    expect(of({}, '[install]\nindex_url: https://e\n[global]\nindex-url = https://a\n')[0]).to.equal(
      'https://e',
    );
  });
});
