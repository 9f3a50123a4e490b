/** What a directory needs of a store: for its recent runs, its releases and its checkpoints. */
import { join } from 'node:path';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { tryJsonFile } from '../../language/host/json.js';
import { STAGE_RECORD, type StageRecord } from '../../language/ir/outputs.js';
import { isKey, namesIn } from './claims.js';
import { readJournal, runIds } from './journal.js';
import { type Layout, storesOf } from './layout.js';
import { isGone, outputPath } from './outside-outputs.js';
import { markUsed, storeUsers, type UsedRun, writeUser } from './users.js';

/** Runs that are kept unless asked otherwise: of each pipeline, the newest. */
export const KEPT_RUNS = 10;

export interface KeptRuns {
  /** Of each pipeline. */
  readonly runs: number;
  /** Also runs that are not older than so many days. */
  readonly days: number;
}

interface PastRun extends UsedRun {
  readonly pipeline: string;
  /** Milliseconds since the epoch; 0 if its journal does not say. */
  readonly started: number;
  /** Names of the stages, by key. */
  readonly stages: Readonly<Record<string, string>>;
  /** A run that made or found nothing counts for none. */
  readonly counts: boolean;
}

/** Every run of the directory with a journal, newest first. */
export const pastRuns = (host: Host, layout: Layout): readonly PastRun[] =>
  runIds({ ...host, cwd: layout.cwd }).map((runId) => {
    const events = readJournal(layout, runId, ['run.started', 'stage.started', 'stage.finished']);
    const stages: Record<string, string> = {};
    let pipeline = '';
    let started = 0;
    let counts = false;
    for (const event of events) {
      if (event.type === 'run.started') {
        pipeline = event.pipeline;
        started = event.at;
      }
      if (event.type === 'stage.started') stages[event.key] = event.stage;
      if (event.type === 'stage.finished') counts ||= event.status === 'done' || event.status === 'cached';
    }
    return { runId, pipeline, started, keys: Object.keys(stages), stages, counts };
  });

/** What is still needed once old runs are gone; nothing where nobody else could ask. */
export function noteKept(host: Host, layout: Layout, kept: readonly string[]): void {
  if (!storeUsers(layout).some(({ isHere }) => isHere)) return;
  const known = storeUsers(layout).find(({ isHere }) => isHere)?.runs ?? [];
  const past = pastRuns(host, layout)
    .filter(({ runId }) => kept.includes(runId))
    .map(
      ({ runId, pipeline, keys }) => known.find((run) => run.runId === runId) ?? { runId, pipeline, keys },
    );
  note(host, layout, past);
}

/** What a run is about to use is told to all who tidy up; what the disk refuses is said by the run itself. */
export function noteRun(host: Host, layout: Layout, run: UsedRun): void {
  markUsed(layout, run.keys);
  const before = storeUsers(layout).find(({ isHere }) => isHere)?.runs ?? [];
  const perPipeline = new Map<string, number>();
  const runs = [run, ...before.filter(({ runId }) => runId !== run.runId)].filter(({ pipeline }) => {
    const count = (perPipeline.get(pipeline) ?? 0) + 1;
    perPipeline.set(pipeline, count);
    return count <= KEPT_RUNS;
  });
  note(host, layout, runs);
}

function note(host: Host, layout: Layout, runs: readonly UsedRun[]): void {
  const published = releaseEntries(host, layout).map(({ key }) => key);
  const releases = [...withInputs(host, layout, published)];
  try {
    writeUser(layout, host.now(), { runs, releases });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

/** Those that are kept; what failed between them is kept too. */
export function keptRuns(
  all: readonly PastRun[],
  { runs, days }: KeptRuns,
  now: number,
): ReadonlySet<string> {
  const kept = new Set<string>();
  const seen = new Map<string, number>();
  for (const { runId, pipeline, started, counts } of all) {
    const before = seen.get(pipeline) ?? 0;
    if (before < runs || now - started <= days * 86_400_000) kept.add(runId);
    if (counts) seen.set(pipeline, before + 1);
  }
  return kept;
}

/** The record of a key, whichever folder it is in. Not checked: it says what an output was made of, no more. */
export function recordOf(
  host: Host,
  layout: Layout,
  key: string,
): { readonly path: string; readonly record: StageRecord } | undefined {
  for (const folder of storesOf(layout)) {
    const path = join(folder, key);
    const record = tryJsonFile(STAGE_RECORD, host, join(path, 'stage.json'));
    if (record !== undefined) return { path, record };
  }
  return undefined;
}

/** Keys with all that they were made of. */
export function withInputs(host: Host, layout: Layout, keys: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...keys];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (found.has(key)) continue;
    found.add(key);
    const parts = recordOf(host, layout, key)?.record.parts ?? {};
    waiting.push(
      ...Object.values(parts)
        .filter(isKey)
        .filter((input) => isStored(layout, input)),
    );
  }
  return found;
}

const isStored = (layout: Layout, key: string): boolean =>
  storesOf(layout).some((folder) => namesIn(join(folder, key)).length > 0);

/** Outputs of this directory that published a release which is still there, with its folder. */
export const releaseEntries = (
  host: Host,
  layout: Layout,
): readonly { readonly key: string; readonly release: string }[] =>
  namesIn(layout.own).flatMap((key) => {
    const found = recordOf(host, layout, key);
    if (found === undefined || found.record.kind !== 'deploy' || isGone(found.record, found.path)) return [];
    const { release } = found.record.result.outputs;
    return release === undefined ? [] : [{ key, release: outputPath(found.path, release) }];
  });
