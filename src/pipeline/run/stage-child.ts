/** The work of the process of one stage: gets a task over IPC, runs it, says how it ended, and goes. */

import { verifying } from '../../compute/packaging/sealed.js';
import { HUB_FILE_DAMAGED } from '../../language/diagnostics/catalogue/hub.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { nodeHost } from '../../language/host/node-host.js';
import { ownPeakMemory, volunteer } from '../../language/host/process-memory.js';
import type { StageEvent } from '../../language/ir/events.js';
import { stages } from '../stages/index.js';
import { NotSavedError, type StageContext } from '../stages/stage.js';
import { outputFolder, workFolder } from '../store/index.js';
import { type FromChild, InterruptedError, type StageEnd, type StageTask, type ToChild } from './messages.js';
import { diagnosticOf, internalError } from './run-diagnostics.js';

/** How long a checkpoint may take once the parent is gone. */
const LAST_WORDS = 20_000;

const stop = new AbortController();
const interrupt = (): void => stop.abort(new InterruptedError());

/** Resolves when the message is handed to the system: only then may the process end. */
const say = (message: FromChild): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });

/** What the largest process of the stage's own had at most. */
let others = 0;
const usesMemory = (bytes: number): void => {
  others = Math.max(others, bytes);
  void say({ type: 'memory', bytes: others });
};

async function work(task: StageTask): Promise<StageEnd> {
  try {
    const host = verifying(nodeHost(task.cwd));
    const emit = (event: StageEvent): void => void say({ type: 'event', event });
    if (task.repositories.length > 0) await fetchFor(task, host, emit);
    const warn = (diagnostic: Diagnostic): void => void say({ type: 'diagnostic', diagnostic });
    const run = await stages[task.stage.kind].load();
    const output = outputFolder(task.output);
    const { signal } = stop;
    const result = await run({
      ...task,
      host,
      output,
      work: workFolder(task.work, warn),
      emit,
      warn,
      usesMemory,
      ...(task.encoders !== undefined && { encodingThreads: await encoding(task.encoders) }),
      quantisingThreads: async (quantiser) =>
        (await import('./threads/quantise-in-threads.js')).quantiseInThreads(
          { cwd: task.cwd, ...quantiser },
          task.threads,
        ),
      dequantisingThreads: async (count) =>
        (await import('./threads/dequantise-in-threads.js')).dequantiseInThreads(count),
      publishElsewhere: async (request) =>
        (await import('./publish-elsewhere.js')).publishElsewhere(host, request),
      openEndpoint: async (endpoint, at) =>
        (await import('./ask-endpoint.js')).openEndpoint(host, endpoint, { at, signal }),
      printed: (text) => void process.stderr.write(text),
      signal,
    });
    return { how: 'done', result };
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return { how: 'interrupted', saved: true };
    if (stop.signal.aborted && error instanceof NotSavedError) return { how: 'interrupted', saved: false };
    const diagnostic = diagnosticOf(error, task.stage);
    if (diagnostic?.code === HUB_FILE_DAMAGED) await doubt(task);
    if (diagnostic !== undefined) return { how: 'failed', diagnostic };
    const message = error instanceof Error ? error.message : String(error);
    const trace = error instanceof Error ? (error.stack ?? message) : message;
    return { how: 'failed', diagnostic: internalError(task.stage, message, ''), trace };
  }
}

/** Loaded only where it is used: few stages are. */
async function encoding(count: number): Promise<NonNullable<StageContext['encodingThreads']>> {
  const { encodeInThreads } = await import('./threads/encode-in-threads.js');
  return (encoderTask) => encodeInThreads(encoderTask, count);
}

async function fetchFor(task: StageTask, host: Host, emit: (event: StageEvent) => void): Promise<void> {
  const { fetchForStage } = await import('../hub/fetch.js');
  const inputs = Object.values(task.inputs).map(({ stage }) => stage);
  await fetchForStage({ ...task, inputs, host, emit, signal: stop.signal });
}

/** The next try compares all that it reads of a hub with what that lists, and fetches what differs. */
async function doubt({ cwd, repositories }: StageTask): Promise<void> {
  const { forgetSeals } = await import('../hub/seals.js');
  for (const pinned of repositories) forgetSeals(nodeHost(cwd), pinned);
}

volunteer();
// A terminal sends Ctrl-C to every process in front of it; the parent decides and tells us over IPC.
process.on('SIGINT', () => {});
// So do closing a terminal, and schedulers that signal every process of a job.
for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});
process.on('SIGTERM', interrupt);
// A limit on the size of files fails the write, and does not end the process.
process.on('SIGXFSZ', () => {});
process.on('disconnect', () => {
  interrupt();
  setTimeout(() => process.exit(1), LAST_WORDS).unref();
});
process.on('message', (message: ToChild) => {
  if (message.type === 'stop') interrupt();
  else
    void work(message.task)
      .then((end) => say({ type: 'end', end, peakMemoryBytes: Math.max(others, ownPeakMemory()) }))
      .then(() => process.exit(0));
});
