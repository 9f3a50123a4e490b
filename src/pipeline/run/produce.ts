import { join } from 'node:path';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Artefact } from '../stages/stage.js';
import { forgetChild, noteChild, runFolder, writeWhole } from '../store/index.js';
import type { Job } from './messages.js';
import { fromCwd } from './paths.js';
import { fileChanged } from './problems.js';
import { nextTry } from './recovery.js';
import type { RunSetting, Settled, Sink, Step } from './setting.js';
import { type Interrupts, runInProcess, type StageEnd } from './stage-process.js';

/** Runs a stage and puts its output into the store. Throws a `UserError` where the disk refuses. */
export async function produce(
  step: Step,
  artefacts: Readonly<Record<string, Artefact>>,
  setting: RunSetting,
  sink: Sink,
  interrupts: Interrupts,
): Promise<Settled> {
  const { stage, key, parts, chosen, residency } = step;
  const { store } = setting;
  const begun = setting.clock();
  // a checkpoint of another content would be gone on from once the file is the old one again
  const other = setting.changedFile(step);
  if (other !== undefined) throw new UserError(fileChanged(stage, other, 'before'));
  const output = store.begin(key);
  try {
    const { end, peakMemoryBytes } = await tryUntilItFits(
      {
        stage,
        inputs: artefacts,
        folder: setting.folder,
        cwd: store.layout.cwd,
        output,
        work: store.workPath(key),
        chosen,
        residency,
        key,
        runtime: setting.runtime,
        threads: setting.threads,
        deviceMemory: setting.deviceMemory,
        repositories: setting.repositories,
      },
      setting,
      sink,
      interrupts,
    );
    if (end.how !== 'done') {
      if (end.how === 'failed') sink.diagnostic(withTrace(end, setting));
      return { cached: false, interrupted: end.how === 'interrupted', peakMemoryBytes };
    }
    // what was read is not what the key says: it would be found as the output of files that never led to it
    const changed = setting.changedFile(step);
    if (changed !== undefined) {
      store.dropWork(key);
      throw new UserError(fileChanged(stage, changed, 'while'));
    }
    const seconds = (setting.clock() - begun) / 1000;
    const sealing = { kind: stage.kind, key, parts, result: end.result, seconds, peakMemoryBytes };
    const entry = store.seal(output, sealing);
    store.dropWork(key);
    return { entry, cached: false, interrupted: false, peakMemoryBytes };
  } finally {
    store.discard(output);
  }
}

/** A training run that the system kills because memory ran out resumes from its checkpoint, with less at a time. */
async function tryUntilItFits(
  first: Job,
  { store }: RunSetting,
  sink: Sink,
  interrupts: Interrupts,
): ReturnType<typeof runInProcess> {
  const { layout } = store;
  let peak = 0;
  for (let job = first; ; ) {
    const { end, peakMemoryBytes } = await runInProcess(
      job,
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
    peak = Math.max(peak, peakMemoryBytes);
    const next = end.how === 'failed' && end.starved === true ? await nextTry(job) : undefined;
    if (next === undefined || end.how !== 'failed') return { end, peakMemoryBytes: peak };
    const { name } = job.stage;
    sink.event({ type: 'recovery', stage: name, cause: end.diagnostic.message, change: next.change });
    store.begin(job.key);
    job = { ...job, chosen: next.plan };
  }
}

/** The trace of a bug goes into a file: a user cannot do anything with it but send it. */
function withTrace(end: Extract<StageEnd, { how: 'failed' }>, setting: RunSetting): Diagnostic {
  if (end.trace === undefined) return end.diagnostic;
  const { layout } = setting.store;
  const path = join(runFolder(layout, setting.runId), 'crash.txt');
  writeWhole(path, `${end.trace}\n`, { sync: false });
  return { ...end.diagnostic, notes: [`the trace is in \`${fromCwd(layout.cwd, path)}\``] };
}
