import type { Host } from '../../language/host/host.js';
import { nodeHost } from '../../language/host/node-host.js';
import { processContext } from './cli-context.js';
import { EXIT } from './command.js';
import { dispatch, reportBug } from './dispatch.js';
import { endBySignal } from './interrupts.js';
import { guardStreams } from './standard-streams.js';

/** Nothing can be found from a folder that is gone: Node itself refuses to name it. */
function hereOrEnd(): Host {
  try {
    return nodeHost();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== 'uv_cwd') throw error;
    process.stderr.write('error: the working directory was removed: change to one that exists\n');
    process.exit(EXIT.error);
  }
}

/** Runs the command line of this process to its end. */
export async function start(): Promise<void> {
  guardStreams();
  // A limit on the size of files (`ulimit -f`) would end the process silently; with a listener, the write fails instead.
  process.on('SIGXFSZ', () => {});
  const context = processContext(hereOrEnd());
  process.on('uncaughtException', (error) => {
    void reportBug(error, context)
      // what reports a bug may fail itself; an end without a word is the worst of all
      .catch((failed: unknown) => process.stderr.write(`error: ${String(error)}\nerror: ${String(failed)}\n`))
      .finally(() => endWhenWritten(EXIT.error));
  });
  process.exitCode = await dispatch(process.argv.slice(2), context);
  if (process.exitCode === EXIT.interrupted) endBySignal();
}

/** Some systems write to pipes and terminals in the background: what waits there is not cut off. */
const endWhenWritten = (code: number): void =>
  void process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
