/**
 * Training steps compared with transformers and PEFT: tokens per second, memory, where the time goes, and how far the targets
 * are reached. Every measurement is a process of its own, one after the other, and all of a shape are repeated in turns.
 * The peers run where `FTPC_PYTHON`, or `python3` on the path, has torch, transformers and peft.
 */
import { availableParallelism, cpus } from 'node:os';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import { columns } from '../../src/pipeline/planner/render/columns.js';
import { logitsChunk } from '../../src/pipeline/planner/solve/start.js';
import type { BenchmarkOptions } from '../benchmark.js';
import {
  type Measured,
  ownWays,
  peerWays,
  RANK,
  SHAPES,
  type Shape,
  TARGET,
  type Task,
  type Way,
  wayName,
} from './cases.js';
import { middle } from './median.js';
import { flopsPerToken, plannedWay } from './planned.js';
import { canImport, peer, python, run, scriptAt } from './processes.js';
import type { Share } from './profile.js';
import { type Line, SMALL, targetLines } from './targets.js';
import type { Turns } from './turns.js';

const threads = availableParallelism();
const script = (name: string) => scriptAt(new URL(name, import.meta.url));

export async function* training(options: BenchmarkOptions): AsyncGenerator<string> {
  const steps = Math.max(1, Math.round(Number(options.steps ?? 5)));
  const repeats = Math.max(1, Math.round(Number(options.repeats ?? 3)));
  const hasPeer = canImport('torch, transformers, peft');
  if (!hasPeer)
    console.error(`PEFT is skipped: ${python} has no torch, transformers and peft (set FTPC_PYTHON)`);
  const rate = rates(hasPeer);
  const shapes = (options.quick ? [TARGET] : SHAPES).filter((shape) =>
    shapeName(shape).includes(options.only ?? ''),
  );
  yield `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, Node ${process.version}`;
  yield `float32 products: ${rate.text}`;
  for (const shape of shapes) {
    const lines = measureShape(shape, { steps, repeats, hasPeer });
    const arithmetic = flopsPerToken(shape, logitsChunk(shape.config.vocabSize)) / rate.best;
    yield* ['', shapeName(shape), ...table(lines, arithmetic), '', ...whereTimeGoes(shape)];
    if (shape.model === TARGET.model && shape.length === TARGET.length)
      yield* ['', ...targetLines(shape, lines, rate.onnxShare, inTurns(shape, steps))];
  }
}

function measureShape(
  shape: Shape,
  { steps, repeats, hasPeer }: { steps: number; repeats: number; hasPeer: boolean },
): readonly Line[] {
  const found = new Map<string, { way: Way; all: Measured[] }>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const peers = hasPeer ? peerWays : [];
    for (const way of [
      ...peers,
      ...ownWays(shape, logitsChunk(shape.config.vocabSize)),
      ...planned(shape, found),
    ]) {
      const name = wayName(shape, way);
      const entry = found.get(name) ?? { way, all: [] };
      found.set(name, entry);
      console.error(`${repeat + 1} of ${repeats}: ${shapeName(shape)}, ${name}`);
      const measured = run<Measured>(way.by === 'peft' ? peer('training_step.py') : script('measure.js'), {
        ...{ ...shape, way, rank: RANK, steps, threads },
      } satisfies Task);
      if (measured !== undefined) entry.all.push(measured);
    }
  }
  const lines = [...found].map(([name, { way, all }]): Line => ({ name, way, measured: middle(all) }));
  const losses = lines.flatMap(({ measured }) => measured?.loss ?? []);
  if (Math.max(...losses) / Math.min(...losses) > 1.05)
    throw new Error(`they do not all compute the same: losses ${losses.join(', ')}`);
  return lines;
}

/** What the planner chooses in the memory of PEFT's checkpointing, and in a quarter of that. */
function planned(shape: Shape, found: ReadonlyMap<string, { all: readonly Measured[] }>): readonly Way[] {
  const limit = found.get('PEFT checkpointed')?.all[0]?.peakBytes;
  if (limit === undefined) return [];
  const ways = [limit, limit / SMALL].flatMap((bytes) => plannedWay(shape, bytes) ?? []);
  const own = ownWays(shape, logitsChunk(shape.config.vocabSize)).map((way) => wayName(shape, way));
  // what is measured anyway is measured once
  return ways.filter((way) => !own.includes(wayName(shape, way)));
}

/** LoRA, products alone, and QLoRA, interleaved, with nothing recomputed. */
function inTurns(shape: Shape, steps: number): Turns | undefined {
  const [way] = ownWays(shape, logitsChunk(shape.config.vocabSize));
  if (way === undefined) return undefined;
  console.error(`${shapeName(shape)}, lora and qlora in turn`);
  return run<Turns>(script('turns.js'), { ...shape, way, rank: RANK, steps, threads } satisfies Task);
}

interface Rates {
  readonly best: number;
  /** ONNX Runtime's over the best. */
  readonly onnxShare: number;
  readonly text: string;
}

/** The machine's rate of float32 products: the best of the libraries, each its best. */
function rates(hasPeer: boolean): Rates {
  interface Rate {
    readonly flopsPerSecond: number;
  }
  const found = [
    { name: 'ONNX Runtime', rate: run<Rate>(script('rate.js'), { threads }) },
    { name: 'PyTorch', rate: hasPeer ? run<Rate>(peer('products.py'), { threads }) : undefined },
  ].flatMap(({ name, rate }) => (rate === undefined ? [] : [{ name, flops: rate.flopsPerSecond }]));
  const best = Math.max(...found.map(({ flops }) => flops));
  return {
    best,
    onnxShare: (found[0]?.flops ?? best) / best,
    text: found.map(({ name, flops }) => `${name} ${(flops / 1e9).toFixed(0)} GFLOP/s`).join(', '),
  };
}

function table(lines: readonly Line[], arithmetic: number): readonly string[] {
  const rows = lines.map(({ name, measured }) =>
    measured === undefined
      ? [name, '–', '–', '–']
      : [
          name,
          measured.tokensPerSecond.toFixed(0),
          bytes(measured.peakBytes),
          `${(100 * measured.tokensPerSecond * arithmetic).toFixed(0)} %`,
        ],
  );
  return columns([['way', 'tokens/s', 'peak', 'of the rate of products'], ...rows], { right: [1, 2, 3] });
}

/** The first of our ways, by op. */
function whereTimeGoes(shape: Shape): readonly string[] {
  const [way] = ownWays(shape, logitsChunk(shape.config.vocabSize));
  if (way === undefined) return [];
  const task = { ...shape, way, rank: RANK, steps: 1, threads } satisfies Task;
  const shares = run<readonly Share[]>(script('profile.js'), task) ?? [];
  const shown = shares.filter(({ share }) => share >= LEAST_SHARE);
  const rest = 1 - shown.reduce((sum, { share }) => sum + share, 0);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    `Where the time of ${wayName(shape, way)} goes:`,
    `${shown.map(({ what, share }) => `${what} ${percent(share)}`).join(', ')}, other ${percent(rest)}`,
  ];
}

const LEAST_SHARE = 0.01;

const shapeName = ({ model, rows, length }: Shape): string => `${model} ${rows}×${length}`;
