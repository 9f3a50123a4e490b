/** Models in processes of their own: one that crashes ends no server, and is started again. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PieceQueue } from '../../compute/serving/piece-queue.js';
import type {
  CompletionPiece,
  CompletionPrompt,
  CompletionRequest,
  ServingInfo,
  ServingLoad,
} from '../../compute/serving/types.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { childEnvironment } from '../../language/host/child-environment.js';
import { MAPPED_BYTES } from '../../language/host/shareable.js';
import { shortOf, tailOf } from '../run/child-process.js';
import type { Failure, FromModel, FromModelBatch, ModelSource, ToModel } from './model-messages.js';
import { modelCrashed, modelNotStarted } from './serve-diagnostics.js';

/** The process of a model, opened. */
export interface ModelProcess {
  readonly info: ServingInfo;
  readonly pid: number;
  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionPiece>;
  tokensOf(prompt: CompletionPrompt): Promise<readonly number[]>;
  load(): ServingLoad;
  /** Requests that run are aborted. */
  close(): Promise<void>;
  /** How it ended, without anybody asking for it or not. Never rejects. */
  readonly ended: Promise<UserError>;
}

/** The process of a model ended while it answered. */
export class ModelEndedError extends Error {
  override readonly name = 'ModelEndedError';
}

/** As the stages' processes: see `run/stage-process.ts`. */
const NODE_OPTIONS = ['--expose-gc', '--max-semi-space-size=4'];
/** Milliseconds that a process may take to end once told so. */
const PATIENCE = 10_000;
const IDLE: ServingLoad = { running: 0, waiting: 0, cacheTokens: 0, answered: 0, generatedTokens: 0 };

/** Starts a process and opens a model in it. Throws a `UserError`; an aborted `signal` ends the process and is thrown. */
export function openModelProcess(
  source: ModelSource,
  warn: (diagnostic: Diagnostic) => void,
  signal?: AbortSignal,
): Promise<ModelProcess> {
  const child = forkModel(source);
  const printed = tailOf(child);
  return new Promise((resolve, reject) => {
    const talk = conversation(child, source.folder, printed);
    const give = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', give, { once: true });
    if (signal?.aborted === true) give();
    void talk.ended.then((why) => reject(signal?.aborted === true ? signal.reason : why));
    talk.heard({
      opened: ({ info }) => {
        signal?.removeEventListener('abort', give);
        resolve({ ...talk, info, pid: child.pid ?? 0 });
      },
      failed: ({ failure }) => {
        reject(errorOf(failure));
        child.kill('SIGKILL');
      },
      warning: ({ diagnostic }) => warn(diagnostic),
    });
    talk.say({ type: 'open', source });
  });
}

/** glibc would come to keep blocks of up to 32 MiB, and most of what codes take besides while they are compiled. */
const OWN_VARIABLES = { MALLOC_MMAP_THRESHOLD_: String(MAPPED_BYTES) };

function forkModel(source: ModelSource): ChildProcess {
  try {
    return fork(fileURLToPath(new URL('./model-child.js', import.meta.url)), [], {
      cwd: source.cwd,
      env: childEnvironment({
        ...OWN_VARIABLES,
        ...Object.fromEntries((source.withheld ?? []).map((name) => [name, undefined])),
      }),
      execArgv: NODE_OPTIONS,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
  } catch (error) {
    const why = shortOf(error);
    if (why === undefined) throw error;
    throw modelNotStarted(source.folder, why);
  }
}

type Opening = Extract<FromModel, { readonly type: 'opened' | 'failed' | 'warning' }>;
type OpeningHandlers = {
  readonly [K in Opening['type']]: (message: Extract<Opening, { readonly type: K }>) => void;
};

/** What a process says of a request. */
type Reply = Extract<FromModel, { readonly type: 'piece' | 'tokens' }>;

/** What is said to a process and heard of it, by the number of the request. */
function conversation(child: ChildProcess, label: string, printed: () => string) {
  const open = new Map<number, PieceQueue<Reply>>();
  let last = 0;
  let load = IDLE;
  let handlers: OpeningHandlers | undefined;
  const say = (message: ToModel): void => {
    // the end of a process that is gone is heard by its own event
    if (child.connected) child.send(message, () => {});
  };
  const hear = (message: FromModel): void => {
    if (message.type === 'load') load = message.load;
    else if (message.type === 'piece' || message.type === 'tokens') open.get(message.id)?.push(message);
    else if (message.type === 'done') finish(message.id);
    else if (message.type === 'wrong') finish(message.id, errorOf(message.failure));
    else if (message.type === 'opened') handlers?.opened(message);
    else if (message.type === 'failed') handlers?.failed(message);
    else handlers?.warning(message);
  };
  const finish = (id: number, error?: Error): void => {
    open.get(id)?.end(error === undefined ? {} : { error });
    open.delete(id);
  };
  child.on('message', (batch: FromModelBatch) => batch.forEach(hear));
  const ended = endOf(child, label, printed);
  void ended.then(({ message }) => {
    for (const queue of open.values()) queue.end({ error: new ModelEndedError(message) });
  });
  async function* ask(message: (id: number) => ToModel, signal?: AbortSignal): AsyncGenerator<Reply> {
    signal?.throwIfAborted();
    const id = ++last;
    const queue = new PieceQueue<Reply>();
    const abort = (): void => queue.end({ error: signal?.reason });
    open.set(id, queue);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (child.connected) say(message(id));
      else queue.end({ error: new ModelEndedError(`the process of \`${label}\` has ended`) });
      yield* queue;
    } finally {
      signal?.removeEventListener('abort', abort);
      if (open.delete(id)) say({ type: 'cancel', id });
    }
  }
  return {
    say,
    ended,
    heard: (told: OpeningHandlers): void => {
      handlers = told;
    },
    load: () => load,
    async *complete(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<CompletionPiece> {
      for await (const reply of ask((id) => ({ type: 'complete', id, request }), signal))
        if (reply.type === 'piece') yield reply.piece;
    },
    tokensOf: async (prompt: CompletionPrompt): Promise<readonly number[]> => {
      for await (const reply of ask((id) => ({ type: 'tokens', id, prompt })))
        if (reply.type === 'tokens') return reply.tokens;
      return [];
    },
    close: async (): Promise<void> => {
      say({ type: 'close' });
      const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      await ended;
      clearTimeout(late);
    },
  };
}

const errorOf = (failure: Failure): Error =>
  'diagnostic' in failure ? new UserError(failure.diagnostic) : new Error(failure.bug);

function endOf(child: ChildProcess, label: string, printed: () => string): Promise<UserError> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      const why = shortOf(error) ?? error.message;
      if (child.pid === undefined) resolve(modelNotStarted(label, why));
    });
    child.on('close', (code, signal) => {
      const lines = printed()
        .split('\n')
        .filter((line) => line.trim() !== '');
      resolve(modelCrashed(label, signal ?? `exit code ${code}`, lines.slice(-5)));
    });
  });
}
