/** How fast ranks on the CPU train, and begin, next to a plain TRL script with the same rows and settings. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryPython } from '../../src/compute/accelerate/environment.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { median } from '../training/median.js';
import { ejected, type Place, trainedHere, writePipeline } from './ours.js';
import { trainedByTrl } from './theirs.js';
import { lossesApart, startUp, type Timed, tokensPerSecond } from './timed.js';

const RANKS = [1, 2];
/** Tokens of a row at most. */
const TOKENS = 256;

/** Tokens per second over those of the script, at least; seconds that beginning may take longer. */
const TARGETS = { ratio: 0.97, seconds: 3 } as const;

interface Turn {
  readonly ours: Timed;
  readonly theirs: Timed;
  readonly tokens: readonly number[];
}

export async function* ranks({ steps = '12', repeats = '3' }: BenchmarkOptions): AsyncGenerator<string> {
  const environment = tryPython(nodeHost());
  if ('code' in environment) return yield `${environment.message}: ${environment.help}`;
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-ranks-'));
  const place: Place = { folder, python: environment.python, steps: Number(steps) };
  try {
    writePipeline(place, TOKENS);
    yield '| ranks | tokens/s | plain TRL | ratio | first step after | TRL’s | later by | losses differ by |';
    yield '|---|---|---|---|---|---|---|---|';
    for (const world of RANKS) {
      const turns: Turn[] = [];
      for (let turn = 0; turn < Number(repeats); turn++) {
        const made = await taken(place, world, 100 * world + turn, turn % 2 === 0);
        if (typeof made === 'string') return yield `TRL did not train: ${made}`;
        turns.push(made);
      }
      yield rowOf(world, turns);
    }
    yield '';
    yield `targets: ratio at least ${TARGETS.ratio}, later by at most ${TARGETS.seconds} s`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both, one after the other: which is first changes. */
async function taken(place: Place, world: number, seed: number, isFirst: boolean): Promise<Turn | string> {
  const { path, tokens } = ejected(place, seed, world);
  const here = (): Promise<Timed> => trainedHere(place, seed, world, tokens);
  const before = isFirst ? await here() : undefined;
  const theirs = await trainedByTrl(place.python, path, world);
  if (typeof theirs === 'string') return theirs;
  return { ours: before ?? (await here()), theirs, tokens };
}

function rowOf(world: number, turns: readonly Turn[]): string {
  const of = (value: (turn: Turn) => number): number => median(turns.map(value));
  const ratio = of(
    ({ ours, theirs, tokens }) => tokensPerSecond(ours, tokens) / tokensPerSecond(theirs, tokens),
  );
  const later = of(({ ours, theirs }) => startUp(ours) - startUp(theirs));
  const mark = (holds: boolean): string => (holds ? '' : ' (missed)');
  const cells = [
    String(world),
    of(({ ours, tokens }) => tokensPerSecond(ours, tokens)).toFixed(0),
    of(({ theirs, tokens }) => tokensPerSecond(theirs, tokens)).toFixed(0),
    `${ratio.toFixed(2)}${mark(ratio >= TARGETS.ratio)}`,
    `${of(({ ours }) => startUp(ours)).toFixed(1)} s`,
    `${of(({ theirs }) => startUp(theirs)).toFixed(1)} s`,
    `${later.toFixed(1)} s${mark(later <= TARGETS.seconds)}`,
    Math.max(...turns.map(({ ours, theirs }) => lossesApart(ours, theirs))).toExponential(1),
  ];
  return `| ${cells.join(' | ')} |`;
}
