/** The process of one model: opens it, answers requests over IPC, and ends when its parent does. */
import { userProblem } from '../../compute/models/user-problem.js';
import type { ServingEngine } from '../../compute/serving/types.js';
import { nodeHost } from '../../language/host/node-host.js';
import { volunteer } from '../../language/host/process-memory.js';
import { openServing } from '../deploy/open-serving.js';
import type { Failure, FromModel, ModelSource, ToModel } from './model-messages.js';

/** Said together once what was heard is dealt with: a step of a batch has a piece for every row. */
let unsaid: FromModel[] = [];

function say(message: FromModel): void {
  if (unsaid.length === 0) setImmediate(flush);
  unsaid.push(message);
}

function flush(): void {
  if (engine !== undefined) unsaid.push({ type: 'load', load: engine.load() });
  const batch = unsaid;
  unsaid = [];
  if (process.connected) process.send?.(batch);
}

const failureOf = (error: unknown): Failure => {
  const diagnostic = userProblem(error);
  if (diagnostic !== undefined) return { diagnostic };
  return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
};

let engine: ServingEngine | undefined;
const running = new Map<number, AbortController>();

async function open({ cwd, ...source }: ModelSource): Promise<void> {
  try {
    engine = await openServing(nodeHost(cwd), {
      ...source,
      warn: (diagnostic) => say({ type: 'warning', diagnostic }),
    });
    say({ type: 'opened', info: engine.info });
  } catch (error) {
    say({ type: 'failed', failure: failureOf(error) });
  }
}

/** Hears of whatever goes wrong with one request; the process goes on. */
async function answering(id: number, answer: (model: ServingEngine) => Promise<void>): Promise<void> {
  try {
    if (engine === undefined) throw new Error('the model is not open');
    await answer(engine);
    say({ type: 'done', id });
  } catch (error) {
    say({ type: 'wrong', id, failure: failureOf(error) });
  } finally {
    running.delete(id);
  }
}

type Request = Extract<ToModel, { readonly type: 'complete' }>;

async function complete({ id, request }: Request): Promise<void> {
  const control = new AbortController();
  running.set(id, control);
  await answering(id, async (model) => {
    for await (const piece of model.complete(request, control.signal)) say({ type: 'piece', id, piece });
  });
}

async function close(): Promise<void> {
  for (const control of running.values()) control.abort();
  await engine?.close();
  process.exit(0);
}

const HEARD: {
  readonly [K in ToModel['type']]: (message: Extract<ToModel, { readonly type: K }>) => Promise<void>;
} = {
  open: ({ source }) => open(source),
  complete,
  cancel: async ({ id }) => running.get(id)?.abort(),
  tokens: ({ id, prompt }) =>
    answering(id, async (model) => say({ type: 'tokens', id, tokens: await model.tokensOf(prompt) })),
  close,
};

const hear = <K extends ToModel['type']>(
  message: Extract<ToModel, { readonly type: K }> & { readonly type: K },
) => HEARD[message.type](message);

volunteer();
// A terminal sends Ctrl-C to every process in front of it, and closing it SIGHUP; the server decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('SIGXFSZ', () => {});
process.on('disconnect', () => process.exit(1));
process.on('message', (message: ToModel) => void hear(message));
