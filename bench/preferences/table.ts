/**
 * Preference steps compared with TRL's trainers under gradient checkpointing: tokens per second and memory. Every measurement
 * is a process of its own, and all of a case are repeated in turns. TRL runs where `FTPC_PYTHON`, or `python3` on the path, has it.
 */
import { availableParallelism, cpus } from 'node:os';
import type { PairObjective } from '../../src/compute/training/objectives/types.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import { columns } from '../../src/pipeline/planner/render/columns.js';
import { logitsChunk } from '../../src/pipeline/planner/solve/start.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { ownWays, wayName as trainedName } from '../training/cases.js';
import { middle } from '../training/median.js';
import { plannedWay } from '../training/planned.js';
import { canImport, peer, python, run, scriptAt } from '../training/processes.js';
import {
  joinsTexts,
  type Measured,
  OBJECTIVES,
  PAIR_SHAPES,
  type PairShape,
  type PairTask,
  pairLengths,
  peerWays,
  taskOf,
  type Way,
} from './cases.js';

const threads = availableParallelism();

interface Line {
  readonly way: Way;
  readonly measured: Measured | undefined;
}

export async function* preferences(options: BenchmarkOptions): AsyncGenerator<string> {
  const steps = Math.max(1, Math.round(Number(options.steps ?? 4)));
  const repeats = Math.max(1, Math.round(Number(options.repeats ?? 3)));
  const hasPeer = canImport('torch, transformers, peft, trl');
  if (!hasPeer) console.error(`TRL is skipped: ${python} does not have it (set FTPC_PYTHON)`);
  yield `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, Node ${process.version}`;
  const shapes = options.quick ? PAIR_SHAPES.slice(0, 1) : PAIR_SHAPES;
  for (const shape of shapes)
    for (const objective of options.quick ? OBJECTIVES.slice(0, 1) : OBJECTIVES) {
      const title = titleOf(shape, objective);
      if (!title.includes(options.only ?? '')) continue;
      const lines = measured(shape, objective, { steps, repeats, hasPeer });
      yield* ['', title, ...table(shape, lines), '', ...targetLines(lines)];
    }
}

const titleOf = ({ model, rows, length, prompt }: PairShape, { kind }: PairObjective): string =>
  `${kind}, ${model}, ${rows} × 2 texts of ${length} tokens, ${prompt} of them the prompt`;

function measured(
  shape: PairShape,
  objective: PairObjective,
  { steps, repeats, hasPeer }: { steps: number; repeats: number; hasPeer: boolean },
): readonly Line[] {
  const found = new Map<string, { way: Way; all: Measured[] }>();
  const limit = (): number | undefined =>
    [...found.values()].find(({ way }) => way.by === 'trl')?.all[0]?.peakBytes;
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const way of [...(hasPeer ? peerWays(objective) : []), ...ways(shape, limit())]) {
      const name = wayName(shape, way);
      const entry = found.get(name) ?? { way, all: [] };
      found.set(name, entry);
      console.error(`${repeat + 1} of ${repeats}: ${titleOf(shape, objective)}: ${name}`);
      const command =
        way.by === 'trl' ? peer('preference_step.py') : scriptAt(new URL('measure.js', import.meta.url));
      const one = run<Measured>(command, {
        ...taskOf(shape, objective, { steps, threads }),
        way,
      } satisfies PairTask);
      if (one !== undefined) entry.all.push(one);
    }
  const lines = [...found.values()].map(({ way, all }): Line => ({ way, measured: middle(all) }));
  const losses = lines.flatMap((line) => line.measured?.loss ?? []);
  if (Math.max(...losses) / Math.min(...losses) > 1.05)
    throw new Error(`they do not all compute the same: losses ${losses.join(', ')}`);
  return lines;
}

/**
 * What the planner chooses in half of TRL's memory, the two ends of what there is to choose from, and the first of them in separate
 * rows where prompts are computed once.
 */
function ways(shape: PairShape, limit: number | undefined): readonly Way[] {
  const own = ownWays(shape, logitsChunk(shape.config.vocabSize));
  const isShared = joinsTexts(shape);
  const pairs = { lengths: pairLengths(shape), sharesPrompts: isShared };
  const all = [
    ...own,
    ...own.slice(0, isShared ? 1 : 0).map((way) => ({ ...way, sharesPrompts: false })),
    ...(limit === undefined ? [] : [plannedWay(shape, limit * HALF, pairs)]),
  ].filter((way): way is Extract<Way, { by: 'ftpc' }> => way?.by === 'ftpc');
  return [...new Map(all.map((way) => [wayName(shape, way), way])).values()];
}

const HALF = 0.5;
const FASTER = 1.5;

const wayName = (shape: PairShape, way: Way): string =>
  way.by === 'trl'
    ? `TRL${way.precomputed ? ', reference asked before' : ''}`
    : `${trainedName(shape, way)}${way.sharesPrompts === false ? ', prompts twice' : ''}`;

function table(shape: PairShape, lines: readonly Line[]): readonly string[] {
  const shown = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(0));
  const rows = lines.map(({ way, measured: found }) => [
    wayName(shape, way),
    shown(found?.tokensPerSecond),
    way.by === 'trl' && way.precomputed ? '–' : shown(found?.withReference),
    found === undefined ? '–' : bytes(found.peakBytes),
  ]);
  return columns([['way', 'tokens/s', 'with reference', 'peak'], ...rows], { right: [1, 2, 3] });
}

/** In half of TRL's memory, over its speed: a step that asks the reference itself, and one that does not. */
function targetLines(lines: readonly Line[]): readonly string[] {
  return lines.flatMap(({ way, measured: theirs }) => {
    if (way.by !== 'trl' || theirs === undefined) return [];
    const field = way.precomputed ? 'tokensPerSecond' : 'withReference';
    const within = lines.flatMap((line) =>
      line.way.by === 'ftpc' &&
      (line.measured?.peakBytes ?? Number.POSITIVE_INFINITY) <= theirs.peakBytes * HALF
        ? [line.measured?.[field] ?? 0]
        : [],
    );
    const ratio = Math.max(0, ...within) / theirs.tokensPerSecond;
    const asked = way.precomputed ? 'with the reference asked before training' : 'reference included';
    return `${ratio >= FASTER ? 'reached ' : 'NOT YET '} in half of TRL's memory, over TRL, ${asked}: ${ratio.toFixed(2)} (at least ${FASTER.toFixed(2)})`;
  });
}
