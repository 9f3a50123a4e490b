/**
 * How much a process grows in a training step against the plan of it, on every runtime that is installed. What the whole process
 * takes is to be within the interval that `ftpc plan` prints; what V8 and the system keep free of their
 * heaps differs between machines and runs, so each case is measured several times.
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runtimeProblem } from '../../src/compute/tensor/runtimes/index.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { DECODER_PROCESS, SPREAD } from '../../src/pipeline/planner/memory/calibration.js';
import { runtimeOverhead } from '../../src/pipeline/planner/memory/runtimes.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import { runtimeVariables } from '../../src/pipeline/run/stage-environment.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { MEMORY_CASES, type MemoryCase, plannedGrowth } from './cases.js';

const COLUMNS = ['runtime', 'step', 'planned', 'measured', 'planned / measured', 'of the process'];

export async function* memory({ repeats, only = '' }: BenchmarkOptions): AsyncGenerator<string> {
  if (process.platform !== 'linux') throw new Error('resident memory can be read and reset on Linux only');
  const host = nodeHost();
  const cases = MEMORY_CASES.filter(({ title, runtime }) => `${runtime} ${title}`.includes(only));
  yield `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
  yield* ['', `| ${COLUMNS.join(' | ')} |`, `|${COLUMNS.map(() => '---|').join('')}`];
  const ratios: number[] = [];
  for (const one of cases) {
    const problem = runtimeProblem(host, one.runtime);
    if (problem !== undefined) console.error(`${one.runtime}, ${one.title}: left out: ${problem.message}`);
    else {
      const { line, ratio } = row(one, Math.max(1, Math.round(Number(repeats ?? 3))));
      ratios.push(ratio);
      yield line;
    }
  }
  if (ratios.length === 0)
    throw new Error(`nothing was measured: no case ${only} on a runtime that is installed`);
  const reached = ratios.every((ratio) => ratio >= 1 - SPREAD.below && ratio <= 1 + SPREAD.above);
  const limits = `${percent(SPREAD.below)} less and ${percent(SPREAD.above)} more`;
  const worst = `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`;
  yield* [
    '',
    `every process between ${limits} than planned: ${reached ? 'reached' : 'not reached'} (${worst})`,
  ];
}

/** `ratio` is the worst of the repetitions, measured to planned process. */
function row(one: MemoryCase, repeats: number): { readonly line: string; readonly ratio: number } {
  const planned = plannedGrowth(one);
  const base =
    DECODER_PROCESS +
    runtimeOverhead(one.runtime, {
      graphs: [],
      parts: { gradients: 0, activations: 0 },
      floatBytes: 0,
    }).process;
  const measured = Array.from({ length: repeats }, () => measure(one)).sort((a, b) => a - b);
  const [least = 0, most = 0] = [measured[0], measured.at(-1)];
  const ratios = measured.map((growth) => (base + growth) / (base + planned));
  const ratio = ratios.reduce((a, b) => (Math.abs(b - 1) > Math.abs(a - 1) ? b : a), 1);
  const spread = least === most ? bytes(most) : `${bytes(least)} to ${bytes(most)}`;
  const cells = [
    one.runtime,
    one.title,
    bytes(planned),
    spread,
    range(planned / most, planned / least),
    ratio.toFixed(3),
  ];
  return { line: `| ${cells.join(' | ')} |`, ratio };
}

/** Bytes by which the process of a step grows. It has the limits of V8's heap that a stage's process has. */
function measure(one: MemoryCase): number {
  const script = fileURLToPath(new URL('measure.js', import.meta.url));
  const env = { ...process.env, ...runtimeVariables(1, one.runtime), ...one.environment };
  const words = ['--expose-gc', '--max-semi-space-size=4', script, JSON.stringify(one)];
  return Number(execFileSync(process.execPath, words, { encoding: 'utf8', env }));
}

const range = (a: number, b: number): string =>
  a.toFixed(2) === b.toFixed(2) ? a.toFixed(2) : `${a.toFixed(2)} to ${b.toFixed(2)}`;
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
