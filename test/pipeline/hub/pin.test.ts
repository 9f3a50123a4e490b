/** What a server can do to a plan: the same requests, answered well and badly. */
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Program, Value } from '../../../src/language/ir/program.js';
import { pinProgram } from '../../../src/pipeline/hub/pin.js';
import { freshFolder } from '../store/folders.js';
import { COMMIT, hubHost, sha256, tinyModel } from './folders.js';
import { planOf } from './programs.js';
import { type FakeHub, type FakeRepository, fakeHub, sendBytes } from './server.js';

/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:9';

const SNAPSHOT = `hf/hub/models--tiny--base/snapshots/${COMMIT}`;

describe('models of the Hub in a plan', () => {
  let hub: FakeHub;
  let cwd = '';
  const env: Record<string, string> = {};
  beforeEach(async () => {
    hub = await fakeHub(tinyModel());
    cwd = freshFolder();
    for (const name of Object.keys(env)) delete env[name];
    Object.assign(env, {
      HF_ENDPOINT: hub.endpoint,
      HF_HOME: join(cwd, 'hf'),
      HF_HUB_DOWNLOAD_TIMEOUT: '0.3',
    });
  });
  afterEach(() => hub.close());

  const program = (args: Readonly<Record<string, Value>> = {}): Program =>
    planOf(cwd, { repository: 'tiny/base', revision: 'main', ...args });
  const pin = (wanted = program()) => pinProgram(wanted, hubHost(cwd, env), { pauses: [10, 10] });
  const codesOf = async (wanted = program()): Promise<readonly string[]> =>
    (await pin(wanted)).diagnostics.map(({ code }) => code);

  it('fetches what is small, in the layout of the standard cache, and lists the rest', async () => {
    const { program: pinned, host, digests, diagnostics } = await pin();
    expect(pinned?.stages[0]?.settings['base']).to.deep.include({
      args: { repository: 'tiny/base', revision: 'main', commit: COMMIT },
    });
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([
      'FTP1413 98 kB of `tiny/base` in 1 file are not on this machine yet; the run downloads them',
    ]);
    const files = pinned?.repositories?.[0]?.files.map(({ name }) => name);
    expect(files).to.deep.equal([
      'README.md',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const config = join(cwd, SNAPSHOT, 'config.json');
    expect(lstatSync(config).isSymbolicLink()).to.equal(true);
    expect(readlinkSync(config)).to.match(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    expect(readFileSync(join(cwd, 'hf/hub/models--tiny--base/refs/main'), 'utf8')).to.equal(COMMIT);
    const weights = join(cwd, SNAPSHOT, 'model.safetensors');
    expect(existsSync(weights)).to.equal(false);
    const bytes = tinyModel().files['model.safetensors'] ?? Buffer.alloc(0);
    expect(host.stat(weights)?.size).to.equal(bytes.length);
    expect(digests[weights]?.sha256).to.equal(sha256(bytes));
    expect(Buffer.from(host.readBytes(weights, 0, 100))).to.deep.equal(bytes.subarray(0, 100));
    expect(() => host.readBytes(weights, 0, 90_000)).to.throw(/not been fetched/);
    expect(hub.requests.filter((line) => /pytorch|onnx/.test(line))).to.deep.equal([]);
  });

  it('takes the shards that the index names, and no other weights', async () => {
    const { 'model.safetensors': _, ...files } = tinyModel().files;
    const shard = (part: number): string => `model-0000${part}-of-00002.safetensors`;
    const index = { weight_map: { a: shard(1), b: shard(2), c: shard(1) } };
    hub.repositories = [
      tinyModel({
        files: {
          ...files,
          'model.safetensors.index.json': Buffer.from(JSON.stringify(index)),
          [shard(1)]: Buffer.alloc(70_000, 1),
          [shard(2)]: Buffer.alloc(30, 1),
          'consolidated.safetensors': Buffer.alloc(10),
        },
      }),
    ];
    const { program: pinned, fetch } = await pin();
    const names = pinned?.repositories?.[0]?.files.map(({ name }) => name);
    expect(names?.filter((name) => name.includes('safetensors'))).to.deep.equal([
      shard(1),
      shard(2),
      'model.safetensors.index.json',
    ]);
    expect(fetch).to.deep.include({
      kind: 'model',
      id: 'tiny/base',
      revision: 'main',
      commit: COMMIT,
      files: 2,
      bytes: 70_030,
    });
  });

  it('knows branches with slashes, and keeps them as the standard cache does', async () => {
    hub.repositories = [tinyModel({ revisions: ['refs/pr/1'] })];
    expect(await codesOf(program({ revision: 'refs/pr/1' }))).to.deep.equal(['FTP1413']);
    expect(hub.requests[0]).to.equal('GET /api/models/tiny/base/revision/refs%2Fpr%2F1?blobs=true');
    expect(readFileSync(join(cwd, 'hf/hub/models--tiny--base/refs/refs/pr/1'), 'utf8')).to.equal(COMMIT);
  });

  it('asks nothing where everything is there', async () => {
    await pin();
    writeFileSync(join(cwd, SNAPSHOT, 'model.safetensors'), tinyModel().files['model.safetensors'] ?? '');
    hub.requests.length = 0;
    expect(await codesOf(program({ revision: COMMIT }))).to.deep.equal([]);
    expect(hub.requests).to.deep.equal([]);
    env['HF_HUB_OFFLINE'] = '1';
    expect(await codesOf(), 'and offline the last known commit').to.deep.equal([]);
    expect(hub.requests).to.deep.equal([]);
  });

  it('asks nothing offline, whatever is missing', async () => {
    await pin();
    hub.requests.length = 0;
    env['HF_HUB_OFFLINE'] = 'true';
    const { diagnostics } = await pin();
    expect(diagnostics.map(({ message }) => message)[0]).to.contain('`model.safetensors` of `tiny/base`');
    rmSync(join(cwd, SNAPSHOT, 'config.json'));
    expect(await codesOf(program({ revision: COMMIT }))).to.deep.equal(['FTP1404']);
    expect(hub.requests).to.deep.equal([]);
  });

  it('takes what another program fetched', async () => {
    mkdirSync(join(cwd, SNAPSHOT), { recursive: true });
    for (const [name, bytes] of Object.entries(tinyModel().files))
      if (!name.includes('/')) writeFileSync(join(cwd, SNAPSHOT, name), bytes);
    env['HF_HUB_OFFLINE'] = '1';
    expect(await codesOf(program({ revision: COMMIT })), 'offline as it stands').to.deep.equal([]);
    expect(hub.requests).to.deep.equal([]);
    env['HF_HUB_OFFLINE'] = '';
    rmSync(join(cwd, SNAPSHOT, 'generation_config.json'));
    expect(await codesOf(program({ revision: COMMIT })), 'else it is completed').to.deep.equal([]);
    expect(hub.requests.map((line) => line.split('/').at(-1))).to.deep.equal([
      `${COMMIT}?blobs=true`,
      'generation_config.json',
    ]);
  });

  it('does not take half of what another program fetched for a model', async () => {
    mkdirSync(join(cwd, SNAPSHOT), { recursive: true });
    const { 'model.safetensors': _, ...files } = tinyModel().files;
    const index = Buffer.from(JSON.stringify({ weight_map: { a: 'x.safetensors', b: 'y.safetensors' } }));
    for (const [name, bytes] of Object.entries({
      ...files,
      'model.safetensors.index.json': index,
      'x.safetensors': Buffer.alloc(9),
    }))
      if (!name.includes('/')) writeFileSync(join(cwd, SNAPSHOT, name), bytes);
    env['HF_HUB_OFFLINE'] = '1';
    expect(await codesOf(program({ revision: COMMIT }))).to.deep.equal(['FTP1404']);
  });

  it('goes on with the last known commit where the Hub is away, and says so', async () => {
    await pin();
    writeFileSync(join(cwd, SNAPSHOT, 'model.safetensors'), tinyModel().files['model.safetensors'] ?? '');
    hub.trouble = (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end().headersSent;
    expect(await codesOf()).to.deep.equal(['FTP1406']);
    env['HF_ENDPOINT'] = NOBODY;
    expect(await codesOf()).to.deep.equal(['FTP1406']);
  });

  it('follows the redirect to a CDN without the token, which it shows nowhere', async () => {
    hub.repositories = [tinyModel({ token: 'hf_verysecret' })];
    env['MY_TOKEN'] = 'hf_verysecret';
    const found = await pin(program({ token: { secret: 'hub_token', env: 'MY_TOKEN' } }));
    expect(found.program).to.not.equal(undefined);
    expect(hub.requests.filter((line) => line.startsWith('cdn'))).to.have.lengthOf(1);
    expect(hub.leaked).to.deep.equal([]);
    expect(JSON.stringify([found.program, found.diagnostics, found.digests])).to.not.contain('verysecret');
  });

  it('sends no token that cannot be one, and does not show it', async () => {
    env['MY_TOKEN'] = 'hf_very\nsecret';
    const found = await pin(program({ token: { secret: 'hub_token', env: 'MY_TOKEN' } }));
    expect(found.diagnostics.map(({ code }) => code)).to.deep.equal(['FTP1414']);
    expect(JSON.stringify(found.diagnostics)).to.contain('MY_TOKEN').and.to.not.contain('hf_very');
    expect(hub.requests).to.deep.equal([]);
  });

  it('asks again after a fault that passes', async () => {
    let faults = 0;
    hub.trouble = (_, response, isCdn) => {
      if (isCdn || faults++ % 2 === 1) return false;
      response.writeHead(503, { 'retry-after': '0' }).end();
      return true;
    };
    expect(await codesOf()).to.deep.equal(['FTP1413']);
  });

  type Denied = readonly [what: string, code: string, says: RegExp, change: () => void];
  const answering =
    (status: number, headers: Readonly<Record<string, string>>, body = '') =>
    (): void => {
      hub.trouble = (_, response) => response.writeHead(status, headers).end(body).headersSent;
    };
  const serving = (more: Partial<FakeRepository> | undefined) => (): void => {
    hub.repositories = more === undefined ? [] : [tinyModel(more)];
  };
  const setting = (name: string, value: string) => (): void => {
    env[name] = value;
  };
  const { 'model.safetensors': _weights, ...pickled } = tinyModel().files;
  const denied: readonly Denied[] = [
    ['a gated model', 'FTP1407', /gated.*grant you access/, serving({ token: 'x', gated: true })],
    ['a private model', 'FTP1407', /gives no access/, serving({ token: 'x' })],
    ['a model that is not there', 'FTP1407', /gives no access/, serving(undefined)],
    ['a 404', 'FTP1408', /has no model/, answering(404, { 'x-error-code': 'RepoNotFound' })],
    [
      'a lost branch',
      'FTP1408',
      /no revision `main`/,
      answering(404, { 'x-error-code': 'RevisionNotFound' }),
    ],
    ['a refusal', 'FTP1409', /status 418/, answering(418, {})],
    ['a page instead of an API', 'FTP1409', /not a JSON object/, answering(200, {}, '<html>')],
    ['an answer without a commit', 'FTP1409', /no `sha`/, answering(200, {}, '{"siblings":[]}')],
    ['redirects without end', 'FTP1409', /redirected more than/, answering(302, { location: '/again' })],
    ['a redirect to a file', 'FTP1409', /redirects to/, answering(302, { location: 'file:///etc/passwd' })],
    ['an endpoint that is none', 'FTP1414', /HF_ENDPOINT/, setting('HF_ENDPOINT', 'hub')],
    [
      'an endpoint with a password',
      'FTP1414',
      /HF_ENDPOINT/,
      setting('HF_ENDPOINT', 'http://a:hunter2@127.0.0.1'),
    ],
    [
      'a redirect with a password',
      'FTP1409',
      /redirects to/,
      answering(302, { location: 'http://a:hunter2@127.0.0.1/' }),
    ],
    ['a server that is away', 'FTP1405', /cannot be reached/, setting('HF_ENDPOINT', NOBODY)],
    ['no network allowed', 'FTP1404', /not in the cache/, setting('HF_HUB_OFFLINE', '1')],
    ['weights to unpickle', 'FTP1412', /no safetensors/, serving({ files: pickled })],
  ];
  for (const [what, code, says, change] of denied)
    it(`has a sentence for ${what}`, async () => {
      change();
      const { program: pinned, diagnostics } = await pin();
      expect(pinned).to.equal(undefined);
      expect(diagnostics.map((found) => found.code)).to.deep.equal([code]);
      expect(diagnostics[0]?.message).to.match(says);
      expect(JSON.stringify(diagnostics)).to.not.contain('hunter2');
      expect(diagnostics[0]?.help).to.not.equal(undefined);
    });

  const hostile = [
    '../../../../outside.json',
    '/etc/ftpc.json',
    'a/../../b.json',
    'a\\..\\b.json',
    'x\u0000.json',
    'C:/x.json',
    'a//b.json',
  ];
  for (const name of hostile)
    it(`writes nothing for a file called ${JSON.stringify(name)}`, async () => {
      hub.repositories = [tinyModel({ files: { ...tinyModel().files, [name]: Buffer.from('{}') } })];
      expect(await codesOf()).to.deep.equal(['FTP1410']);
      expect(existsSync(join(cwd, 'hf'))).to.equal(false);
    });

  it('takes a shard that the index names outside of the folder for damage', async () => {
    const { 'model.safetensors': weights = Buffer.alloc(0), ...files } = tinyModel().files;
    const index = Buffer.from(JSON.stringify({ weight_map: { x: '../model.safetensors' } }));
    hub.repositories = [
      tinyModel({
        files: { ...files, 'a/model.safetensors': weights, 'model.safetensors.index.json': index },
      }),
    ];
    expect(await codesOf()).to.deep.equal(['FTP0834']);
  });

  it('keeps no file whose content is another than what is listed', async () => {
    hub.trouble = (request, response, isCdn) => {
      if (isCdn || !/resolve.*config\.json/.test(request.url ?? '')) return false;
      const bytes = Buffer.from(
        (tinyModel().files['config.json'] ?? '').toString().replace('llama', 'LLAMA'),
      );
      sendBytes(request, response, bytes, {});
      return true;
    };
    const { diagnostics } = await pin();
    expect(diagnostics[0]?.code).to.equal('FTP1411');
    expect(diagnostics[0]?.message).to.match(/`config\.json`.*digest/);
    expect(existsSync(join(cwd, SNAPSHOT, 'config.json'))).to.equal(false);
  });

  it('does not wait for ever', async () => {
    hub.trouble = (_, response) => {
      response.writeHead(200).write('{');
      return true;
    };
    const { diagnostics } = await pin();
    expect(diagnostics.map(({ code }) => code)).to.deep.equal(['FTP1405']);
    expect(diagnostics[0]?.notes?.[0]).to.contain('did not respond for 0.3 s');
  });

  it('starts over where the cache was cut', async () => {
    await pin();
    rmSync(join(cwd, SNAPSHOT, 'config.json'));
    writeFileSync(join(cwd, 'hf/hub/models--tiny--base/ftpc', `${COMMIT}.json`), '{"sha":');
    expect(await codesOf(program({ revision: COMMIT }))).to.deep.equal(['FTP1413']);
    expect(existsSync(join(cwd, SNAPSHOT, 'config.json'))).to.equal(true);
  });
});
