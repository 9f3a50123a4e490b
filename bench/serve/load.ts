/**
 * A server under twice the load that it can bear: `npm run bench -- load`, for ten minutes, 30 seconds with `--quick`,
 * or `--steps` seconds. What is answered must not be slower than a full queue makes it, what is not must be refused,
 * and memory must stay level.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { nodeHost } from '../../src/language/host/node-host.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import { type ServingProcess, startServing } from '../../test/helpers/serving-process.js';
import type { BenchmarkOptions } from '../benchmark.js';

const ROWS = 4;
const QUEUE = 8;
const TOKENS = 16;
const SECONDS = { whole: 600, quick: 30 } as const;
/** To find out what the server can bear. */
const TRIAL = 10;
/** Above what the queue makes of the time of an answer: times vary. */
const SLACK = 1.5;
/** The most memory in the last quarter of the time, by that in the second one; and bytes that a young heap may take besides. */
const LEVEL = { share: 1.1, bytes: 32 * 2 ** 20 } as const;

interface Counts {
  /** Milliseconds of answers. */
  readonly times: number[];
  readonly refused: number;
  /** Neither answered nor refused: none is the aim. */
  readonly failed: number;
  readonly perSecond: number;
}

interface Sample {
  readonly server: number;
  readonly model: number;
  /** Answers that are computed or wait. */
  readonly taken: number;
}

export async function* load({ quick, steps }: BenchmarkOptions): AsyncGenerator<string> {
  const { packageFolder } = nodeHost();
  const words = [join(packageFolder, 'stdlib/models/starter'), '--quiet', '--max-model-len', '256'];
  const limits = ['--max-num-seqs', String(ROWS), '--max-queue', String(QUEUE)];
  const serving = await startServing(packageFolder, [...words, ...limits]);
  try {
    const trial = await ask(serving, { connections: ROWS, duration: TRIAL });
    yield `${trial.perSecond.toFixed(1)} answers of ${TOKENS} tokens per second, ${ROWS} at once`;
    const seconds = Number(steps ?? (quick === true ? SECONDS.quick : SECONDS.whole));
    const rate = Math.max(1, Math.round(2 * trial.perSecond));
    const samples: Sample[] = [];
    const stop = new AbortController();
    const sampling = sample(serving, samples, stop.signal);
    const counts = await ask(serving, {
      connections: 3 * (ROWS + QUEUE),
      duration: seconds,
      overallRate: rate,
    });
    stop.abort();
    await sampling;
    yield* told(counts, samples, { rate, seconds });
  } finally {
    serving.process.kill('SIGTERM');
    await serving.ended;
  }
}

async function ask({ url }: ServingProcess, options: Partial<autocannon.Options>): Promise<Counts> {
  const times: number[] = [];
  let refused = 0;
  let failed = 0;
  const request = { model: 'starter', prompt: 'Under this licence,', max_tokens: TOKENS, temperature: 1 };
  const { errors, timeouts, duration } = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(
      {
        ...{ url: `${url}/v1/completions`, method: 'POST', timeout: 120 },
        ...{ headers: { 'content-type': 'application/json' }, body: JSON.stringify(request), ...options },
      },
      (error: unknown, result) => (error === null ? resolve(result) : reject(error)),
    );
    run.on('response', (_client, status, _bytes, time) => {
      if (status === 200) times.push(time);
      else if (status === 429) refused++;
      else failed++;
    });
  });
  return { times, refused, failed: failed + errors + timeouts, perSecond: times.length / duration };
}

/** Once per second, until it is told to stop. */
async function sample({ url, process: server }: ServingProcess, samples: Sample[], signal: AbortSignal) {
  const pid = server.pid ?? 0;
  const [model = 0] = childrenOf(pid);
  while (!signal.aborted) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const gauge = (name: string): number =>
      Number(new RegExp(`^vllm:num_requests_${name}\\{.*\\} (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
    const taken = gauge('running') + gauge('waiting');
    samples.push({ server: memoryOf(pid), model: memoryOf(model), taken });
    await sleep(1000);
  }
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

/** Resident bytes. */
const memoryOf = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

function* told(
  { times, refused, failed, perSecond }: Counts,
  samples: readonly Sample[],
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Generator<string> {
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? Number.NaN;
  const quarter = samples.length / 4;
  // what is in front of the last one that is let in, at the rate at which answers were given
  const planned = (1000 * (ROWS + QUEUE)) / perSecond;
  yield `${seconds} s at ${rate} requests per second: ${times.length} answered (${perSecond.toFixed(1)} per second), ${refused} refused, ${failed} failed`;
  yield `p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms; a full queue makes it ${planned.toFixed(0)} ms`;
  yield `computed or waiting, at most: ${Math.max(...samples.map(({ taken }) => taken))} of ${ROWS + QUEUE}`;
  for (const name of ['server', 'model'] as const) {
    const most = (from: number): number =>
      Math.max(...samples.slice(from * quarter, (from + 1) * quarter).map((each) => each[name]));
    const [before, after] = [most(1), most(3)];
    yield `memory of the ${name}: at most ${bytes(before)} in the second quarter, ${bytes(after)} in the last`;
    if (after > LEVEL.share * before + LEVEL.bytes) yield `exceeded: memory of the ${name} grows`;
  }
  if (failed > 0) yield `exceeded: ${failed} requests failed`;
  if (!(at(0.99) <= SLACK * planned)) yield `exceeded: p99 is more than ${SLACK} times what is planned`;
}
