/** Which run is meant: by its id, by the beginning of it, or counted back from the newest. */

import { resolve } from 'node:path';
import { ambiguousRun, noRuns, noSuchRun } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { runIds } from '../../../pipeline/store/index.js';
import { type ReadOptions, readRun } from './read.js';
import type { Run } from './run.js';

const LATEST = /^latest(?:~(\d+))?$/;

/** Throws a `UserError` for a name that means no run, or several. */
export function findRun(host: Host, asked: string): string {
  const ids = runIds(host);
  if (ids.length === 0) throw new UserError(noRuns());
  const back = LATEST.exec(asked);
  const matches =
    back !== null
      ? ids.slice(Number(back[1] ?? 0)).slice(0, 1)
      : ids.includes(asked)
        ? [asked]
        : ids.filter((id) => asked !== '' && id.startsWith(asked));
  const [found, ...others] = matches;
  if (found === undefined) throw new UserError(noSuchRun(asked, ids));
  if (others.length > 0) throw new UserError(ambiguousRun(asked, matches));
  return found;
}

interface RunFilter extends ReadOptions {
  /** Only runs of this pipeline. */
  readonly pipeline?: string;
  /** So many of the newest. */
  readonly last?: number;
}

/**
 * Runs of this folder, newest first; empty journals, of runs that never began, are left out. Throws a `UserError` if
 * there is none.
 */
export function readRuns(host: Host, { pipeline, last, ...options }: RunFilter = {}): readonly Run[] {
  const runs: Run[] = [];
  const path = (file: string): string => resolve(host.cwd, file);
  for (const id of runIds(host)) {
    if (last !== undefined && runs.length >= last) break;
    const run = readRun(host, id, options);
    if (run.pipeline === '' && run.stages.length === 0) continue;
    if (pipeline === undefined || path(run.pipeline) === path(pipeline)) runs.push(run);
  }
  if (runs.length === 0) throw new UserError(noRuns(pipeline));
  return runs;
}

/** The newest run of a pipeline that began at all; `undefined` if there is none. */
export function newestRun(host: Host, pipeline: string): Run | undefined {
  const asked = resolve(host.cwd, pipeline);
  for (const id of runIds(host)) {
    const run = readRun(host, id);
    if (run.stages.length > 0 && resolve(host.cwd, run.pipeline) === asked) return run;
  }
  return undefined;
}

/** Stages that failed in the newest run of a pipeline, and not because someone ended it; none if it has not run. */
export function failedLastTime(host: Host, pipeline: string): ReadonlySet<string> {
  const asked = resolve(host.cwd, pipeline);
  for (const id of runIds(host)) {
    const run = readRun(host, id, { curves: false });
    if (resolve(host.cwd, run.pipeline) !== asked) continue;
    return new Set(
      run.stages
        .filter(({ status, interrupted }) => status === 'failed' && !interrupted)
        .map(({ name }) => name),
    );
  }
  return new Set();
}
