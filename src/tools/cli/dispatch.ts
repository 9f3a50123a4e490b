import { ftpcVersion } from '../../language/host/version.js';
import { parseArguments, unknown } from './arguments.js';
import { commands } from './commands/index.js';
import { reportBug } from './crash.js';
import { EXIT } from './exit-codes.js';
import { UsageError } from './usage-error.js';
import type { World } from './world.js';

/** Runs one command line to its end and gives its exit code; what it has to say goes through `world`. */
export async function dispatch(words: readonly string[], world: World): Promise<number> {
  try {
    return await commandOf(words, world);
  } catch (error) {
    if (!(error instanceof UsageError)) await reportBug(error, world);
    else {
      const [name = ''] = words;
      const command = error.command ?? (Object.hasOwn(commands, name) ? name : undefined);
      world.err(`${world.colours.err.red('error')}: ${error.message}`);
      world.err(`run \`ftpc ${command === undefined ? '' : `${command} `}--help\` for what it takes`);
    }
    return EXIT.error;
  }
}

async function commandOf(words: readonly string[], world: World): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = name === 'help' ? rest[0] : undefined;
    if (asked !== undefined) return commandOf([asked, '--help'], world);
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
