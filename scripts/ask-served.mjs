// Serves what a pipeline has deployed, asks it as a client of OpenAI's API does, and ends it:
// `node scripts/ask-served.mjs FOLDER "QUESTION"`. The answer must be the one that `ftpc generate` gives.
import { execFileSync, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ftpc = join(root, 'dist', 'bin', 'main.js');
const [folder, question] = process.argv.slice(2);
if (folder === undefined || question === undefined)
  throw new Error('ask-served.mjs needs FOLDER and QUESTION');
const TOKENS = 48;

const server = spawn(
  process.execPath,
  [ftpc, 'serve', folder, '--port', '0', '--served-model-name', 'served'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const ended = new Promise((resolve) => server.on('close', (code, signal) => resolve(signal ?? code)));
const url = await new Promise((resolve, reject) => {
  let out = '';
  server.stdout.on('data', (chunk) => {
    out += chunk;
    const found = /listening on (\S+)\n/.exec(out)?.[1];
    if (found !== undefined) resolve(found);
  });
  void ended.then((how) => reject(new Error(`the server ended (${how})`)));
});

async function post(path, body) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}

const asked = {
  model: 'served',
  messages: [{ role: 'user', content: question }],
  temperature: 0,
  max_tokens: TOKENS,
};
const { id, choices } = await (await post('/v1/chat/completions', asked)).json();
const answer = choices[0].message.content;
const stream = await (await post('/v1/chat/completions', { ...asked, stream: true })).text();
const streamed = stream
  .split('\n\n')
  .filter((event) => event.startsWith('data: {'))
  .map((event) => JSON.parse(event.slice('data: '.length)).choices[0].delta.content ?? '')
  .join('');
await post('/feedback', { id, thumbs: 'up' });
const metrics = await (await fetch(`${url}/metrics`)).text();
server.kill('SIGTERM');
const how = await ended;

const generated = execFileSync(
  process.execPath,
  [ftpc, 'generate', folder, question, '--max-tokens', String(TOKENS), '--json'],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
);
const checks = {
  'the answer is that of `ftpc generate`': answer === JSON.parse(generated).text,
  'the streamed answer is the same': streamed === answer,
  'requests are counted': /^vllm:request_success_total\{.*\} [1-9]/m.test(metrics),
  'the server ended by itself': how === 0,
};
console.log(`> ${question}\n${answer}`);
for (const [what, holds] of Object.entries(checks)) console.log(`${holds ? 'ok' : 'FAILED'}: ${what}`);
process.exitCode = Object.values(checks).every(Boolean) ? 0 : 1;
