/**
 * A Llama of 7 (13) billion parameters that is trained by QLoRA on this machine, in little memory: what was planned,
 * and what it took. A block of it is also quantised by bitsandbytes, where a Python has that.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { jsonLines } from '../../src/language/host/json.js';
import { RUN_EVENT } from '../../src/language/ir/events.js';
import type { Plan } from '../../src/pipeline/planner/plan-json.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import type { Benchmark, BenchmarkOptions } from '../benchmark.js';
import { median } from '../training/median.js';
import { type SIZES, writeLargeBase } from './base.js';
import { quantised } from './quantised.js';

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));

type Size = keyof typeof SIZES;

interface Limits {
  /** What is given to `--memory`. */
  readonly memory: string;
  readonly optimizer: string;
  readonly rank: number;
  /** What the weights take on disk, with room for the store. */
  readonly disk: number;
  /** Where weights come from: from the file, or fresh. */
  readonly bases: readonly (keyof typeof BASES)[];
}

const BASES = { file: 'local("base")', fresh: 'untrained("base")' } as const;

const LIMITS: Readonly<Record<Size, Limits>> = {
  '7b': { memory: '8GiB', optimizer: 'adamw', rank: 16, disk: 15e9, bases: ['file', 'fresh'] },
  '13b': { memory: '10GiB', optimizer: 'adamw8bit', rank: 8, disk: 29e9, bases: ['file'] },
};

/** Training steps, of which the first reads and quantises the base. */
const STEPS = 4;

const PIPELINE = ({ optimizer, rank }: Limits, base: keyof typeof BASES, steps: number) => `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
}
format dialogs {
  from = rows
  template = chat()
  max_length = 128tok
}
train adapter using qlora {
  base = ${BASES[base]}
  dataset = dialogs.all
  lora = { rank: ${rank}, alpha: 32 }
  optimizer = ${optimizer}(rate: 1e-4)
  batch = { global: 1, micro: 1 }
  stop = { steps: ${steps} }
}
`;

export const large = (size: Size): Benchmark =>
  async function* lines({ steps }: BenchmarkOptions) {
    const folder = mkdtempSync(join(tmpdir(), `ftpc-${size}-`));
    const { memory, disk, bases } = LIMITS[size];
    try {
      const { bavail, bsize } = statfsSync(folder);
      if (bavail * bsize < disk)
        throw new Error(
          `${folder} has ${bytes(bavail * bsize)} of room, and the weights need ${bytes(disk)}`,
        );
      yield `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`;
      const began = performance.now();
      const written = writeLargeBase(join(folder, 'base'), size);
      yield `base: ${bytes(written)} of bfloat16, written in ${seconds(performance.now() - began)}`;
      yield* quantised(folder);
      writeRows(folder);
      yield* ['', HEADINGS, HEADINGS.replaceAll(/[^|]+/g, '---')];
      for (const base of bases) {
        const pipeline = PIPELINE(LIMITS[size], base, Math.max(2, Math.round(Number(steps ?? STEPS))));
        writeFileSync(join(folder, PIPELINE_FILE), pipeline);
        yield await trained(folder, base, memory);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

const PIPELINE_FILE = 'large.ftp';

const HEADINGS =
  '| base | plan after | planned | interval | measured | planned / measured | first step after | a step |';

function writeRows(folder: string): void {
  const row = (index: number) => ({
    instruction: `question ${index} ${'about the law of contracts '.repeat(REPEATS)}`,
    output: 'It is an answer that the court has given before.',
  });
  const rows = Array.from({ length: 8 }, (_, index) => JSON.stringify(row(index)));
  writeFileSync(join(folder, 'rows.jsonl'), rows.join('\n'));
}

/** Makes rows of which the longest has between 113 and 128 tokens, which are padded to 128. */
const REPEATS = 16;

/** A line of the table. */
async function trained(folder: string, base: string, memory: string): Promise<string> {
  // whichever runtime is the fastest here: only this one takes matrices in tiles
  const words = [PIPELINE_FILE, '--json', '--runtime', 'onnx', '--memory', memory];
  const began = performance.now();
  const options = { cwd: folder, encoding: 'utf8', maxBuffer: 1e8 } as const;
  const plan = JSON.parse(execFileSync(process.execPath, [FTPC, 'plan', ...words], options)) as Plan;
  const planned = seconds(performance.now() - began);
  const peak = plan.stages.find(({ name }) => name === 'adapter')?.peak;
  const run = await timedRun(folder, words);
  const took = run.peakBytes;
  if (peak === undefined || peak === null || took === undefined) throw new Error('the training did not end');
  const interval = `${bytes(peak.low)} to ${bytes(peak.high)}`;
  const [first = Number.NaN, ...rest] = run.stepSeconds;
  const memories = [bytes(peak.bytes), interval, bytes(took), (peak.bytes / took).toFixed(3)];
  return `| ${[base, planned, ...memories, seconds(1000 * first), seconds(1000 * median(rest))].join(' | ')} |`;
}

interface TimedRun {
  readonly peakBytes: number | undefined;
  /** From the start of the stage to the end of its first step, and from each to the next. */
  readonly stepSeconds: readonly number[];
}

/** Runs the pipeline, and looks at the clock whenever a step has ended. */
async function timedRun(folder: string, words: readonly string[]): Promise<TimedRun> {
  const child = spawn(process.execPath, [FTPC, 'run', ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stepSeconds: number[] = [];
  let last = performance.now();
  let peakBytes: number | undefined;
  for await (const line of createInterface({ input: child.stdout }))
    for (const event of jsonLines(RUN_EVENT, line)) {
      if (!('stage' in event) || event.stage !== 'adapter') continue;
      const now = performance.now();
      if (event.type === 'stage.started') last = now;
      if (event.type === 'stage.finished') peakBytes = event.peakMemoryBytes;
      if (event.type !== 'stage.progress' || event.loss === undefined) continue;
      stepSeconds.push((now - last) / 1000);
      last = now;
    }
  return { peakBytes, stepSeconds };
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
