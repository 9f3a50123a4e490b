/** Runs a pipeline of one training by a given engine, in a folder of its own, and what its events say. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonLines } from '../../src/language/host/json.js';
import { RUN_EVENT, type RunEvent } from '../../src/language/ir/events.js';
import type { Plan, PlannedStage } from '../../src/pipeline/planner/plan-json.js';
import type { Method } from './cases.js';

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));

export interface PipelineTask {
  /** Absolute folder of the base; default: the starter model. */
  readonly model?: string;
  readonly method: Method;
  readonly micro: number;
  readonly steps: number;
  /** Tokens of a row at most. */
  readonly length: number;
  readonly precision: 'f32' | 'bf16';
  readonly engine: readonly string[];
  /** Default: a thread per core. */
  readonly threads?: number;
  /** What it takes is compared with its plan. */
  readonly isCompared?: boolean;
  /** Milliseconds after which it is ended. */
  readonly patience: number;
}

interface Outcome {
  readonly losses: readonly number[];
  /** Of the steps after the first two. */
  readonly tokensPerSecond: number;
  /** Bytes that tensors took at most on one GPU, or that a rank on the CPU had resident. */
  readonly peakBytes: number;
  /** The same, as planned. */
  readonly plannedBytes: number | undefined;
  /** What was said, where it failed. */
  readonly problem: string | undefined;
}

const WORDS = 'the contract of a licence that lets every person use copy change and share a work'.split(' ');

/** About `length` tokens each, and not all of the same length. */
export const rowsText = (length: number): string =>
  Array.from({ length: 64 }, (_, row) => {
    const words = Array.from({ length: Math.round(length * (0.45 + (row % 5) * 0.05)) }, (_, at) => {
      return WORDS[(row * 7 + at * at + at) % WORDS.length];
    });
    return JSON.stringify({ instruction: `Text ${row}?`, output: words.join(' ') });
  }).join('\n');

const pipelineText = ({ model, method, micro, steps, length, precision }: PipelineTask): string => {
  const base = model === undefined ? 'starter()' : `local("${model}")`;
  return `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
}

format dialogs {
  from = rows
  template = chat()
  model = ${base}
  max_length = ${length}tok
}

train trained using ${method} {
  base = ${base}
  dataset = dialogs.train
  ${method === 'full' ? '' : 'lora = { rank: 16, alpha: 32 }'}
  precision = ${precision}
  optimizer = adamw(rate: 1e-4)
  batch = { global: ${micro}, micro: ${micro} }
  stop = { steps: ${steps}, epochs: 100 }
}
`;
};

const ftpc = (folder: string, words: readonly string[], patience: number): Promise<string> =>
  new Promise((resolve) => {
    const options = { cwd: folder, maxBuffer: 1e8, timeout: Math.max(1, Math.round(patience)) };
    // what it says is read from its events, however it ends
    execFile(process.execPath, [FTPC, ...words], options, (_, stdout) => resolve(stdout));
  });

export async function runPipeline(task: PipelineTask): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-gpu-'));
  try {
    writeFileSync(join(folder, 'bench.ftp'), pipelineText(task));
    writeFileSync(join(folder, 'rows.jsonl'), `${rowsText(task.length)}\n`);
    const planned = task.isCompared === true ? await peakOf(folder, task) : undefined;
    const events = jsonLines(
      RUN_EVENT,
      await ftpc(folder, ['run', 'bench.ftp', '--json', ...task.engine, ...threadsOf(task)], task.patience),
    );
    const steps = events.flatMap((event) =>
      event.type === 'stage.progress' && event.step !== undefined ? [event] : [],
    );
    const [said] = events.flatMap((event) =>
      event.type === 'diagnostic' && event['severity'] === 'error' ? [String(event['message'])] : [],
    );
    const rates = steps
      .slice(2)
      .flatMap(({ tokensPerSecond }) => tokensPerSecond ?? [])
      .sort((a, b) => a - b);
    return {
      losses: steps.map(({ loss }) => loss ?? Number.NaN),
      tokensPerSecond: rates[Math.floor(rates.length / 2)] ?? Number.NaN,
      peakBytes: Math.max(0, ...steps.flatMap(bytesIn)),
      plannedBytes: (planned?.device ?? planned)?.bytes,
      problem: steps.length < task.steps ? (said ?? 'it did not end in time') : undefined,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of each GPU what tensors take, or of each rank on the CPU what is resident. */
const bytesIn = ({
  memory,
  resident = [],
}: Extract<RunEvent, { type: 'stage.progress' }>): readonly number[] =>
  (memory?.map(({ allocated }) => allocated) ?? resident).map((bytes) => bytes ?? 0);

const threadsOf = ({ threads }: PipelineTask): readonly string[] =>
  threads === undefined ? [] : ['--threads', `${threads}`];

/** As it is planned. */
async function peakOf(folder: string, { engine, patience }: PipelineTask): Promise<PlannedStage['peak']> {
  const plan = tryPlan(await ftpc(folder, ['plan', 'bench.ftp', '--json', ...engine], patience));
  return plan?.stages?.find(({ name }) => name === 'trained')?.peak ?? null;
}

function tryPlan(text: string): Pick<Plan, 'stages'> | undefined {
  try {
    return JSON.parse(text) as Pick<Plan, 'stages'>;
  } catch {
    return undefined;
  }
}
