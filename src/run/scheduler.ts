/** Runs the stages of a program one after another, each in its own process, each output kept once. */
import { isAbsolute, join, relative } from 'node:path';
import { type Diagnostic, UserError } from '../diagnostics/types.js';
import type { Reason, RunEvent, StageAction, StageStatus, StageSummary } from '../ir/events.js';
import type { StageResult } from '../ir/outputs.js';
import type { Stage } from '../ir/types.js';
import type { Artefact, Chosen } from '../stages/types.js';
import { type Entry, forgetChild, noteChild, runFolder, type Store, writeWhole } from '../store/index.js';
import { failedRequirements } from './requirements.js';
import { type Interrupts, runInProcess, type StageEnd } from './stage-process.js';

/** A stage with what the plan says of it. */
export interface Step {
  readonly stage: Stage;
  readonly key: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly reasons: readonly Reason[];
  readonly chosen?: Chosen;
}

export interface RunSetting {
  readonly runId: string;
  readonly store: Store;
  /** Folder of the pipeline file. */
  readonly folder: string;
  readonly threads: number;
  /** Digests of every stored output are checked, however large. */
  readonly verify: boolean;
  /** Milliseconds, for durations. */
  readonly clock: () => number;
}

export interface Sink {
  event(event: RunEvent): void;
  diagnostic(diagnostic: Diagnostic): void;
}

export interface StagesOutcome {
  readonly summaries: readonly StageSummary[];
  readonly gateClosed: boolean;
  readonly failed: boolean;
  readonly interrupted: boolean;
}

export async function runStages(
  steps: readonly Step[],
  setting: RunSetting,
  sink: Sink,
  interrupts: Interrupts,
): Promise<StagesOutcome> {
  const artefacts: Record<string, Artefact> = {};
  const results: Record<string, StageResult> = {};
  const summaries: StageSummary[] = [];
  let gateClosed = false;
  let failed = false;
  let interrupted = false;
  for (const step of steps) {
    const { stage } = step;
    const ready = stage.inputs.every((name) => name in artefacts);
    if (interrupts.stop.aborted) interrupted = true;
    if (!ready || interrupted) {
      summaries.push(finish(sink, summaryOf(stage, 'blocked', setting)));
      continue;
    }
    const begun = setting.clock();
    const done = await settle(step, artefacts, setting, sink, interrupts);
    const seconds = done.cached ? 0 : (setting.clock() - begun) / 1000;
    if (done.entry !== undefined) results[stage.name] = done.entry.record.result;
    const broken = done.entry === undefined ? [] : failedRequirements(stage, results);
    broken.forEach(sink.diagnostic);
    const holds = done.entry !== undefined && broken.length === 0;
    if (done.entry !== undefined && holds)
      artefacts[stage.name] = {
        stage,
        path: done.entry.path,
        key: step.key,
        result: done.entry.record.result,
      };
    else if (done.interrupted) interrupted = true;
    else if (done.entry !== undefined && stage.kind === 'eval') gateClosed = true;
    else failed = true;
    const status = !holds ? 'failed' : done.cached ? 'cached' : 'done';
    summaries.push(
      finish(sink, summaryOf(stage, status, setting, done.entry, seconds, done.peakMemoryBytes)),
    );
  }
  return { summaries, gateClosed, failed, interrupted };
}

interface Settled {
  readonly entry?: Entry;
  readonly cached: boolean;
  readonly interrupted: boolean;
  readonly peakMemoryBytes: number;
}

/** Finds a stage's output in the store, or runs it. */
async function settle(
  step: Step,
  artefacts: Readonly<Record<string, Artefact>>,
  setting: RunSetting,
  sink: Sink,
  interrupts: Interrupts,
): Promise<Settled> {
  const { stage, key } = step;
  const { store } = setting;
  const found = store.find(key, { verify: setting.verify, remove: sink.diagnostic });
  const action: StageAction = found !== undefined ? 'cached' : store.resumable(key) ? 'resume' : 'run';
  sink.event({ type: 'stage.started', stage: stage.name, kind: stage.kind, action, reasons: step.reasons });
  if (found !== undefined)
    return {
      entry: found,
      cached: true,
      interrupted: false,
      peakMemoryBytes: found.record.peakMemoryBytes,
    };
  try {
    return await produce(step, artefacts, setting, sink, interrupts);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    sink.diagnostic(error.diagnostic);
    return { cached: false, interrupted: false, peakMemoryBytes: 0 };
  }
}

async function produce(
  { stage, key, parts, chosen }: Step,
  artefacts: Readonly<Record<string, Artefact>>,
  setting: RunSetting,
  sink: Sink,
  interrupts: Interrupts,
): Promise<Settled> {
  const { store } = setting;
  const { layout } = store;
  const begun = setting.clock();
  const output = store.begin(key);
  try {
    const { end, peakMemoryBytes } = await runInProcess(
      {
        stage,
        inputs: artefacts,
        folder: setting.folder,
        cwd: layout.cwd,
        output,
        work: store.workPath(key),
        chosen,
        key,
        threads: setting.threads,
      },
      {
        event: (event) =>
          sink.event(
            event.type === 'checkpoint.saved' ? { ...event, path: fromCwd(layout.cwd, event.path) } : event,
          ),
        diagnostic: sink.diagnostic,
        started: (pid) => noteChild(layout, pid),
      },
      interrupts,
    );
    forgetChild(layout);
    if (end.how !== 'done') {
      if (end.how === 'failed') sink.diagnostic(withTrace(end, setting));
      return { cached: false, interrupted: end.how === 'interrupted', peakMemoryBytes };
    }
    const seconds = (setting.clock() - begun) / 1000;
    const entry = store.seal(output, {
      kind: stage.kind,
      key,
      parts,
      result: end.result,
      seconds,
      peakMemoryBytes,
    });
    store.dropWork(key);
    return { entry, cached: false, interrupted: false, peakMemoryBytes };
  } finally {
    store.discard(output);
  }
}

/** The trace of a bug goes into a file: a user cannot do anything with it but send it. */
function withTrace(end: Extract<StageEnd, { how: 'failed' }>, setting: RunSetting): Diagnostic {
  if (end.trace === undefined) return end.diagnostic;
  const path = join(runFolder(setting.store.layout, setting.runId), 'crash.txt');
  writeWhole(path, `${end.trace}\n`, { sync: false });
  return {
    ...end.diagnostic,
    notes: [`the trace is in \`${fromCwd(setting.store.layout.cwd, path)}\``],
  };
}

function summaryOf(
  stage: Stage,
  status: StageStatus,
  setting: RunSetting,
  entry?: Entry,
  seconds = 0,
  peakMemoryBytes = 0,
): StageSummary {
  const { cwd } = setting.store.layout;
  const result = entry?.record.result;
  const outputs = Object.entries(result?.outputs ?? {}).map(([name, path]) => [
    name,
    fromCwd(cwd, isAbsolute(path) ? path : join(entry?.path ?? '', path)),
  ]);
  return {
    name: stage.name,
    kind: stage.kind,
    status,
    seconds,
    peakMemoryBytes,
    outputs: Object.fromEntries(outputs),
    metrics: {
      ...result?.metrics,
      ...Object.fromEntries(
        Object.entries(result?.baseline ?? {}).map(([name, value]) => [`baseline.${name}`, value]),
      ),
    },
  };
}

function finish(sink: Sink, summary: StageSummary): StageSummary {
  const { name, ...rest } = summary;
  sink.event({ type: 'stage.finished', stage: name, ...rest });
  return summary;
}

/** Relative to the working directory, where it lies inside. */
function fromCwd(cwd: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}
