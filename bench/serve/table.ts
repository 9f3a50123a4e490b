/**
 * Tokens per second of the serving engines, next to each other on one file: `npm run bench -- serve`. The file is a GGUF
 * that `FTPC_BENCH_MODEL` names, or else the starter model, which only the embedded engine takes.
 */
import { join } from 'node:path';
import type { ServingEngine } from '../../src/compute/serving/types.js';
import { UserError } from '../../src/language/diagnostics/types.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { openServing } from '../../src/pipeline/deploy/open-serving.js';
import type { BenchmarkOptions } from '../benchmark.js';

const ENGINES = ['embedded', 'llama.cpp'] as const;
const CLIENTS = [1, 4, 16];
/** Of each answer, and answers of each client, one after another. */
const TOKENS = 64;
const REQUESTS = 2;

const HEAD = [
  '| engine | clients | tokens per second | per second of the processor | first token, median |',
  '|---|---|---|---|---|',
];

export async function* serve({ only = '', quick }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const folder = host.env('FTPC_BENCH_MODEL') ?? join(host.packageFolder, 'stdlib/models/starter');
  yield* HEAD;
  for (const name of ENGINES.filter((engine) => engine.includes(only))) {
    let engine: ServingEngine;
    try {
      engine = await openServing(host, { folder, engine: name, contextTokens: 512 });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      yield `| ${name} | | ${error.diagnostic.message} | | |`;
      continue;
    }
    await measured(engine, 1);
    for (const clients of quick === true ? CLIENTS.slice(0, 1) : CLIENTS)
      yield row(name, await measured(engine, clients));
    await engine.close();
  }
}

interface Measured {
  readonly clients: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly firstToken: number;
}

const row = (engine: string, { clients, tokens, seconds, processorSeconds, firstToken }: Measured): string =>
  `| ${engine} | ${clients} | ${(tokens / seconds).toFixed(1)} | ${(tokens / processorSeconds).toFixed(1)} | ${firstToken.toFixed(0)} ms |`;

async function measured(engine: ServingEngine, clients: number): Promise<Measured> {
  const firsts: number[] = [];
  let tokens = 0;
  const client = async (number: number): Promise<void> => {
    for (let request = 0; request < REQUESTS; request++) {
      const start = performance.now();
      let isFirst = true;
      const text = `${number}.${request} Under this licence, whoever receives the work may`;
      const asked = { prompt: { text }, maxTokens: TOKENS, draw: {}, stop: [] };
      for await (const piece of engine.complete(asked, new AbortController().signal)) {
        if (piece.type === 'text' && isFirst) firsts.push(performance.now() - start);
        isFirst = isFirst && piece.type !== 'text';
        if (piece.type === 'end') tokens += piece.answerTokens;
      }
    }
  };
  const [start, processor] = [performance.now(), process.cpuUsage()];
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const { user, system } = process.cpuUsage(processor);
  const seconds = (performance.now() - start) / 1000;
  firsts.sort((a, b) => a - b);
  return {
    ...{ clients, tokens, seconds, processorSeconds: (user + system) / 1e6 },
    firstToken: firsts[Math.floor(firsts.length / 2)] ?? Number.NaN,
  };
}
