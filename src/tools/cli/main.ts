#!/usr/bin/env node
import type { Host } from '../../language/host/host.js';
import { nodeHost } from '../../language/host/node-host.js';
import { processContext } from './cli-context.js';
import { EXIT } from './command.js';
import { dispatch, reportBug } from './dispatch.js';
import { endBySignal } from './interrupts.js';

// A reader that has had enough (`ftpc … | head`) is no error, and a file that takes no more (`ftpc … > file`) none of ours.
for (const [name, stream] of Object.entries({ output: process.stdout, error: process.stderr }))
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(EXIT.done);
    if (stream !== process.stderr)
      process.stderr.write(`error: standard ${name} cannot be written: ${message}\n`);
    process.exit(EXIT.error);
  });

// A limit on the size of files (`ulimit -f`) would end the process silently; with a listener, the write fails instead.
process.on('SIGXFSZ', () => {});

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

const context = processContext(hereOrEnd());
process.on('uncaughtException', (error) => {
  void reportBug(error, context)
    // what reports a bug may fail itself; an end without a word is the worst of all
    .catch((failed: unknown) => process.stderr.write(`error: ${String(error)}\nerror: ${String(failed)}\n`))
    .finally(() => process.exit(EXIT.error));
});
process.exitCode = await dispatch(process.argv.slice(2), context);
if (process.exitCode === EXIT.interrupted) endBySignal();
