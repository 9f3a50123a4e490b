/** Whole pipelines: the peak of memory that `ftpc plan` prints for each stage, and what `ftpc run` measures of its process. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonLines } from '../../src/language/host/json.js';
import { RUN_EVENT } from '../../src/language/ir/events.js';
import type { Plan } from '../../src/pipeline/planner/plan-json.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { PIPELINES, type PlannedPipeline } from './pipelines.js';
import { published } from './published/table.js';

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));
const COLUMNS = ['pipeline', 'stage', 'planned', 'interval', 'measured', 'planned / measured', 'inside'];

export async function* plans(options: BenchmarkOptions): AsyncGenerator<string> {
  if (options.published) return yield* published(options);
  const { only = '' } = options;
  yield `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
  yield* ['', `| ${COLUMNS.join(' | ')} |`, `|${COLUMNS.map(() => '---|').join('')}`];
  const found = PIPELINES.filter(({ title }) => title.includes(only)).map(rowsOf);
  if (found.length === 0)
    throw new Error(`there is no pipeline ${only}: ${PIPELINES.map((one) => one.title)}`);
  const rows = found.flat();
  yield* rows.map(({ line }) => line);
  const outside = rows.filter(({ isInside }) => !isInside).length;
  yield* ['', `every stage inside its interval: ${outside === 0 ? 'reached' : `not reached by ${outside}`}`];
}

interface Row {
  readonly line: string;
  readonly isInside: boolean;
}

function rowsOf({ title, options, write }: PlannedPipeline): readonly Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-plans-'));
  try {
    const file = write(folder);
    const ftpc = (command: string): string =>
      execFileSync(process.execPath, [FTPC, command, file, '--json', ...options], {
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
      if (peak === undefined || peak === null || took === undefined) return [];
      const isInside = took >= peak.low && took <= peak.high;
      const interval = `${bytes(peak.low)} to ${bytes(peak.high)}`;
      const ratio = (peak.bytes / took).toFixed(3);
      const cells = [title, name, bytes(peak.bytes), interval, bytes(took), ratio, isInside ? 'yes' : 'no'];
      return [{ line: `| ${cells.join(' | ')} |`, isInside }];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
