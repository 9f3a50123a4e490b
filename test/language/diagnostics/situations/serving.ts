import { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { type FakeLlamaParts, fakeLlama } from '../../../compute/serving/llama-cpp/fake-installation.js';
import { bareEnvironment } from '../surroundings.js';
import { preloaded, replace } from './faults.js';
import type { Situation, Situations } from './types.js';

/** An installation of llama.cpp that is a script, or no library at all. */
const withLlama =
  (parts: FakeLlamaParts | 'no library'): Situation =>
  ({ folder, write }) => {
    const host = { ...nodeHost(folder), env: (name: string) => bareEnvironment(folder)[name] };
    for (const [path, text] of Object.entries(fakeLlama(host, parts)))
      write(path.slice(folder.length + 1), text);
    return undefined;
  };

/** What the server that judges answers to each request, as code. */
const judging = (answer: string): Situation => {
  const asked = 'const { fetch } = globalThis; globalThis.fetch = async (url, ...more) => ';
  const env = preloaded(`${asked}String(url).includes('127.0.0.1:8000') ? ${answer} : fetch(url, ...more)`);
  return () => ({ env });
};
const saying = (status: number, body: object): string =>
  `new Response(${JSON.stringify(JSON.stringify(body))}, { status: ${status} })`;

export const SERVING: Situations = {
  FTP2174: judging(
    "Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }))",
  ),
  FTP2175: judging(saying(401, { error: { message: 'Incorrect API key provided' } })),
  FTP2176: judging(saying(200, { choices: [{ message: { content: 'I like it.' } }] })),
  FTP2021: withLlama('no library'),
  FTP2022: withLlama({
    init: "said('llama_model_load: error: tensor blk.0.attn_q.weight not found'), false",
  }),
  // the server is told to end as soon as it answers
  FTP2024: (ground) => {
    withLlama({ tokenize: "setTimeout(() => process.kill(process.ppid, 'SIGTERM'), 1000) && [1, 2, 3]" })(
      ground,
    );
    return { asProcess: true };
  },
  FTP2025: ({ write }) => {
    write('cache/ftpc/gguf', 'no folder');
    return undefined;
  },
  FTP2040: (ground) => {
    const internal = ChildProcess.prototype as ChildProcess & { spawn(options: object): unknown };
    const { spawn } = internal;
    replace(ground, internal, 'spawn', function (this: ChildProcess, options) {
      if (!JSON.stringify(options).includes('/model-child.js')) return spawn.call(this, options);
      throw Object.assign(new Error('spawn node EAGAIN'), { code: 'EAGAIN' });
    });
    return undefined;
  },
  FTP2041: () => ({
    env: preloaded(
      "if (/model-child\\.js$/.test(process.argv[1])) process.stderr.write('illegal instruction\\n', () => process.kill(process.pid, 'SIGILL'))",
    ),
  }),
  FTP2042: async ({ later }) => {
    const other = createServer();
    // where something listens there already, that will do
    const listens = Promise.race([once(other, 'listening'), once(other, 'error')]);
    other.listen(8000, '127.0.0.1');
    later(() => other.close());
    await listens.catch(() => {});
    return undefined;
  },
  FTP2045: () => ({ env: { LEGAL_KEY: 'secret' } }),
};
