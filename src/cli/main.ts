#!/usr/bin/env node
import { nodeHost } from '../source/node-host.js';
import { reportBug } from './crash.js';
import { dispatch } from './dispatch.js';
import { EXIT } from './exit-codes.js';
import { realWorld } from './world.js';

// A reader that has had enough (`ftpc … | head`) is no error, and a file that takes no more (`ftpc … > file`) none of ours.
for (const [name, stream] of Object.entries({ output: process.stdout, error: process.stderr }))
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(EXIT.done);
    if (stream !== process.stderr)
      process.stderr.write(`error: standard ${name} cannot be written: ${message}\n`);
    process.exit(EXIT.error);
  });

// A limit on the size of files (`ulimit -f`) would end the process without a word; heard, it fails the write.
process.on('SIGXFSZ', () => {});

const world = realWorld(nodeHost());
process.on('uncaughtException', (error) => {
  void reportBug(error, world).finally(() => process.exit(EXIT.error));
});
process.exitCode = await dispatch(process.argv.slice(2), world);
