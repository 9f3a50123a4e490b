#!/usr/bin/env node
import { nodeHost } from '../source/node-host.js';
import { parseArguments, unknown } from './arguments.js';
import { commands } from './commands/index.js';
import { reportBug } from './crash.js';
import { EXIT } from './exit-codes.js';
import { UsageError } from './usage-error.js';
import { ftpcVersion } from './version.js';
import { realWorld, type World } from './world.js';

async function main(words: readonly string[], world: World): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = name === 'help' ? rest[0] : undefined;
    if (asked !== undefined) return main([asked, '--help'], world);
    const { generalHelp } = await import('./help.js');
    const text = await generalHelp(ftpcVersion(world.host), world.width);
    if (name === undefined) world.err(text);
    else world.out(text);
    return name === undefined ? EXIT.error : EXIT.done;
  }
  if (name === '--version' || name === '-v') {
    world.out(ftpcVersion(world.host));
    return EXIT.done;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    throw await unknown(name.startsWith('-') ? 'option' : 'command', name, Object.keys(commands));
  const command = await load();
  const args = await parseArguments(command, rest);
  if (args.flag('help')) {
    const { helpOf } = await import('./help.js');
    world.out(await helpOf(command, world.width));
    return EXIT.done;
  }
  return command.run(args, world);
}

// A reader that has had enough (`ftpc … | head`) is no error of ours.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });

const world = realWorld(nodeHost());
process.on('uncaughtException', (error) => {
  void reportBug(error, world).finally(() => process.exit(EXIT.error));
});
try {
  process.exitCode = await main(process.argv.slice(2), world);
} catch (error) {
  process.exitCode = EXIT.error;
  if (error instanceof UsageError) {
    world.err(`${world.colours.err.red('error')}: ${error.message}`);
    const [name = ''] = process.argv.slice(2);
    const command = error.command ?? (Object.hasOwn(commands, name) ? name : undefined);
    world.err(`run \`ftpc ${command === undefined ? '' : `${command} `}--help\` for what it takes`);
  } else await reportBug(error, world);
}
