/** Trainings by ftpc: each of its own seed, so that none is found in the store. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '../../src/compute/models/safetensors/read.js';
import { tryJson } from '../../src/language/host/json.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { RUN_EVENT } from '../../src/language/ir/events.js';
import { rowsText } from '../gpu/pipeline.js';
import type { Timed } from './timed.js';

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));

/** Rows of a step are a divisor of all rows, so that every step has as many. */
const PIPELINE = (steps: number, tokens: number): string => `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"

param seed: Int = 0

data rows {
  source = jsonl("rows.jsonl")
}

format dialogs {
  from = rows
  template = chat()
  model = starter()
  max_length = ${tokens}tok
}

train trained using lora {
  base = starter()
  dataset = dialogs.train
  lora = { rank: 16, alpha: 32 }
  optimizer = adamw(rate: 1e-3)
  batch = { global: 8, micro: 4 }
  stop = { steps: ${steps}, epochs: 100 }
  checkpoint = { every: ${steps}steps }
  seed = seed
}
`;

export interface Place {
  readonly folder: string;
  readonly python: string;
  readonly steps: number;
}

export function writePipeline({ folder, steps }: Place, tokens: number): void {
  writeFileSync(join(folder, 'bench.ftp'), PIPELINE(steps, tokens));
  writeFileSync(join(folder, 'rows.jsonl'), `${rowsText(tokens)}\n`);
}

/** The training of a seed as a folder that a script can read, and the tokens of each of its steps. */
export function ejected(
  { folder, python }: Place,
  seed: number,
  ranks: number,
): { readonly path: string; readonly tokens: readonly number[] } {
  const path = join(folder, `ejected-${seed}`);
  const words = ['eject', 'bench.ftp', path, '-p', `seed=${seed}`, '--devices', String(ranks)];
  execFileSync(process.execPath, [FTPC, ...words, '--python', python, ...shared(ranks)], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const file = openSafetensors(nodeHost(), join(path, 'rows.safetensors'));
  const entry = file.tensors.get('offsets');
  if (entry === undefined) throw new Error('the rows have no offsets');
  const offsets = new BigInt64Array(file.read(entry).slice().buffer);
  const lengthOf = (row: number): number => Number((offsets[row + 1] ?? 0n) - (offsets[row] ?? 0n));
  const lines = readFileSync(join(path, 'steps.jsonl'), 'utf8').trimEnd().split('\n');
  const tokens = lines.map((line) => {
    const { micro } = JSON.parse(line) as { readonly micro: readonly (readonly (readonly number[])[])[] };
    return micro.flat(2).reduce((sum, row) => sum + lengthOf(row), 0);
  });
  return { path, tokens };
}

const shared = (ranks: number): readonly string[] => (ranks === 1 ? [] : ['--sharding', 'ddp']);

/** `tokens` of each step: an event of a step says how many of them it computed in a second. */
export async function trainedHere(
  { folder, python }: Place,
  seed: number,
  ranks: number,
  [tokens = 0]: readonly number[],
): Promise<Timed> {
  const words = ['run', 'bench.ftp', '--json', '-p', `seed=${seed}`, '--engine', 'accelerate'];
  const begun = performance.now();
  const options = ['--devices', String(ranks), '--python', python, ...shared(ranks)];
  const child = spawn(process.execPath, [FTPC, ...words, ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ends: number[] = [];
  const losses: number[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const now = (performance.now() - begun) / 1000;
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = tryJson(RUN_EVENT, line);
      if (event?.type !== 'stage.progress' || event.step === undefined) continue;
      if (event.step === 1) ends.push(now - tokens / (event.tokensPerSecond ?? Number.NaN));
      ends.push(now);
      losses.push(event.loss ?? Number.NaN);
    }
  });
  await once(child, 'close');
  return { ends, losses };
}
