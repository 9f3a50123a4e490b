import { counted, percentText } from '../../../language/diagnostics/make.js';
import type { RunEvent, RunStatus, StageStatus, StageSummary } from '../../../language/ir/events.js';
import { bytes, changeText, duration, numberText } from '../../../pipeline/planner/quantities.js';
import { reasonsText } from '../../../pipeline/planner/reasons.js';
import { sinceText } from '../../../pipeline/store/since-text.js';
import { printable } from '../../insight/safe-text.js';
import { trialText } from '../../insight/search/table.js';
import type { Colours } from '../cli-context.js';

const COLOURS: Readonly<Record<StageStatus, (colours: Colours) => (text: string) => string>> = {
  done: ({ green }) => green,
  cached: ({ cyan }) => cyan,
  failed: ({ red }) => red,
  blocked: ({ yellow }) => yellow,
  ended: ({ yellow }) => yellow,
};

/** How a stage ended, for people: one that was interrupted has nothing wrong with it. */
export const statusText = (
  { status, interrupted }: Pick<StageSummary, 'status' | 'interrupted'>,
  colours: Colours,
): string => (interrupted === true ? colours.yellow('interrupted') : COLOURS[status](colours)(status));

/** Where it resumes or is up to date, that is the reason, too. */
const ACTION = { run: 'runs', resume: 'resumes from its checkpoint', cached: 'is up to date' } as const;

/** Events that are a line of their own; `undefined` for those that only move a bar. */
export function sentenceOf(event: RunEvent, colours: Colours): string | undefined {
  const { bold, dim } = colours;
  if (event.type === 'stage.started') {
    const why = event.action === 'run' ? reasonsText(event.reasons) : '';
    return `${bold(event.stage)} ${ACTION[event.action]}${why === '' ? '' : dim(` (${why})`)}`;
  }
  if (event.type === 'stage.waiting')
    return `${bold(event.stage)} waits for ${holderText(event.holder)}, which makes the same output`;
  if (event.type === 'stage.finished') {
    const status = statusText(event, colours);
    if (event.status === 'cached') return undefined;
    if (event.status === 'blocked' || event.status === 'ended') return `${bold(event.stage)} ${status}`;
    const memory = event.peakMemoryBytes > 0 ? `, peak ${bytes(event.peakMemoryBytes)}` : '';
    return `${bold(event.stage)} ${status}${dim(` in ${duration(event.seconds)}${memory}`)}`;
  }
  if (event.type === 'run.stopping') return `asked to stop by ${printable(event.by)}: saving progress`;
  if (event.type === 'validation') return dim(validationSentence(event));
  if (event.type === 'recovery')
    return `${event.stage}: ${event.cause}; continues with ${changeText(event.change)}`;
  if (event.type === 'retry')
    return `${event.stage}: ${event.cause}; tries again in ${duration(event.pauseSeconds)} (${event.attempt} of ${event.retries})`;
  if (event.type === 'search.rung') {
    const on = event.trials.length - event.ended.length;
    return `${bold(event.search)}: rung ${event.rung} of ${event.rungs}: ${counted(on, 'trial')} of ${event.trials.length} ${on === 1 ? 'goes' : 'go'} on`;
  }
  if (event.type === 'search.decided' && event.winner !== undefined) {
    const won = event.trials[event.winner];
    return `${bold(event.search)} is won by ${bold(trialText(won?.at ?? {}))}${dim(` (${event.by} ${numberText(won?.value ?? 0)})`)}`;
  }
  if (event.type === 'node.waiting') return waitingSentence(event);
  if (event.type === 'node.found')
    return `node 0 is there: the progress of run ${printable(event.runId)} is in its log, and this node joins its trainings`;
  if (event.type === 'node.ended') return `node 0 has ended its run: ${ENDINGS[event.status]}`;
  if (event.type === 'note') return dim(`${event.stage}: ${event.text}`);
  return undefined;
}

/** How the run of node 0 ended, where its log has the rest. */
const ENDINGS: Readonly<Record<RunStatus, string>> = {
  done: 'done',
  failed: 'it failed, and its log says why',
  gate_failed: 'a requirement does not hold, and its log says which',
  budget_exceeded: 'a budget was exceeded, and its log says which',
  interrupted: 'it was interrupted',
};

/** Once with all that it takes to meet, then how long it has been. */
const waitingSentence = ({
  node,
  nodes,
  rendezvous,
  store,
  seconds,
  limit,
}: Extract<RunEvent, { type: 'node.waiting' }>): string =>
  seconds === 0
    ? `node ${node} of ${nodes} waits for node 0, at most ${duration(limit)}: a run with \`--rendezvous ${rendezvous}\` whose store is ${printable(store)}`
    : `still waits for node 0 of \`--rendezvous ${rendezvous}\`: ${duration(seconds)} of ${duration(limit)}`;

/** `train: step 50, validation loss 2.31, rouge_l 0.41, repetition 0.02, the best so far` */
function validationSentence(event: Extract<RunEvent, { type: 'validation' }>): string {
  const { repetition } = event;
  const figures = { ...event.metrics, ...(repetition && { repetition: repetition.share }) };
  const measured = Object.entries(figures).map(([name, value]) => `, ${name} ${numberText(value)}`);
  const best = event.best ? ', the best so far' : '';
  return `${event.stage}: step ${event.step}, validation loss ${numberText(event.loss)}${measured.join('')}${best}`;
}

type Waiting = Extract<RunEvent, { type: 'stage.waiting' }>;

/** `ana@box (process 12, since 2026-11-25 02:13 UTC, in /home/ana/legal)` */
export const holderText = ({ user, host, pid, since, cwd }: Waiting['holder']): string =>
  printable(`${user}@${host} (process ${pid}, since ${sinceText(since)}, in ${cwd})`);

export type Progress = Extract<RunEvent, { type: 'stage.progress' }>;

/** `12/24 steps`, `1.2 MiB of 3.0 MiB` */
export const countText = ({ done, total, unit }: Progress): string =>
  unit === 'bytes' ? `${bytes(done)} of ${bytes(total)}` : `${done}/${total} ${unit}`;

/** What training has to say besides its bar. */
export function figuresOf(event: Progress): readonly string[] {
  return [
    ...(event.label === undefined ? [] : [event.label]),
    ...(event.loss === undefined ? [] : [`loss ${numberText(event.loss)}`]),
    ...(event.preference?.accuracy === undefined
      ? []
      : [`accuracy ${percentText(event.preference.accuracy)}`]),
    ...(event.tokensPerSecond === undefined ? [] : [speedText(event.tokensPerSecond, event.ranks)]),
    ...memoryText(event),
  ];
}

/** In all, and where several devices share the work, of each: `1240 tokens/s (2 × 620)`. */
function speedText(tokensPerSecond: number, ranks = 1): string {
  const each = ranks === 1 ? '' : ` (${ranks} × ${Math.round(tokensPerSecond / ranks)})`;
  return `${Math.round(tokensPerSecond)} tokens/s${each}`;
}

/** Of the fullest device, what tensors take and what is held for them: `12.1 GiB of 14.0 GiB`; on the CPU, of the largest rank. */
function memoryText({ memory = [], resident = [] }: Progress): readonly string[] {
  const [fullest] = memory.toSorted((a, b) => b.reserved - a.reserved);
  if (fullest !== undefined) return [`${bytes(fullest.allocated)} of ${bytes(fullest.reserved)}`];
  return resident.length === 0 ? [] : [bytes(Math.max(...resident))];
}

/** Time left at the pace so far; `undefined` before anything is done. */
export function timeLeft({ done, total }: Progress, elapsed: number): string | undefined {
  if (done <= 0 || total <= done || elapsed < 1) return undefined;
  return `${duration((elapsed / done) * (total - done))} left`;
}

/** When the phase that each stage is in began: time left must not count what came before, or a resumed start. */
export function paceKeeper(clock: () => number): (event: RunEvent) => number {
  const phases = new Map<string, { readonly phase: string; readonly began: number; readonly from: number }>();
  return (event) => {
    if (event.type !== 'stage.progress') return 0;
    const phase = phaseOf(event);
    const known = phases.get(event.stage);
    const { began, from } = known?.phase === phase ? known : { began: clock(), from: event.done };
    phases.set(event.stage, { phase, began, from });
    const elapsed = (clock() - began) / 1000;
    const done = event.done - from;
    // Scaled so that elapsed ÷ done is the pace since the phase began.
    return done <= 0 ? 0 : (elapsed * event.done) / done;
  };
}

const phaseOf = (event: Progress): string => [event.label ?? '', event.unit, event.total].join('/');
