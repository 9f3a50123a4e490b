import { expect } from 'chai';
import { parseManifest, type ReleaseManifest } from '../../../../src/compute/packaging/manifest.js';
import type { ServerFacts } from '../../../../src/compute/packaging/servers/index.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type {
  ElsewhereRequest,
  PublishedElsewhere,
  UploadMemory,
} from '../../../../src/pipeline/deploy/elsewhere.js';
import { textFile } from '../../../../src/pipeline/deploy/release-file.js';
import type { HubAccess } from '../../../../src/pipeline/hub/access.js';
import { accessTo, publishRelease } from '../../../../src/pipeline/hub/publish/publish-release.js';
import { makeCommit, refuse, TOKEN, type Trouble, type WritableHub, writableHub } from './writable-hub.js';

const ID = 'org/legal';

const FILES: Readonly<Record<string, string>> = {
  'README.md': '# Legal\n',
  'config.json': '{}',
  'empty.bin': '',
  'model.safetensors': 'weights '.repeat(1000),
  'serve/vllm.sh': 'exec vllm\n',
};

const memoryOf = (kept: Map<string, string>): UploadMemory => ({
  get: (name) => kept.get(name),
  set: async (name, text) => void kept.set(name, text),
  drop: (name) => void kept.delete(name),
});

const requestOf = (
  files: Readonly<Record<string, string>>,
  more: Partial<ElsewhereRequest> = {},
): ElsewhereRequest => ({
  target: {
    call: 'hub_release',
    args: { repository: ID, private: true, branch: 'main', token: { secret: 't', env: 'HF_TOKEN' } },
  },
  files: Object.entries(files).map(([name, text]) => textFile(name, text)),
  facts: {} as ServerFacts,
  draft: {
    kind: 'model',
    ftpc: '0.0.0',
    base: { label: 'base', folder: 'base', storage: 'stored', sha256: 'b', files: {} },
    adapter: null,
    stages: [],
    data: [],
    settings: {},
    metrics: {},
    baseline: {},
    smoke: null,
  },
  digest: JSON.stringify(files['model.safetensors']?.length),
  memory: memoryOf(new Map()),
  signal: new AbortController().signal,
  progress: () => undefined,
  ...more,
});

describe('publishing a release to the Hub', () => {
  let hub: WritableHub;
  beforeEach(async () => {
    hub = await writableHub();
  });
  afterEach(() => hub.close());

  const access = (more: Partial<HubAccess> = {}): HubAccess => ({
    endpoint: hub.endpoint,
    offline: false,
    patience: 2_000,
    pauses: [1, 1, 1],
    token: TOKEN,
    ...more,
  });
  const publish = (
    files = FILES,
    more: Partial<ElsewhereRequest> = {},
    how: Partial<HubAccess> = {},
  ): Promise<PublishedElsewhere> => publishRelease(access(how), nodeHost(), requestOf(files, more));
  const codeOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic.code;
      throw error;
    }
    return 'none';
  };
  const textsOf = (): Readonly<Record<string, string>> =>
    Object.fromEntries([...hub.head(ID).files].map(([name, { bytes }]) => [name, bytes.toString('utf8')]));
  const manifest = (): ReleaseManifest | undefined => parseManifest(textsOf()['manifest.json'] ?? '');

  it('makes a private repository and one commit with every file', async () => {
    const { number, action, url, version } = await publish();
    expect({ number, action, url }).to.deep.equal({
      number: 1,
      action: 'publish',
      url: `${hub.endpoint}/${ID}`,
    });
    expect(version).to.equal(hub.head(ID).id);
    expect(hub.repositories.get(ID)?.isPrivate).to.equal(true);
    const { 'manifest.json': own, '.gitattributes': _, ...texts } = textsOf();
    expect(texts).to.deep.equal(FILES);
    expect(Object.keys(parseManifest(own ?? '')?.files ?? {})).to.have.members(Object.keys(FILES));
    expect(hub.head(ID).title).to.equal('Release 1');
    const large = [...hub.head(ID).files].filter(([, { isLarge }]) => isLarge).map(([name]) => name);
    expect(large).to.deep.equal(['model.safetensors']);
  });

  it('stores apart what is too large for a commit, whatever the Hub says', async () => {
    hub.trouble = ({ name }, response) => {
      if (!/preupload/.test(name)) return false;
      response.end('{"files":[]}');
      return true;
    };
    await publish({ ...FILES, 'model.safetensors': 'w'.repeat((10 << 20) + 1) });
    const large = [...hub.head(ID).files].filter(([, { isLarge }]) => isLarge).map(([name]) => name);
    expect(large).to.deep.equal(['model.safetensors']);
  });

  it('gives the storage no token', async () => {
    hub.part = 3000;
    await publish();
    const storage = hub.calls.filter(({ name }) => name.startsWith('storage '));
    expect(storage.map(({ bytes }) => bytes)).to.deep.equal([3000, 3000, 2000]);
    for (const { authorization } of storage) expect(authorization).to.equal(undefined);
    for (const { name, authorization } of hub.calls)
      if (/^(?:GET|POST) \/api/.test(name)) expect(authorization).to.equal(`Bearer ${TOKEN}`);
  });

  it('publishes the same once', async () => {
    const first = await publish();
    const calls = hub.calls.length;
    const again = await publish();
    expect(again).to.include({ action: 'unchanged', number: 1, version: first.version });
    expect(hub.calls.slice(calls).map(({ name }) => name.split(' ')[0])).to.deep.equal(['GET', 'GET']);
  });

  it('sends what differs, takes away what is no longer in the release, and leaves what others put there', async () => {
    await publish({ ...FILES, 'old.json': '1' });
    const { files, id } = hub.head(ID);
    const own = new Map([...files, ['photo.png', { bytes: Buffer.from('png'), isLarge: false }] as const]);
    hub.repositories
      .get(ID)
      ?.branches.get('main')
      ?.push(makeCommit('a photo', own, id));
    const before = hub.calls.length;
    const next = await publish({ ...FILES, 'README.md': '# Better\n' });
    expect(next).to.include({ number: 2, action: 'publish' });
    expect(textsOf()).to.include({ 'README.md': '# Better\n', 'photo.png': 'png' });
    expect(textsOf()).not.to.have.property('old.json');
    expect(hub.calls.slice(before).filter(({ name }) => name.startsWith('storage '))).to.have.length(0);
    expect(manifest()?.release).to.equal(2);
  });

  it('goes on after a kill: parts that were sent are not sent again', async () => {
    hub.part = 1000;
    const kept = new Map<string, string>();
    const stop = new AbortController();
    hub.trouble = ({ name }) => {
      if (/^storage PUT .*\/4\?/.test(name)) stop.abort(new Error('killed'));
      return stop.signal.aborted;
    };
    const killed = await publish(
      FILES,
      { memory: memoryOf(kept), signal: stop.signal },
      { signal: stop.signal },
    ).catch((error: unknown) => error);
    expect(killed).to.have.property('message', 'killed');
    expect(hub.head(ID).title).to.equal('initial commit');
    hub.trouble = () => false;
    const before = hub.calls.length;
    const progress: number[] = [];
    await publish(FILES, { memory: memoryOf(kept), progress: (done) => progress.push(done) });
    const sent = hub.calls
      .slice(before)
      .flatMap(({ name }) => /^storage PUT .*\/(\d+)\?/.exec(name)?.[1] ?? []);
    expect(sent).to.deep.equal(['4', '5', '6', '7', '8']);
    expect(progress.at(0)).to.equal(3000);
    expect(progress.at(-1)).to.equal(8000);
    expect(kept.size).to.equal(0);
    expect(textsOf()).to.include(FILES);
  });

  it('goes on where a storage asked for a pause, however often it does', async () => {
    hub.part = 1000;
    let asked = 0;
    hub.trouble = ({ name }, response) => {
      if (!/^storage PUT .*\/4\?/.test(name) || ++asked > 3) return false;
      response.writeHead(503, { 'retry-after': '0.01' }).end();
      return true;
    };
    await publish(FILES, { memory: memoryOf(new Map()) });
    const sent = hub.calls.flatMap(({ name }) => /^storage PUT .*\/(\d+)\?/.exec(name)?.[1] ?? []);
    expect(sent).to.deep.equal(['1', '2', '3', '4', '4', '4', '4', '5', '6', '7', '8']);
    expect(textsOf()).to.include(FILES);
  });

  it('begins a file again whose addresses are good no more', async () => {
    hub.part = 4000;
    const kept = new Map<string, string>();
    const file = textFile('model.safetensors', FILES['model.safetensors'] ?? '');
    const header = { chunk_size: '4000', 1: `${hub.storage}/expired/1`, 2: `${hub.storage}/expired/2` };
    const actions = { upload: { href: `${hub.endpoint}/complete/${file.sha256}`, header } };
    kept.set(file.sha256, JSON.stringify({ actions, etags: ['"gone"'] }));
    hub.trouble = ({ name }, response) => name.includes('/expired/') && refuse(response, 403, '');
    await publish(FILES, { memory: memoryOf(kept) });
    expect(textsOf()).to.include(FILES);
  });

  describe('through trouble that passes', () => {
    const once = (pattern: RegExp, trouble: (response: Parameters<Trouble>[1]) => void): Trouble => {
      let done = false;
      return ({ name }, response) => {
        if (done || !pattern.test(name)) return false;
        done = true;
        trouble(response);
        return true;
      };
    };
    const steps: Readonly<Record<string, RegExp>> = {
      'the listing': /^GET .*\/revision\//,
      creating: /repos\/create/,
      'asking which files are large': /preupload/,
      'the batch': /batch$/,
      'the storage': /^storage PUT/,
      verifying: /verify$/,
      'the commit': /\/commit\//,
    };
    for (const [name, pattern] of Object.entries(steps)) {
      it(`${name}: dropped, and busy`, async () => {
        hub.trouble = once(pattern, (response) => response.destroy());
        expect(await publish()).to.include({ action: 'publish', number: 1 });
        hub.trouble = once(pattern, (response) => refuse(response, 503, ''));
        expect(await publish({ ...FILES, 'model.safetensors': `other ${name}` })).to.include({ number: 2 });
      });
    }

    it('a commit that was made, and whose answer was lost, is not made twice', async () => {
      let lost = false;
      const commits = (): number => hub.repositories.get(ID)?.branches.get('main')?.length ?? 0;
      hub.trouble = ({ name }, response) => {
        if (lost || !/\/commit\//.test(name)) return false;
        lost = true;
        response.end = (() => response.destroy()) as typeof response.end;
        return false;
      };
      expect(await publish()).to.include({ action: 'publish', number: 1, version: hub.head(ID).id });
      expect(commits()).to.equal(2);
      expect(manifest()?.release).to.equal(1);
    });

    it('a commit that is not listed at once', async () => {
      hub.trouble = once(/\/revision\/[0-9a-f]{40}/, (response) => refuse(response, 404, 'RevisionNotFound'));
      expect(await publish()).to.include({ action: 'publish', number: 1, version: hub.head(ID).id });
      expect(hub.repositories.get(ID)?.branches.get('main')).to.have.length(2);
    });

    it('another commit at the same time', async () => {
      await publish();
      hub.trouble = once(/batch$|\/commit\//, (response) => {
        const { files, id } = hub.head(ID);
        hub.repositories
          .get(ID)
          ?.branches.get('main')
          ?.push(makeCommit('someone', files, id));
        refuse(response, 412, '', 'A commit has happened since.');
      });
      await publish({ ...FILES, 'README.md': '# Newer\n' });
      expect(textsOf()['README.md']).to.equal('# Newer\n');
    });
  });

  const refusals: readonly (readonly [string, string, Trouble, Partial<HubAccess>?])[] = [
    ['a wrong token', 'FTP2133', () => false, { token: 'hf_other' }],
    [
      'a token that only reads',
      'FTP2133',
      (call, response) =>
        /create/.test(call.name) &&
        refuse(response, 403, '', "You don't have the rights to create a model under this namespace"),
    ],
    [
      'no space',
      'FTP2134',
      (call, response) =>
        /commit/.test(call.name) && refuse(response, 403, '', 'Private repository storage limit reached'),
    ],
    [
      'a file too large',
      'FTP2134',
      (call, response) => /^storage/.test(call.name) && refuse(response, 413, ''),
    ],
    [
      'a refusal',
      'FTP2135',
      (call, response) =>
        /commit/.test(call.name) && refuse(response, 400, '', 'Invalid metadata in README.md'),
    ],
    [
      'a storage that is another server by a redirect',
      'FTP1409',
      (call, response) => /^storage/.test(call.name) && redirect(response, 'http://localhost:1/steal'),
    ],
    [
      'an API that is another server by a redirect',
      'FTP1409',
      (call, response) => /commit/.test(call.name) && redirect(response, 'http://localhost:1/steal'),
    ],
    [
      'an answer that is no JSON',
      'FTP1409',
      (call, response) => /preupload/.test(call.name) && text(response, '<html>'),
    ],
    ['a server that is down', 'FTP1405', (_, response) => refuse(response, 503, '')],
    [
      'a server that falls silent',
      'FTP1405',
      (call) => /batch/.test(call.name),
      { patience: 50, pauses: [1] },
    ],
    ['another content than was sent', 'FTP2136', spoil],
  ];
  for (const [what, code, trouble, how] of refusals) {
    it(`says what it is: ${what}`, async () => {
      hub.trouble = trouble;
      expect(await codeOf(publish(FILES, {}, how))).to.equal(code);
      hub.trouble = () => false;
      expect(await publish()).to.have.property('action', code === 'FTP2136' ? 'unchanged' : 'publish');
    });
  }

  function redirect(response: Parameters<Trouble>[1], location: string): true {
    response.writeHead(307, { location }).end();
    return true;
  }
  function text(response: Parameters<Trouble>[1], body: string): true {
    response.end(body);
    return true;
  }
  /** The listing of a commit says another size. */
  function spoil(call: Parameters<Trouble>[0], response: Parameters<Trouble>[1]): boolean {
    if (!/\/revision\/[0-9a-f]{40}/.test(call.name)) return false;
    const siblings = [{ rfilename: 'README.md', size: 3, blobId: '0'.repeat(40) }];
    return text(response, JSON.stringify({ sha: hub.head(ID).id, siblings }));
  }

  describe('says nothing of the token, nor of addresses that let others write', () => {
    const oid = textFile('model.safetensors', FILES['model.safetensors'] ?? '').sha256;
    const object = (more: object): string => JSON.stringify({ objects: [{ oid, size: 8000, ...more }] });
    const upload = (href: string, header: object): string =>
      object({ actions: { upload: { href, header } } });
    const SIGNED = 'http://someone:SIGNATURE@127.0.0.1:1/part?X-Amz-Signature=SIGNATURE';
    const ANSWERS: readonly (readonly [string, RegExp, Trouble])[] = [
      [
        'where it refuses a commit',
        /no: … +is bad/,
        ({ name }, response) => /commit/.test(name) && refuse(response, 400, '', `no: ${TOKEN}\u0007 is bad`),
      ],
      [
        'where it refuses a file',
        /no: … is bad/,
        ({ name }, response) =>
          /batch$/.test(name) && text(response, object({ error: { message: `no: ${TOKEN} is bad` } })),
      ],
      [
        'where the parts are others',
        /http:\/\/127\.0\.0\.1:1\/part sent an invalid response: the parts/,
        ({ name }, response) =>
          /batch$/.test(name) && text(response, upload(SIGNED, { chunk_size: '10', 1: SIGNED })),
      ],
      [
        'where an address is none',
        /ftp:\/\/127\.0\.0\.1:1\/part sent an invalid response: it is no address/,
        ({ name }, response) =>
          /batch$/.test(name) && text(response, upload(SIGNED.replace('http', 'ftp'), {})),
      ],
    ];
    for (const [where, said, trouble] of ANSWERS)
      it(where, async () => {
        hub.trouble = trouble;
        const error = await publish().catch((caught: unknown) => caught);
        expect(JSON.stringify((error as UserError).diagnostic))
          .to.match(said)
          .and.not.to.match(new RegExp(`${TOKEN}|SIGNATURE`));
      });
  });

  it('says where it cannot reach the Hub that what was uploaded is kept', () => {
    const env = (name: string): string | undefined => (name === 'HF_TOKEN' ? TOKEN : undefined);
    const found = accessTo(requestOf(FILES).target, { env }).lost?.('no answer');
    expect(found).to.include({ code: 'FTP1405' });
    expect(found?.help).to.match(/what was uploaded is not sent again/);
  });

  it('publishes to a branch, which it makes', async () => {
    const target = { ...requestOf(FILES).target };
    const args = { ...target.args, branch: 'next' };
    await publish(FILES, { target: { ...target, args } });
    expect(hub.head(ID).title).to.equal('initial commit');
    expect(hub.repositories.get(ID)?.branches.get('next')?.at(-1)?.title).to.equal('Release 1');
  });
});
