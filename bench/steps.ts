/**
 * Training steps beside PyTorch with PEFT, each in a process of its own. The peer runs where `FTPC_BENCH_PYTHON`, or
 * `python3` on the path, has torch, transformers and peft.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tableLines } from '../src/cli/table.js';
import { bytesText } from '../src/run/text.js';
import { nodeHost } from '../src/source/node-host.js';
import { type Case, cases, type Measured } from './cases.js';
import type { BenchmarkOptions } from './main.js';

const ours = [process.execPath, '--expose-gc', fileURLToPath(new URL('ours.js', import.meta.url))];
const python = process.env['FTPC_BENCH_PYTHON'] ?? 'python3';
const peer = [python, join(nodeHost().packageFolder, 'bench', 'peer.py')];

export async function steps(options: BenchmarkOptions): Promise<readonly string[]> {
  const steps = Math.max(1, Math.round(Number(options.steps ?? 5)));
  const hasPeer = spawnSync(python, ['-c', 'import torch, transformers, peft']).status === 0;
  if (!hasPeer)
    console.error(
      `PyTorch is skipped: ${python} has no torch, transformers and peft (set FTPC_BENCH_PYTHON)`,
    );
  const rows = cases(steps, availableParallelism())
    .filter((one) => nameOf(one).includes(options.only ?? ''))
    .map((one) => row(one, hasPeer));
  const titles = 'model rows method recomputed tokens/s PyTorch ratio peak PyTorch ratio'.split(' ');
  const columns = titles.map((title, index) => ({ title, right: index > 3 }));
  return tableLines(columns, rows);
}

function row(one: Case, hasPeer: boolean): readonly string[] {
  console.error(nameOf(one));
  const [own, other] = [measure(ours, one), hasPeer ? measure(peer, one) : undefined];
  if (own !== undefined && other !== undefined && Math.abs(own.loss / other.loss - 1) > 0.05)
    throw new Error(`the two do not compute the same: losses ${own.loss} and ${other.loss}`);
  return [
    ...[one.model, `${one.rows}×${one.length}`, one.method, one.recompute],
    ...pair(own?.tokensPerSecond, other?.tokensPerSecond, (value) => value.toFixed(0)),
    ...pair(own?.peakBytes, other?.peakBytes, bytesText),
  ];
}

function nameOf({ model, rows, length, method, recompute }: Case): string {
  return `${model} ${rows}×${length} ${method}, ${recompute} recomputed`;
}

function measure([program = '', ...words]: readonly string[], one: Case): Measured | undefined {
  const ended = spawnSync(program, [...words, JSON.stringify(one)], { encoding: 'utf8' });
  if (ended.status === 0) return JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '') as Measured;
  console.error(ended.stderr.trim().split('\n').at(-1));
  return undefined;
}

function pair(own = Number.NaN, other = Number.NaN, text: (value: number) => string): readonly string[] {
  const shown = (value: number): string => (Number.isNaN(value) ? '–' : text(value));
  const ratio = own / other;
  return [shown(own), shown(other), Number.isNaN(ratio) ? '–' : ratio.toFixed(2)];
}
