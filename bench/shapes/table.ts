/**
 * What each reader of rows takes for odd shapes, at one, ten and a hundred times as much of each: `npm run bench -- shapes`. What is ten
 * times as large takes ten times as long, and no more.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonLines } from '../../src/language/host/json.js';
import { RUN_EVENT } from '../../src/language/ir/events.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { SHAPES, type Shape } from './cases.js';

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));
const TIMES = [1, 10, 100] as const;
/** From ten times as much to a hundred; a tenth of the time at most is that of the start. */
const MOST_RATIO = 15;
/** Seconds below which a ratio says nothing. */
const LEAST = 0.5;
const MOST_SECONDS = 600;

const HEAD = [
  '| of | smallest | size of the largest | 1× | 10× | 100× | ratio of the last two | peak |',
  '|---|---|---|---|---|---|---|---|',
];

export async function* shapes({ only = '', quick = false }: BenchmarkOptions): AsyncGenerator<string> {
  yield* HEAD;
  for (const shape of SHAPES.filter(({ name }) => name.includes(only)))
    yield lineOf(shape, quick ? TIMES.slice(0, 2) : TIMES);
  yield* ['', `target: ten times as much takes ${MOST_RATIO} times as long at most, from ${LEAST} s on`];
}

interface Measured {
  readonly size: number;
  /** Of the stage; what did not end has none. */
  readonly seconds?: number;
  readonly peakBytes: number;
}

function lineOf(shape: Shape, times: readonly number[]): string {
  const measured = times.map((each) => measure(shape, each * shape.count));
  const [before, last] = measured.slice(-2);
  const cells = TIMES.map((_, at) => measured[at]?.seconds?.toFixed(2) ?? '–');
  const peak = Math.max(...measured.map(({ peakBytes }) => peakBytes));
  return `| ${[shape.name, shape.count, bytes(last?.size ?? 0), ...cells, ratioOf(before, last), bytes(peak)].join(' | ')} |`;
}

function ratioOf(before: Measured | undefined, last: Measured | undefined): string {
  if (before?.seconds === undefined || last?.seconds === undefined) return 'did not end (missed)';
  const ratio = last.seconds / before.seconds;
  return `${ratio.toFixed(1)}${ratio > MOST_RATIO && last.seconds > LEAST ? ' (missed)' : ''}`;
}

function measure({ source, content }: Shape, count: number): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-shapes-'));
  try {
    const rows = content(count);
    writeFileSync(join(folder, 'rows'), rows);
    const reader = source.slice(0, source.indexOf('('));
    writeFileSync(
      join(folder, 'p.ftp'),
      `edition 2026\nimport { ${reader} } from "std/data"\n\ndata rows {\n  source = ${source}\n}\n`,
    );
    const { stdout } = spawnSync(process.execPath, [FTPC, 'run', 'p.ftp', '--json', '--threads', '1'], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1e9,
      timeout: 1000 * MOST_SECONDS,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const size = typeof rows === 'string' ? Buffer.byteLength(rows) : rows.length;
    const [ended] = jsonLines(RUN_EVENT, stdout).flatMap((event) =>
      event.type === 'stage.finished'
        ? [{ seconds: event.seconds, peakBytes: event.peakMemoryBytes ?? 0 }]
        : [],
    );
    return { size, ...(ended ?? { peakBytes: 0 }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
