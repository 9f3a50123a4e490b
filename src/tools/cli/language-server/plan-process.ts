/** Plans in a process of its own: a plan computes for seconds, and the server has milliseconds. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../../language/host/child-environment.js';
import type { Planner, PlanReply, PlanTask } from '../../language-server/plans.js';

export interface ToPlanChild extends PlanTask {
  /** Names of the variables that are set: a plan says which secrets are not, and needs none of them. */
  readonly variables: readonly string[];
}

export type FromPlanChild =
  | { readonly type: 'reply'; readonly reply: PlanReply }
  | { readonly type: 'failed'; readonly trace: string };

/** The process stays for the next plan; one that is no longer wanted is ended at once. */
export function planProcess(): Planner {
  let child: ChildProcess | undefined;
  const end = (): void => {
    child?.kill('SIGKILL');
    child = undefined;
  };
  return {
    close: end,
    plan: (job, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        child ??= start();
        const worker = child;
        const settle = (how: () => void): void => {
          worker.off('message', heard).off('exit', gone).off('error', failed);
          signal.removeEventListener('abort', aborted);
          how();
        };
        const heard = (message: FromPlanChild): void =>
          settle(() =>
            message.type === 'reply' ? resolve(message.reply) : reject(new Error(message.trace)),
          );
        const failed = (error: Error): void => {
          if (child === worker) child = undefined;
          settle(() => reject(error));
        };
        const gone = (code: number | null): void =>
          failed(new Error(`the planning process ended with ${code}`));
        const aborted = (): void => {
          if (child === worker) end();
          settle(() => reject(signal.reason));
        };
        worker.on('message', heard).on('exit', gone).on('error', failed);
        signal.addEventListener('abort', aborted);
        worker.send({ ...job, variables: setVariables() } satisfies ToPlanChild);
      }),
  };
}

const setVariables = (): readonly string[] =>
  Object.entries(process.env).flatMap(([name, value = '']) => (value.trim() === '' ? [] : [name]));

function start(): ChildProcess {
  const child = fork(fileURLToPath(new URL('./plan-child.js', import.meta.url)), [], {
    env: childEnvironment(),
    execArgv: [],
    // The editor reads our standard output as messages.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.unref();
  child.channel?.unref();
  return child;
}
