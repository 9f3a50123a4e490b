/** `ftpc serve` as people run it: processes, signals, releases that change. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { rollback } from '../../../src/pipeline/deploy/rollback.js';
import { type ServingProcess, startServing } from '../../helpers/serving-process.js';
import { sseEvents } from '../../helpers/sse.js';
import { until } from '../../helpers/until.js';
import { access, publishContent } from '../../pipeline/deploy/releases-fixture.js';
import { freshFolder } from '../../pipeline/run/worlds.js';

const STARTER = join(nodeHost().packageFolder, 'stdlib/models/starter');
const CHAT = '/v1/chat/completions';
const KEY = 'a-key-that-nobody-guesses';
const SMALL = ['--max-num-seqs', '4', '--max-model-len', '256', '--threads', '1'];

const asked = (model: string, more: object = {}) => ({
  ...{ model, messages: [{ role: 'user', content: 'Is the MIT License permissive?' }], temperature: 0 },
  ...{ max_tokens: 8, ...more },
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Processes that a process has started. */
const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

describe('ftpc serve', () => {
  const running: ServingProcess[] = [];
  afterEach(async () => {
    for (const { process: child, ended } of running.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
  });

  async function serve(cwd: string, words: readonly string[], env?: Record<string, string>) {
    const serving = await startServing(cwd, [...words, ...SMALL], env);
    running.push(serving);
    return serving;
  }

  it('answers with a key, writes no prompt down, finishes what it has, and ends', async () => {
    const cwd = freshFolder();
    const serving = await serve(cwd, [STARTER, '--key-from', 'STARTER_KEY'], { STARTER_KEY: KEY });
    const { post, process: child, ended, err } = serving;
    const headers = { authorization: `Bearer ${KEY}` };
    expect((await post(CHAT, asked('starter'))).status).to.equal(401);
    const whole = (await (await post(CHAT, asked('starter'), { headers })).json()) as {
      readonly choices: readonly { readonly message: { readonly content: string } }[];
    };
    const { chunks, done } = sseEvents(
      await (await post(CHAT, asked('starter', { stream: true }), { headers })).text(),
    );
    const streamed = chunks.map((chunk) => chunk['choices']?.[0]?.['delta']?.['content'] ?? '').join('');
    expect([done, streamed]).to.deep.equal([true, whole.choices[0]?.message.content]);
    expect(streamed).not.to.equal('');
    // one that is under way is finished
    const last = await post(CHAT, asked('starter', { stream: true, max_tokens: 40 }), { headers });
    child.kill('SIGTERM');
    expect(sseEvents(await last.text()).done).to.equal(true);
    expect(await ended).to.deep.equal({ code: 0, signal: null });
    const journal = readFileSync(join(cwd, '.ftp/serve/starter/requests.jsonl'), 'utf8');
    expect(journal.split('\n').filter((line) => line !== '').length).to.equal(3);
    for (const text of [journal, err()]) expect(text).not.to.match(/permissive|nobody-guesses/);
  });

  if (process.platform === 'linux')
    it('starts a model again that was killed, and leaves none behind when it is killed itself', async () => {
      const { post, url, process: child, err } = await serve(freshFolder(), [STARTER]);
      const [model = 0] = childrenOf(child.pid ?? 0);
      process.kill(model, 'SIGKILL');
      await until(async () => (await fetch(`${url}/ready`)).status === 503);
      const refused = await post(CHAT, asked('starter'));
      expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([503, '1']);
      expect((await fetch(`${url}/health`)).status).to.equal(200);
      await until(async () => (await fetch(`${url}/ready`)).status === 200);
      expect((await post(CHAT, asked('starter'))).status).to.equal(200);
      expect(err()).to.contain('warning[FTP2041]').and.to.contain('the model answers again');
      const [again = 0] = childrenOf(child.pid ?? 0);
      child.kill('SIGKILL');
      await until(() => !isAlive(again));
    });

  it('answers a thousand requests through twenty swaps, without a failed one @long', async () => {
    const cwd = freshFolder();
    const folder = join(cwd, 'releases');
    const publish = (number: number) => {
      const source = join(cwd, `model-${number}`);
      cpSync(STARTER, source, { recursive: true });
      // what is published again with the same content is the same release
      writeFileSync(join(source, 'NOTE.md'), String(number));
      return publishContent(cwd, 'x', {
        source,
        draft: {
          ...{ kind: 'model', ftpc: '0.0.0', adapter: null, stages: [], data: [] },
          ...{ settings: {}, metrics: {}, baseline: {} },
          base: { label: 'starter', folder: STARTER, storage: 'stored', sha256: 'b', files: {} },
        },
      });
    };
    await publish(1);
    const { post, err } = await serve(cwd, ['releases']);
    const seen: (string | null)[] = [];
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver || seen.length < 1000) {
        const response = await post(CHAT, asked('releases', { max_tokens: 2 }));
        expect(response.status, `${await response.text()}${err()}`).to.equal(200);
        seen.push(response.headers.get('x-ftpc-release'));
      }
    };
    const swaps = async (): Promise<void> => {
      await until(() => seen.length > 0);
      await publish(2);
      for (let swap = 1; swap <= 20; swap++) {
        const number = swap % 2 === 1 ? 2 : 1;
        if (swap > 1) rollback(access, folder, number);
        await until(() => seen.at(-1) === String(number));
      }
      isOver = true;
    };
    await Promise.all([swaps(), client(), client(), client()]);
    expect(seen.length).to.be.at.least(1000);
  });
});
