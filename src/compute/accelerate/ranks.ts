/** The ranks of one training on this machine: started together, watched, and ended together. */
import type { Environment } from '../../language/host/child-environment.js';
import { killLedger } from '../../language/host/process-memory.js';
import type { NodePlace } from './engine.js';
import { freePort } from './free-port.js';
import { type Bounds, watchSilence } from './rank-bounds.js';
import { type RankFailure, worstOf } from './rank-failure.js';
import { type RankExit, type RankProcess, startRank } from './rank-process.js';
import type { RankEvent, RankEventOf, RankMessage } from './spec.js';

export interface RanksTask {
  readonly python: string;
  /** What follows the interpreter: `-m ftpc_driver train SPEC.json`. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Environment;
  /** Ranks on this machine. */
  readonly devices: number;
  readonly nodes?: NodePlace;
  /** Of each rank. */
  readonly threads: number;
  readonly bounds: Bounds;
}

interface RanksHandlers {
  /** `tell`: answers the rank that says it. */
  event(rank: number, event: RankEvent, tell: (message: RankMessage) => void): void;
  printed(rank: number, text: string): void;
  /** Bytes that the largest rank had resident at most, whenever that has grown. */
  memory?(bytes: number): void;
}

export type RanksEnd =
  | { readonly how: 'done'; readonly ending: RankEventOf<'done'>['ending'] }
  /** As it was asked for. `saved`: the state of the last step is in a checkpoint. */
  | { readonly how: 'interrupted'; readonly saved: boolean }
  | { readonly how: 'failed'; readonly failure: RankFailure };

/** How long the other ranks may say what they saw once one has failed, in milliseconds. */
const AFTERMATH = 1500;
/** How often memory and silence are looked at, in milliseconds. */
const LOOK = 500;

const watchKills = killLedger();

/** Runs to the end whatever happens to the processes; none is left when it resolves. */
export async function runRanks(
  task: RanksTask,
  handlers: RanksHandlers,
  signal: AbortSignal,
): Promise<RanksEnd> {
  const ranOut = watchKills();
  const group = await startGroup(task, handlers);
  const state = stateOf(group, task, ranOut);
  const { bounds } = task;
  const ask = (): void => {
    for (const rank of group.ranks) rank.ask();
    // one that imports packages, reads weights or waits for another machine hears nothing, and has nothing to save
    state.killAfter(group.said.begun ? bounds.grace : 0);
  };
  if (signal.aborted) ask();
  else signal.addEventListener('abort', ask, { once: true });
  let peak = 0;
  const measure = (): void => {
    const bytes = Math.max(...group.ranks.map((rank) => rank.peak()));
    if (bytes > peak) handlers.memory?.(bytes);
    peak = Math.max(peak, bytes);
  };
  const silent = watchSilence(group.ranks, bounds, () => group.said.step);
  const look = setInterval(
    () => {
      measure();
      const failure = state.isEnding() ? undefined : silent();
      if (failure !== undefined) state.fail(failure);
    },
    Math.min(LOOK, bounds.silence / 4),
  );
  await Promise.all(group.ranks.map(async (rank) => state.ended(rank, await rank.ended)));
  clearInterval(look);
  signal.removeEventListener('abort', ask);
  state.close();
  return state.end(signal.aborted);
}

interface Group {
  readonly ranks: readonly RankProcess[];
  /** What was said so far. */
  readonly said: Said;
}

interface Said {
  done?: RankEventOf<'done'>;
  interrupted?: RankEventOf<'interrupted'>;
  /** Something was computed that is worth to be saved. */
  begun: boolean;
  step: boolean;
  readonly errors: RankEventOf<'error'>[];
  /** Told of what ends the group. */
  ending(): void;
}

async function startGroup(task: RanksTask, handlers: RanksHandlers): Promise<Group> {
  const { devices, nodes } = task;
  const first = (nodes?.node ?? 0) * devices;
  const meeting = nodes === undefined ? { address: '127.0.0.1', port: await freePort() } : placeOf(nodes);
  const said: Said = { begun: false, step: false, errors: [], ending: () => {} };
  const hear: RanksHandlers['event'] = (rank, event, tell) => {
    if (event.event === 'start' || event.event === 'reference') said.begun = true;
    if (event.event === 'step') said.step = true;
    else if (event.event === 'done') said.done = event;
    else if (event.event === 'interrupted') said.interrupted = event;
    else if (event.event === 'error') said.errors.push(event);
    handlers.event(rank, event, tell);
    if (event.event === 'error' || event.event === 'done' || event.event === 'interrupted') said.ending();
  };
  const ranks = Array.from({ length: devices }, (_, local) =>
    startRank(
      {
        rank: first + local,
        python: task.python,
        args: task.args,
        cwd: task.cwd,
        environment: { ...task.environment, ...rankEnvironment(task, first, local, meeting) },
      },
      { event: hear, printed: handlers.printed },
    ),
  );
  return { ranks, said };
}

function rankEnvironment(
  { devices, nodes, threads }: RanksTask,
  first: number,
  local: number,
  { address, port }: { readonly address: string; readonly port: number },
): Readonly<Record<string, string>> {
  return {
    FTPC_PARENT: '1',
    FTPC_PARENT_PID: String(process.pid),
    RANK: String(first + local),
    LOCAL_RANK: String(local),
    WORLD_SIZE: String(devices * (nodes?.count ?? 1)),
    LOCAL_WORLD_SIZE: String(devices),
    MASTER_ADDR: address,
    MASTER_PORT: String(port),
    OMP_NUM_THREADS: String(threads),
    TOKENIZERS_PARALLELISM: 'false',
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
  };
}

/** `HOST:PORT`, or `[ADDRESS]:PORT`. */
export function placeOf({ rendezvous }: Pick<NodePlace, 'rendezvous'>): {
  readonly address: string;
  readonly port: number;
} {
  const cut = rendezvous.lastIndexOf(':');
  const address = rendezvous.slice(0, cut).replace(/^\[(.*)\]$/, '$1');
  return { address, port: Number(rendezvous.slice(cut + 1)) };
}

/** What is known of how a group ends. */
function stateOf({ ranks, said }: Group, { bounds, nodes }: RanksTask, ranOut: () => boolean) {
  const failures: RankFailure[] = [];
  let killed = false;
  let timer: NodeJS.Timeout | undefined;
  const kill = (): void => {
    killed = true;
    for (const rank of ranks) rank.kill();
  };
  const killAfter = (wait: number): void => {
    timer ??= setTimeout(kill, wait);
  };
  const fail = (failure: RankFailure): void => {
    failures.push(failure);
    // a rank that hangs says nothing more; the others wait for it
    if (failure.why === 'silent' || failure.why === 'not_started') kill();
    else killAfter(AFTERMATH);
  };
  said.ending = () => killAfter(said.errors.length > 0 ? AFTERMATH : bounds.grace);
  return {
    fail,
    killAfter,
    isEnding: () => timer !== undefined || killed,
    ended(rank: RankProcess, exit: RankExit): void {
      const failure = killed ? undefined : failureOf(rank, exit, said, ranOut);
      if (failure !== undefined) fail(failure);
    },
    close: () => clearTimeout(timer),
    end(isAsked: boolean): RanksEnd {
      if (said.done !== undefined) return { how: 'done', ending: said.done.ending };
      const worst = worstOf(failures, said.errors, ranks);
      if (isAsked && worst?.why !== 'said') return { how: 'interrupted', saved: hasSaved(said) };
      if (worst !== undefined) return { how: 'failed', failure: worst };
      // rank 0, which speaks for all, is on another node
      if (nodes !== undefined && nodes.node > 0 && !killed) return { how: 'done', ending: 'steps' };
      if (said.interrupted !== undefined) return { how: 'failed', failure: endedByOthers };
      return { how: 'failed', failure: { why: 'ended', rank: 0, code: 0, tail: ranks[0]?.tail() ?? [] } };
    },
  };
}

/** Before the first step there is nothing to save. */
const hasSaved = ({ begun, interrupted }: Said): boolean =>
  interrupted === undefined ? !begun : interrupted.saved || interrupted.step === 0;

/** A rank that was told to end by somebody else: it saved, and all of them ended. */
const endedByOthers: RankFailure = { why: 'killed', rank: 0, signal: 'SIGTERM', starved: false, tail: [] };

function failureOf(
  { rank, tail }: RankProcess,
  { code, signal, error }: RankExit,
  said: Said,
  ranOut: () => boolean,
): RankFailure | undefined {
  if (error !== undefined) return { why: 'not_started', rank, error };
  if (signal !== null)
    return { why: 'killed', rank, signal, starved: signal === 'SIGKILL' && ranOut(), tail: tail() };
  const isSaid = said.errors.some((one) => one.rank === rank);
  return code === 0 || isSaid ? undefined : { why: 'ended', rank, code, tail: tail() };
}
