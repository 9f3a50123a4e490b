/**
 * An optimiser step of SmolLM2-135M's shapes over 512 tokens on every runtime that is installed: tokens per second, time
 * of the processor, peak memory. The processes take their steps in turn, so that what else the machine does falls on
 * all of them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { RUNTIMES, runtimeProblem } from '../../src/compute/tensor/runtimes/index.js';
import { suffixOf, variantOf } from '../../src/compute/tensor/runtimes/tensorflow/variants.js';
import type { Host } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { RuntimeName } from '../../src/language/ir/runtimes.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import { columns } from '../../src/pipeline/planner/render/columns.js';
import { logitsChunk } from '../../src/pipeline/planner/solve/start.js';
import { runtimeVariables } from '../../src/pipeline/run/stage-environment.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { ownWays, RANK, TARGET, type Task, type Way, wayName } from '../training/cases.js';
import { median } from '../training/median.js';

export interface RuntimeTask extends Task {
  readonly runtime: RuntimeName;
}

export interface Answer {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The most that was resident in the process since its first step. */
  readonly peakBytes: number;
  /** The most that lay in the memory of the runtime. */
  readonly heldBytes: number;
  readonly loss: number;
  readonly where: string;
}

export async function* runtimes(options: BenchmarkOptions): AsyncGenerator<string> {
  const steps = Math.max(1, Math.round(Number(options.steps ?? 5)));
  const host = nodeHost();
  const threads = availableParallelism();
  const installed = (Object.keys(RUNTIMES) as RuntimeName[]).filter((name) => {
    const problem = runtimeProblem(host, name);
    if (problem !== undefined) console.error(`${problem.message}; ${problem.help}`);
    return problem === undefined;
  });
  let contenders: readonly Contender[] = installed.flatMap((name) => contendersOf(host, name));
  yield `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, Node ${process.version}`;
  const exact = ownWays(TARGET, logitsChunk(TARGET.config.vocabSize));
  const rounded = exact.map((way): Way => ({ ...way, ...(way.by === 'ftpc' ? { precision: 'bf16' } : {}) }));
  const ways = [...exact, ...rounded].filter((way) => wayName(TARGET, way).includes(options.only ?? ''));
  for (const way of options.quick ? ways.slice(0, 1) : ways) {
    const { lines, able } = await inTurns(contenders, way, steps, threads);
    yield* ['', wayName(TARGET, way), ...lines];
    // what took too long for one way does so for all
    contenders = able;
  }
}

/** A runtime, and what its process finds in its environment besides the rest. */
interface Contender {
  readonly runtime: RuntimeName;
  readonly environment?: Readonly<Record<string, string>>;
}

/** TensorFlow as it is without measurements, too, where these have it compute in another way. */
const contendersOf = (host: Host, name: RuntimeName): readonly Contender[] =>
  name === 'tensorflow' && suffixOf(variantOf(host)) !== ''
    ? [{ runtime: name, environment: { FTPC_TENSORFLOW: 'plain' } }, { runtime: name }]
    : [{ runtime: name }];

async function inTurns(
  contenders: readonly Contender[],
  way: Way,
  steps: number,
  threads: number,
): Promise<{ readonly lines: readonly string[]; readonly able: readonly Contender[] }> {
  const children: ChildProcess[] = [];
  const answers: Answer[][] = [];
  const able: Contender[] = [];
  try {
    for (const contender of contenders) {
      const { runtime, environment } = contender;
      console.error(`${wayName(TARGET, way)}: ${runtime} begins`);
      const task: RuntimeTask = { ...TARGET, way, rank: RANK, steps, threads, runtime };
      const child = fork(fileURLToPath(new URL('measure.js', import.meta.url)), [JSON.stringify(task)], {
        execArgv: ['--expose-gc'],
        env: { ...process.env, ...runtimeVariables(threads, runtime), ...environment },
      });
      // installed is not able: there may be no GPU
      const error = await answerOf(child, FIRST_STEP_SECONDS).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) {
        console.error(`${wayName(TARGET, way)}: ${runtime} is left out: ${error}`);
        continue;
      }
      able.push(contender);
      children.push(child);
      answers.push([]);
    }
    for (let step = 0; step < steps; step++)
      for (const [at, child] of children.entries()) {
        child.send('step');
        answers[at]?.push(await answerOf(child));
      }
  } finally {
    for (const child of children) child.kill();
  }
  const titles = ['runtime', 'tokens/s', 'processor s/step', 'peak of the process', 'held', 'loss'];
  const rows = answers.map((all) => {
    const of = (key: 'seconds' | 'cpuSeconds' | 'loss') => median(all.map((one) => one[key]));
    const most = (key: 'peakBytes' | 'heldBytes') => Math.max(...all.map((one) => one[key]));
    return [
      all[0]?.where ?? '',
      ((TARGET.rows * TARGET.length) / of('seconds')).toFixed(0),
      of('cpuSeconds').toFixed(2),
      bytes(most('peakBytes')),
      bytes(most('heldBytes')),
      of('loss').toFixed(6),
    ];
  });
  return { lines: columns([titles, ...rows], { right: [1, 2, 3, 4, 5] }), able };
}

/** What has not taken a step by then is no runtime for this shape; it would keep the others waiting for an hour. */
const FIRST_STEP_SECONDS = 120;

function answerOf(child: ChildProcess, seconds?: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => {
      clearTimeout(timer);
      reject(new Error(`the process ended with ${code}`));
    };
    const late = () => {
      child.off('exit', ended);
      child.kill();
      reject(new Error(`no step within ${seconds} s`));
    };
    const timer = seconds === undefined ? undefined : setTimeout(late, 1000 * seconds);
    child.once('exit', ended);
    child.once('message', (message) => {
      clearTimeout(timer);
      child.off('exit', ended);
      resolve(message as Answer);
    });
  });
}
