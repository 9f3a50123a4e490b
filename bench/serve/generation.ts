/**
 * Tokens per second of answers to one prompt and to 64, with two threads: `generate` and `serve` of the embedded
 * engine, and llama.cpp on the same file, with one thread and with two, in turns: `npm run bench -- generation`. Its own
 * server is another one of them where the Python that `FTPC_PYTHON` names has xllamacpp. The file is a GGUF that
 * `FTPC_BENCH_MODEL` names; default: SmolLM2-135M in Q4_1, as `node scripts/models/fetch.mjs smollm2` fetches it.
 * `--repeats N` turns; default 5.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { endIds } from '../../src/compute/evaluation/chat.js';
import { openModelAt } from '../../src/compute/models/open.js';
import type { ServingEngine } from '../../src/compute/serving/types.js';
import type { Host } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { openParts } from '../../src/pipeline/deploy/open-answerer.js';
import { openServing } from '../../src/pipeline/deploy/open-serving.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { pythonOf } from '../quantise/peer.js';
import { median } from '../training/median.js';

const THREADS = 2;
const CASES = [
  { rows: 1, tokens: 64 },
  { rows: 64, tokens: 32 },
] as const;
const TURNS = 5;
const CONTEXT = 256;
/** Tokens of single answers after which the embedded engine reads codes, and some more. */
const WARM = 48;
/** As `generate` has it: of the machine's memory, for weights as float32. */
const FLOAT32_SHARE = 0.25;

/** Answers prompts, all at once, with so many tokens each; gives the tokens. */
type Answering = (prompts: readonly string[], tokens: number) => Promise<number>;

interface Contestant {
  readonly name: string;
  readonly answer: Answering;
  readonly release: () => Promise<void>;
}

export async function* generation({ repeats, only = '' }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const standard = join(homedir(), '.cache', 'ftpc', 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf');
  const file = host.env('FTPC_BENCH_MODEL') ?? standard;
  const turns = Number(repeats ?? TURNS);
  yield `${file}, ${THREADS} threads, ${turns} turns; tokens per second, and the ratios of the same turn: median (lowest to highest)`;
  yield '';
  yield '| answers at once | by | tokens/s | generate ÷ it | serve ÷ it |';
  yield '|---|---|---|---|---|';
  for (const { rows, tokens } of CASES.filter(({ rows }) => `${rows}`.includes(only))) {
    const contestants = [
      await generating(host, file),
      await serving(host, file, { engine: 'embedded', rows, threads: THREADS }),
      // its threads wait for each other without sleeping, next to the one that chooses tokens
      await serving(host, file, { engine: 'llama.cpp', rows, threads: 1 }),
      await serving(host, file, { engine: 'llama.cpp', rows, threads: THREADS }),
      ...(await ownServers(host, file, rows)),
    ];
    for (const { answer } of contestants) await answer(promptsOf(1, -1), WARM);
    const speeds: number[][] = [];
    for (let turn = 0; turn < turns; turn++) {
      const ofTurn: number[] = [];
      for (const { answer } of contestants) ofTurn.push(await speed(answer, promptsOf(rows, turn), tokens));
      speeds.push(ofTurn);
    }
    for (const { release } of contestants) await release();
    for (const [at, { name }] of contestants.entries()) yield row(`${rows}`, name, ratios(speeds, at));
    // llama.cpp is what answers fastest of it in a turn
    const fastest = speeds.map((turn) => [...turn.slice(0, 2), Math.max(...turn.slice(2))]);
    yield row(`${rows}`, 'the fastest llama.cpp', ratios(fastest, 2));
  }
}

interface Ratios {
  readonly speed: string;
  readonly generate: string;
  readonly serve: string;
}

const row = (rows: string, name: string, { speed, generate, serve }: Ratios): string =>
  `| ${rows} | ${name} | ${speed} | ${generate} | ${serve} |`;

/** Of the contestant at this place. */
function ratios(speeds: readonly (readonly number[])[], at: number): Ratios {
  const of = (place: number): string => {
    const all = speeds.map((turn) => (turn[place] ?? Number.NaN) / (turn[at] ?? Number.NaN));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return `${median(all).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
  };
  return {
    speed: median(speeds.map((turn) => turn[at] ?? Number.NaN)).toFixed(1),
    ...(at < 2 ? { generate: '', serve: '' } : { generate: of(0), serve: of(1) }),
  };
}

/** None begins as another: nothing of it was read before. */
const promptsOf = (rows: number, turn: number): readonly string[] =>
  Array.from({ length: rows }, (_, at) => `${turn}.${at} Under this licence, whoever receives the work may`);

async function speed(answer: Answering, prompts: readonly string[], tokens: number): Promise<number> {
  const start = performance.now();
  const given = await answer(prompts, tokens);
  return given / ((performance.now() - start) / 1000);
}

async function generating(host: Host, folder: string): Promise<Contestant> {
  const float32Bytes = FLOAT32_SHARE * host.machine().memoryBytes;
  const { model, tokenizer } = await openParts(host, { folder, float32Bytes, threads: THREADS });
  return {
    name: 'generate',
    async answer(prompts, maxTokens) {
      const answers = await model.generate(
        prompts.map((prompt) => tokenizer.encode(prompt)),
        { maxTokens, stopIds: [] },
      );
      return answers.reduce((sum, { ids }) => sum + ids.length, 0);
    },
    release: () => model.release(),
  };
}

async function serving(
  host: Host,
  folder: string,
  options: { readonly engine: 'embedded' | 'llama.cpp'; readonly rows: number; readonly threads: number },
): Promise<Contestant> {
  const opened: ServingEngine = await openServing(host, {
    ...{ folder, ...options, contextTokens: CONTEXT },
  });
  // no answer ends before all of its tokens
  const files = openModelAt(host, folder);
  const ends = endIds(files.config, await files.tokenizer(), files.template());
  const bias = Object.fromEntries(ends.map((id) => [id, -100]));
  const one = async (text: string, maxTokens: number): Promise<number> => {
    let tokens = 0;
    const request = { prompt: { text }, maxTokens, draw: {}, stop: [], bias };
    for await (const piece of opened.complete(request, new AbortController().signal))
      if (piece.type === 'end') tokens += piece.answerTokens;
    return tokens;
  };
  return {
    name: options.engine === 'embedded' ? 'serve' : `llama.cpp, ${threadsText(options.threads)}`,
    async answer(prompts, maxTokens) {
      const counts = await Promise.all(prompts.map((prompt) => one(prompt, maxTokens)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    release: () => opened.close(),
  };
}

const threadsText = (threads: number): string => (threads === 1 ? 'one thread' : `${threads} threads`);

/** llama.cpp's server with one thread and with all; none where the Python lacks it. */
async function ownServers(host: Host, file: string, rows: number): Promise<readonly Contestant[]> {
  const found: Contestant[] = [];
  for (const threads of [1, THREADS]) {
    const server = await ownServer(host, file, rows, threads);
    if (server !== undefined) found.push(server);
  }
  return found;
}

async function ownServer(
  host: Host,
  file: string,
  rows: number,
  threads: number,
): Promise<Contestant | undefined> {
  const script = join(host.packageFolder, 'bench', 'peers', 'llama_server.py');
  const child = spawn(pythonOf(host), [script, file, ...[rows, CONTEXT, threads].map(String)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  const [first] = await Promise.race([once(child.stdout, 'data'), ended]);
  if (!Buffer.isBuffer(first)) return undefined;
  const url = first.toString('utf8').trim();
  const one = async (prompt: string, tokens: number): Promise<number> => {
    // greedy, as `draw: {}` is, and no answer ends before all of its tokens
    const body = { prompt, n_predict: tokens, temperature: 0, ignore_eos: true, cache_prompt: false };
    const response = await fetch(`${url}/completion`, { method: 'POST', body: JSON.stringify(body) });
    return ((await response.json()) as { readonly tokens_predicted: number }).tokens_predicted;
  };
  return {
    name: `llama.cpp's server, ${threadsText(threads)}`,
    async answer(prompts, maxTokens) {
      const counts = await Promise.all(prompts.map((prompt) => one(prompt, maxTokens)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async release() {
      child.stdin.end();
      await ended;
    },
  };
}
