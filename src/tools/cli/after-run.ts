/** What follows a run: its trainings are given to trackers, together with what these did not take from earlier runs. */

import type { Tracking } from '../track/index.js';
import type { CliContext } from './cli-context.js';
import { diagnosticsPrinter } from './diagnostics-printer.js';
import type { Executed } from './execute.js';

/** What became of the trainings of this run; loads nothing where no tracker is named. */
export async function trackRun(context: CliContext, outcome: Executed): Promise<readonly Tracking[]> {
  const { host } = context;
  const { runId, plan, pipeline } = outcome;
  const stages = pipeline?.analysis.stages.map(({ stage }) => stage) ?? [];
  const isTracked = stages.some(({ settings: { track } }) => track != null);
  const folder = `${host.cwd}/.ftp/track`;
  if (!isTracked && host.stat(folder) === undefined) return [];
  const { fromCwd } = await import('../../pipeline/store/index.js');
  const { deliverPending, hasPending, keepSpool, spoolOf, undelivered } = await import('../track/index.js');
  const spool = spoolOf(runId, fromCwd(host.cwd, pipeline?.analysis.main.path ?? ''), stages, plan);
  if (spool !== undefined) keepSpool(host, spool);
  if (!hasPending(host)) return [];
  const after = await deliverPending(host);
  const printer = await diagnosticsPrinter(context, new Map());
  for (const text of printer.pretty(undelivered(after))) context.err(text);
  return after.find((one) => one.runId === runId)?.trackings ?? [];
}
