/** Whole pipelines: the peak of memory that `ftpc plan` prints for each stage, and what `ftpc run` measures of its process. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUNTIMES } from '../../src/compute/tensor/runtimes/index.js';
import { jsonLines } from '../../src/language/host/json.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { RUN_EVENT } from '../../src/language/ir/events.js';
import type { Plan } from '../../src/pipeline/planner/plan-json.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { CODES } from './codes.js';
import { CONFIGURATIONS } from './configurations.js';
import { EVALUATIONS } from './evaluations.js';
import { PIPELINES, type PlannedPipeline } from './pipelines.js';
import { published } from './published/table.js';

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));
const COLUMNS = ['pipeline', 'stage', 'planned', 'interval', 'measured', 'planned / measured', 'inside'];

export async function* plans(options: BenchmarkOptions): AsyncGenerator<string> {
  if (options.published) return yield* published(options);
  const { only = '' } = options;
  yield `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
  yield* table('Pipelines', PIPELINES, only);
  yield* table('Trainings by method', CONFIGURATIONS, only);
  yield* table('Evaluations of long rows', EVALUATIONS, only);
  yield* table('GGUF files', CODES, only);
}

/** Rows as they are measured, and what they come to; nothing where none is asked for. */
function* table(title: string, pipelines: readonly PlannedPipeline[], only: string): Generator<string> {
  const named = pipelines.filter(({ title }) => title === only);
  const found = named.length > 0 ? named : pipelines.filter(({ title }) => title.includes(only));
  if (found.length === 0) return;
  yield* ['', `## ${title}`, ''];
  const isMissing = ({ runtime }: PlannedPipeline): boolean =>
    runtime !== undefined && RUNTIMES[runtime].version(nodeHost()) === undefined;
  yield* found
    .filter(isMissing)
    .map(({ title, runtime }) => `left out: ${title}: ${runtime} is not installed`);
  yield* ['', `| ${COLUMNS.join(' | ')} |`, `|${COLUMNS.map(() => '---|').join('')}`];
  const rows: Row[] = [];
  for (const pipeline of found.filter((one) => !isMissing(one))) {
    const measured = rowsOf(pipeline);
    rows.push(...measured);
    yield* measured.map(({ line }) => line);
  }
  yield* ['', ...summaryOf(rows)];
}

interface Row {
  readonly line: string;
  /** Planned ÷ measured. */
  readonly ratio: number;
  readonly isInside: boolean;
  readonly isAbove: boolean;
}

function summaryOf(rows: readonly Row[]): readonly string[] {
  const errors = rows.map(({ ratio }) => Math.abs(ratio - 1)).sort((a, b) => a - b);
  const percent = (share = Number.NaN): string => `${(100 * share).toFixed(1)} %`;
  const count = (holds: (row: Row) => boolean): number => rows.filter(holds).length;
  return [
    `${rows.length} stages: error ${percent(errors[errors.length >> 1])} in the median, ${percent(errors.at(-1))} at worst; ` +
      `${count((row) => row.isInside)} inside their interval, ${count((row) => row.isAbove)} above it`,
  ];
}

function rowsOf({ title, options, runtime = 'onnx', stage, write }: PlannedPipeline): readonly Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-plans-'));
  try {
    const file = write(folder);
    const ftpc = (command: string): string =>
      execFileSync(process.execPath, [FTPC, command, file, '--json', '--runtime', runtime, ...options], {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 1e8,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    const plan = JSON.parse(ftpc('plan')) as Plan;
    const measured = new Map(
      jsonLines(RUN_EVENT, ftpc('run')).flatMap((event) =>
        event.type === 'stage.finished' ? [[event.stage, event.peakMemoryBytes] as const] : [],
      ),
    );
    return plan.stages.flatMap(({ name, peak }) => {
      const took = measured.get(name);
      const isOther = stage !== undefined && name !== stage;
      if (isOther || peak === undefined || peak === null || took === undefined) return [];
      const isInside = took >= peak.low && took <= peak.high;
      const interval = `${bytes(peak.low)} to ${bytes(peak.high)}`;
      const ratio = peak.bytes / took;
      const shown = [bytes(peak.bytes), interval, bytes(took), ratio.toFixed(3), isInside ? 'yes' : 'no'];
      return [
        { line: `| ${[title, name, ...shown].join(' | ')} |`, ratio, isInside, isAbove: took > peak.high },
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
