/** The run of a machine that is not node 0: no lock, no journal and no output, since all of that is node 0's. */
import type { AccelerateRun, RunEngine } from '../../../language/ir/engines.js';
import type { RunStatus } from '../../../language/ir/events.js';
import { stageEngine } from '../../stages/stage-engine.js';
import { newRunId, openStore } from '../../store/index.js';
import { recorder } from '../recorder.js';
import { type RunOutcome, type RunRequest, startEvent } from '../request.js';
import type { Watcher } from '../run-context.js';
import type { Interrupts } from '../stage-process.js';
import { follow } from './follow.js';
import { unknownHost } from './known-host.js';

export const isFollower = (engine: RunEngine): engine is AccelerateRun =>
  engine.name === 'accelerate' &&
  engine.nodes > 1 &&
  (engine.node ?? 0) > 0 &&
  engine.rendezvous !== undefined;

export async function followRun(
  request: RunRequest,
  run: AccelerateRun,
  watcher: Watcher,
  interrupts: Interrupts,
): Promise<RunOutcome> {
  const { host, threads } = request;
  const store = openStore(host.cwd, host.store);
  const runId = newRunId(host, process.pid);
  const begun = host.clock();
  const log = recorder(watcher, request.describe);
  log.event(startEvent(request, runId));
  const status = await ended();
  log.event({ type: 'run.finished', status, seconds: (host.clock() - begun) / 1000, stages: [] });
  return { runId, status, stages: [], findings: {} };

  async function ended(): Promise<RunStatus> {
    const { program, diagnostics } = await request.prepare(store);
    diagnostics.forEach(log.diagnostic);
    const engine = stageEngine(run, undefined);
    if (program === undefined || engine?.nodes === undefined) return 'failed';
    const unknown = await unknownHost(run);
    if (unknown !== undefined) {
      log.diagnostic(unknown);
      return 'failed';
    }
    return follow({ host, layout: store.layout, program, engine, threads }, engine.nodes, log, interrupts);
  }
}
