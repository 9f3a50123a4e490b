#!/usr/bin/env node
import { nodeHost } from '../source/node-host.js';
import { reportBug } from './crash.js';
import { dispatch } from './dispatch.js';
import { EXIT } from './exit-codes.js';
import { realWorld } from './world.js';

// A reader that has had enough (`ftpc … | head`) is no error of ours.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });

// A limit on the size of files (`ulimit -f`) would end the process without a word; heard, it fails the write.
process.on('SIGXFSZ', () => {});

const world = realWorld(nodeHost());
process.on('uncaughtException', (error) => {
  void reportBug(error, world).finally(() => process.exit(EXIT.error));
});
process.exitCode = await dispatch(process.argv.slice(2), world);
