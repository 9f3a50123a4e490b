/** A machine that takes part in the trainings of another: it starts ranks, and makes no output of its own. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccelerateEngine } from '../../../compute/accelerate/engine.js';
import { type RanksEnd, runRanks } from '../../../compute/accelerate/ranks.js';
import { leaderGone } from '../../../language/diagnostics/catalogue/engines.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { RunStatus } from '../../../language/ir/events.js';
import type { Program } from '../../../language/ir/program.js';
import { readAttempt } from '../../stages/train/accelerate/attempt.js';
import { rankError } from '../../stages/train/accelerate/rank-diagnostics.js';
import { startLine } from '../../stages/train/accelerate/rank-events.js';
import { rankTask } from '../../stages/train/accelerate/rank-task.js';
import type { Layout } from '../../store/index.js';
import type { Watcher } from '../run-context.js';
import type { Interrupts } from '../stage-process.js';
import { BEAT, type Meeting, readMeeting } from './meeting.js';
import { sayings } from './sayings.js';

interface FollowRequest {
  readonly host: Host;
  readonly layout: Layout;
  readonly program: Program;
  /** With its place among the nodes. */
  readonly engine: AccelerateEngine;
  readonly threads: number;
}

type Place = NonNullable<AccelerateEngine['nodes']>;

/** Ranks of this machine in one attempt at a training. */
interface Joined {
  readonly id: string;
  readonly stage: string;
  readonly leave: AbortController;
  readonly end: Promise<RanksEnd>;
  ended: boolean;
}

/** Joins every training that node 0 announces, until that says that its run is over, and ends as it did. */
export async function follow(
  request: FollowRequest,
  place: Place,
  watcher: Watcher,
  { stop }: Interrupts,
): Promise<RunStatus> {
  const { host, layout, engine, threads } = request;
  const { bounds } = rankTask(host, engine, threads, layout.shared);
  const pulse = pulseOf();
  const said = sayings({ ...place, store: layout.shared, limit: bounds.start / 1000 }, watcher.event);
  let joined: Joined | undefined;
  const leave = async (): Promise<void> => {
    joined?.leave.abort();
    await joined?.end;
  };
  for (;;) {
    if (stop.aborted) {
      await leave();
      return 'interrupted';
    }
    const meeting = readMeeting(layout, place.rendezvous);
    const isAlive = pulse.feel(meeting);
    if (!pulse.wasFelt()) said.waiting(pulse.silence() / 1000);
    if (isAlive && meeting !== undefined) {
      said.found(meeting.runId);
      if (meeting.status !== null) {
        await leave();
        said.ended(meeting.runId, meeting.status);
        return meeting.status;
      }
      const next = attemptOf(request, meeting);
      if (next !== undefined && next.id !== joined?.id) {
        await leave();
        joined = joinTraining(request, next, watcher);
      }
    }
    if (joined?.ended !== false && pulse.silence() > (pulse.wasFelt() ? bounds.silence : bounds.start)) {
      watcher.diagnostic(leaderGone(place.rendezvous, pulse.wasFelt()));
      return 'failed';
    }
    await Promise.race([sleep(BEAT / 2), ...(joined === undefined || joined.ended ? [] : [joined.end])]);
  }
}

/** Whether node 0 lives, by the beats that this machine has seen change: clocks differ, and files outlive processes. */
function pulseOf() {
  let last: string | undefined;
  let felt: string | undefined;
  let heard = performance.now();
  return {
    feel(meeting: Meeting | undefined): boolean {
      if (meeting === undefined) return false;
      const beat = `${meeting.runId} ${meeting.beat}`;
      if (last !== undefined && beat !== last) {
        felt = meeting.runId;
        heard = performance.now();
      }
      last = beat;
      return felt === meeting.runId;
    },
    wasFelt: (): boolean => felt !== undefined,
    /** Milliseconds since the last beat. */
    silence: (): number => performance.now() - heard,
  };
}

interface Invitation {
  readonly id: string;
  readonly stage: string;
  readonly folder: string;
}

function attemptOf({ host, layout }: FollowRequest, { training }: Meeting): Invitation | undefined {
  if (training === null) return undefined;
  const folder = join(layout.shared, training.folder);
  const attempt = readAttempt(host, folder);
  return attempt && { id: attempt.id, stage: training.stage, folder };
}

function joinTraining(
  { host, engine, threads, program }: FollowRequest,
  { id, stage: name, folder }: Invitation,
  watcher: Watcher,
): Joined {
  const leave = new AbortController();
  const note = (text: string): void => watcher.event({ type: 'note', stage: name, text });
  note(`joins the training as node ${engine.nodes?.node} of ${engine.nodes?.count}`);
  let trains = false;
  const end = runRanks(
    rankTask(host, engine, threads, folder),
    {
      event: (_, event) => {
        if (event.event === 'note') note(event.text);
        if (event.event === 'start' && !trains) note(startLine(event));
        trains ||= event.event === 'start';
      },
      printed: () => {},
    },
    leave.signal,
  );
  const joined: Joined = { id, stage: name, leave, end, ended: false };
  void end.then((how) => {
    joined.ended = true;
    if (how.how === 'done') note('its part of the training is done');
    if (how.how !== 'failed') return;
    const stage = program.stages.find((one) => one.name === name);
    const { device, python, nodes } = engine;
    const error = stage && rankError(how.failure, { stage, device, python, nodes, rate: 0 });
    if (error instanceof UserError) watcher.diagnostic(asWarning(error.diagnostic));
    note('waits for node 0 to go on');
  });
  return joined;
}

/** Whether the run fails, node 0 decides. */
const asWarning = (diagnostic: Diagnostic): Diagnostic => ({ ...diagnostic, severity: 'warning' });
