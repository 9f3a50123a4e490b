/** Weights into the cache, over lines that break, from servers that lie. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { verifying } from '../../../src/compute/packaging/sealed.js';
import { type Diagnostic, isError, UserError } from '../../../src/language/diagnostics/types.js';
import type { StageEvent } from '../../../src/language/ir/events.js';
import type { Program } from '../../../src/language/ir/program.js';
import { fetchForStage } from '../../../src/pipeline/hub/fetch.js';
import { pinProgram } from '../../../src/pipeline/hub/pin.js';
import { forgetSeals } from '../../../src/pipeline/hub/seals.js';
import { leaveOut } from '../../helpers/leave-out.js';
import { freshFolder } from '../store/folders.js';
import { COMMIT, hubHost, sha256, tinyModel } from './folders.js';
import { planOf } from './programs.js';
import { type FakeHub, fakeHub, sendBytes } from './server.js';

const REPOSITORY = 'hf/hub/models--tiny--base';
const WEIGHTS = tinyModel().files['model.safetensors'] ?? Buffer.alloc(0);

describe('weights of the Hub', () => {
  let hub: FakeHub;
  let cwd = '';
  let program: Program;
  let events: StageEvent[] = [];
  const env: Record<string, string> = {};
  beforeEach(async () => {
    hub = await fakeHub(tinyModel());
    cwd = freshFolder();
    Object.assign(env, { HF_ENDPOINT: hub.endpoint, HF_HOME: join(cwd, 'hf'), HF_HUB_DOWNLOAD_TIMEOUT: '1' });
    const pinned = await pinProgram(
      planOf(cwd, { repository: 'tiny/base', revision: 'main' }),
      hubHost(cwd, env),
    );
    if (pinned.program === undefined) throw new Error(JSON.stringify(pinned.diagnostics));
    program = pinned.program;
    hub.requests.length = 0;
    events = [];
  });
  afterEach(() => hub.close());

  const blobs = (): readonly string[] => readdirSync(join(cwd, REPOSITORY, 'blobs'));
  const weights = (): string => join(cwd, REPOSITORY, 'snapshots', COMMIT, 'model.safetensors');
  const part = (name: string): string => join(cwd, REPOSITORY, 'blobs', `${sha256(WEIGHTS)}.ftpc-${name}`);

  async function get(signal = new AbortController().signal): Promise<Diagnostic | undefined> {
    const [stage] = program.stages;
    if (stage === undefined) throw new Error('not a stage');
    try {
      await fetchForStage({
        stage,
        inputs: [],
        repositories: program.repositories ?? [],
        host: hubHost(cwd, env),
        signal,
        emit: (event) => events.push(event),
      });
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic;
      throw error;
    }
    return undefined;
  }

  const isWhole = (): void => {
    expect(readFileSync(weights()).equals(WEIGHTS)).to.equal(true);
    expect(blobs().filter((name) => name.includes('ftpc'))).to.deep.equal([]);
    expect(blobs()).to.include(sha256(WEIGHTS));
  };

  it('come once, with progress, and are then read without a server', async () => {
    expect(await get()).to.equal(undefined);
    isWhole();
    expect(events.at(-1)).to.deep.equal({
      type: 'stage.progress',
      stage: 'adapter',
      done: WEIGHTS.length,
      total: WEIGHTS.length,
      unit: 'bytes',
      label: 'fetching tiny/base',
    });
    hub.requests.length = 0;
    await get();
    expect(hub.requests).to.deep.equal([]);
  });

  describe('are compared with what the Hub lists', () => {
    const flip = (path: string): void => {
      const { atime, mtime } = statSync(path);
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(9000) ^ 1, 9000);
      writeFileSync(path, bytes);
      utimesSync(path, atime, mtime);
    };
    const sealed = join(REPOSITORY, 'ftpc-sealed', `${COMMIT}.json`);
    const readsAll = (): unknown => {
      try {
        return verifying(hubHost(cwd, env)).readBytes(weights()).length;
      } catch (error) {
        return error instanceof UserError ? error.diagnostic.code : error;
      }
    };

    it('as they are read, once they are sealed', async () => {
      await get();
      expect(existsSync(join(cwd, sealed))).to.equal(true);
      expect(readsAll()).to.equal(WEIGHTS.length);
      flip(weights());
      expect(readsAll()).to.equal('FTP1415');
      forgetSeals(hubHost(cwd, env), { kind: 'model', id: 'tiny/base', commit: COMMIT });
      expect(readsAll()).to.equal(WEIGHTS.length);
      expect(await get()).to.equal(undefined);
      isWhole();
    });

    it('where they are little, before each use, and are fetched again', async () => {
      await get();
      flip(weights());
      hub.requests.length = 0;
      expect(await get()).to.equal(undefined);
      isWhole();
      expect(hub.requests.filter((line) => line.startsWith('cdn'))).to.have.length(1);
    });

    it('where another program fetched them', async () => {
      await get();
      rmSync(join(cwd, sealed));
      hub.requests.length = 0;
      expect(await get()).to.equal(undefined);
      expect(hub.requests).to.deep.equal([]);
      expect(existsSync(join(cwd, sealed))).to.equal(true);
    });

    it('offline, where nothing is taken away', async () => {
      await get();
      flip(weights());
      const before = readFileSync(weights());
      env['HF_HUB_OFFLINE'] = '1';
      expect((await get())?.code).to.equal('FTP1416');
      delete env['HF_HUB_OFFLINE'];
      expect(readFileSync(weights()).equals(before)).to.equal(true);
    });

    it('in a plan, which fetches what it reads again', async () => {
      const config = join(cwd, REPOSITORY, 'snapshots', COMMIT, 'config.json');
      const text = readFileSync(config, 'utf8');
      writeFileSync(config, text.replace('llama', 'LLAMA'));
      const plan = planOf(cwd, { repository: 'tiny/base', revision: 'main' });
      const { diagnostics } = await pinProgram(plan, hubHost(cwd, env));
      expect(diagnostics.filter(isError)).to.deep.equal([]);
      expect(readFileSync(config, 'utf8')).to.equal(text);
    });
  });

  it('go on where the line broke, as often as it breaks', async () => {
    let breaks = 0;
    hub.trouble = (request, response, isCdn) => {
      if (!isCdn || breaks++ > 4) return false;
      const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      const headers =
        start === 0 ? {} : { 'content-range': `bytes ${start}-${WEIGHTS.length - 1}/${WEIGHTS.length}` };
      response.writeHead(start === 0 ? 200 : 206, { ...headers, 'content-length': WEIGHTS.length - start });
      response.write(WEIGHTS.subarray(start, start + 10_000), () => response.destroy());
      return true;
    };
    expect(await get()).to.equal(undefined);
    isWhole();
    const starts = hub.requests
      .filter((line) => line.startsWith('cdn'))
      .map((line) => Number(/bytes=(\d+)/.exec(line)?.[1] ?? 0));
    expect(starts).to.have.lengthOf(6);
    expect(starts).to.deep.equal([...starts].sort((a, b) => a - b));
    expect(starts.at(-1)).to.be.above(0);
  });

  it('are asked for again where the address of the storage is no longer good', async () => {
    let refused = 0;
    hub.trouble = (_, response, isCdn) =>
      isCdn && refused++ === 0 && response.writeHead(403).end().headersSent;
    expect(await get()).to.equal(undefined);
    isWhole();
    expect(hub.requests).to.have.lengthOf(4);
  });

  it('keep what has come when the run is interrupted', async () => {
    const stop = new AbortController();
    hub.trouble = (_, response, isCdn) => {
      if (!isCdn) return false;
      response.writeHead(200, { 'content-length': WEIGHTS.length });
      response.write(WEIGHTS.subarray(0, 50_000), () => setTimeout(() => stop.abort(new Error('stop')), 100));
      return true;
    };
    let thrown: unknown;
    await get(stop.signal).catch((error: unknown) => {
      thrown = error;
    });
    expect((thrown as Error).message).to.equal('stop');
    expect(existsSync(weights())).to.equal(false);
    hub.trouble = () => false;
    hub.requests.length = 0;
    expect(await get()).to.equal(undefined);
    isWhole();
    expect(hub.requests[1]).to.match(/^cdn .* bytes=50000-$/);
  });

  it('take over what a killed process has left, unless it is damaged', async () => {
    for (const [content, from] of [
      [WEIGHTS.subarray(0, 70_000), 'bytes=70000-'],
      [Buffer.alloc(60_000), 'bytes=60000-'],
      [Buffer.alloc(WEIGHTS.length + 5), ''],
    ] as const) {
      mkdirSync(join(cwd, REPOSITORY, 'blobs'), { recursive: true });
      writeFileSync(part(`${hostname()},4194304,1`), content);
      hub.requests.length = 0;
      expect(await get()).to.equal(undefined);
      expect(hub.requests[1]?.split(' ')[3] ?? '').to.equal(from);
      isWhole();
      rmSync(weights());
      rmSync(join(cwd, REPOSITORY, 'blobs', sha256(WEIGHTS)));
    }
  });

  it('start over where a server knows no ranges', async () => {
    writeFileSync(part(`${hostname()},4194304,1`), WEIGHTS.subarray(0, 70_000));
    hub.trouble = (request, response, isCdn) => {
      if (!isCdn) return false;
      sendBytes({ ...request, headers: {} } as typeof request, response, WEIGHTS, {});
      return true;
    };
    expect(await get()).to.equal(undefined);
    isWhole();
  });

  for (const [what, content] of [
    ['other bytes', Buffer.alloc(WEIGHTS.length)],
    ['more bytes', Buffer.concat([WEIGHTS, Buffer.alloc(10)])],
  ] as const)
    it(`are not kept where ${what} come`, async () => {
      hub.trouble = (request, response, isCdn) =>
        isCdn && sendBytes(request, response, content, {}).headersSent;
      expect((await get())?.code).to.equal('FTP1411');
      expect(existsSync(weights())).to.equal(false);
      expect(blobs()).to.not.include(sha256(WEIGHTS));
    });

  it('are not taken from another commit', async () => {
    hub.trouble = (request, response, isCdn) =>
      !isCdn && sendBytes(request, response, WEIGHTS, { 'x-repo-commit': 'f'.repeat(40) }).headersSent;
    expect((await get())?.code).to.equal('FTP1411');
  });

  it('say so where the disk is full', async function () {
    const disk = join(cwd, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      leaveOut(this, 'mounting a small file system needs root');
    }
    env['HF_HOME'] = disk;
    const found = await get();
    execFileSync('umount', [disk]);
    expect(found?.code).to.equal('FTP0801');
    expect(found?.message).to.contain('the disk is full');
  });

  it('are asked for by no one offline', async () => {
    env['HF_HUB_OFFLINE'] = '1';
    const found = await get();
    delete env['HF_HUB_OFFLINE'];
    expect(found?.code).to.equal('FTP1404');
    expect(found?.message).to.contain('`model.safetensors` of `tiny/base`');
    expect(hub.requests).to.deep.equal([]);
  });
});
