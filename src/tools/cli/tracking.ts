/**
 * Trainings of a run are given to trackers: their curves while it goes on, and all of them after it, together with what
 * trackers did not take from earlier runs. Nothing is loaded where no tracker is named.
 */
import type { RunEvent } from '../../language/ir/events.js';
import type { Pipeline } from '../insight/settings/explain.js';
import type { Tracking } from '../track/index.js';
import type { CliContext } from './cli-context.js';
import { diagnosticsPrinter } from './diagnostics-printer.js';
import type { Executed } from './execute.js';
import type { RunView } from './progress/views.js';

/** Follows the run from its first training on. */
export function trackLive({ host }: CliContext) {
  let pipeline: Pipeline | undefined;
  let runId = '';
  let following: Promise<{ end(): Promise<void> }> | undefined;
  const start = async () => {
    const { spoolOf, startFollowing } = await import('../track/index.js');
    const spool = spoolOf(runId, '', stagesOf(pipeline), pipeline?.plan);
    return spool === undefined ? { end: async () => {} } : startFollowing(host, spool);
  };
  const isTracked = (name: string): boolean =>
    stagesOf(pipeline).some(({ name: one, settings: { track } }) => one === name && track != null);
  const see = (event: RunEvent): void => {
    if (event.type === 'run.started') runId = event.runId;
    if (event.type !== 'stage.started' || event.action === 'cached' || following !== undefined) return;
    if (event.kind === 'train' && isTracked(event.stage)) following = start();
  };
  return {
    planned: (planned: Pipeline | undefined): void => {
      pipeline = planned;
    },
    /** The view, with a look at its events. */
    watching: (view: RunView): RunView => ({
      ...view,
      event: (event) => {
        view.event(event);
        see(event);
      },
    }),
    end: async (): Promise<void> => (await following)?.end(),
  };
}

const stagesOf = (pipeline: Pipeline | undefined) =>
  pipeline?.analysis.stages.map(({ stage }) => stage) ?? [];

/** What became of the trainings of this run. */
export async function trackRun(context: CliContext, outcome: Executed): Promise<readonly Tracking[]> {
  const { host } = context;
  const { runId, plan, pipeline } = outcome;
  const stages = stagesOf(pipeline);
  const isTracked = stages.some(({ settings: { track } }) => track != null);
  const folder = `${host.cwd}/.ftp/track`;
  if (!isTracked && host.stat(folder) === undefined) return [];
  const { fromCwd } = await import('../../pipeline/store/index.js');
  const { deliverPending, hasPending, spoolOf, undelivered } = await import('../track/index.js');
  const own = spoolOf(runId, fromCwd(host.cwd, pipeline?.analysis.main.path ?? ''), stages, plan);
  if (own === undefined && !hasPending(host)) return [];
  const after = await deliverPending(host, { own });
  const printer = await diagnosticsPrinter(context, new Map());
  for (const text of printer.pretty(undelivered(after))) context.err(text);
  return after.find((one) => one.runId === runId)?.trackings ?? [];
}
