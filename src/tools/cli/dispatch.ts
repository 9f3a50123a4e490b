import { ftpcVersion } from '../../language/host/version.js';
import type { CliContext } from './cli-context.js';
import { commands } from './commands/index.js';
import { reportBug } from './crash.js';
import { EXIT } from './exit-codes.js';
import { UsageError, unknown } from './usage-error.js';

/** Runs one command line to its end and gives its exit code; what it has to say goes through `context`. */
export async function dispatch(words: readonly string[], context: CliContext): Promise<number> {
  try {
    return await commandOf(words, context);
  } catch (error) {
    if (!(error instanceof UsageError)) await reportBug(error, context);
    else {
      const [name = ''] = words;
      const command = error.command ?? (Object.hasOwn(commands, name) ? name : undefined);
      context.err(`${context.colours.err.red('error')}: ${error.message}`);
      context.err(`run \`ftpc ${command === undefined ? '' : `${command} `}--help\` for what it takes`);
    }
    return EXIT.error;
  }
}

async function commandOf(words: readonly string[], context: CliContext): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = name === 'help' ? rest[0] : undefined;
    if (asked !== undefined) return commandOf([asked, '--help'], context);
    const { generalHelp } = await import('./help.js');
    const all = await Promise.all(Object.values(commands).map((load) => load()));
    const text = await generalHelp(all, ftpcVersion(context.host), context.width);
    if (name === undefined) context.err(text);
    else context.out(text);
    return name === undefined ? EXIT.error : EXIT.done;
  }
  if (name === '--version' || name === '-v') {
    context.out(ftpcVersion(context.host));
    return EXIT.done;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    throw unknown(name.startsWith('-') ? 'option' : 'command', name, Object.keys(commands));
  const [command, { parseArguments }] = await Promise.all([load(), import('./arguments.js')]);
  const args = parseArguments(command, rest);
  if (args.flag('help')) {
    const { helpOf } = await import('./help.js');
    context.out(await helpOf(command, context.width));
    return EXIT.done;
  }
  return command.run(args, context);
}
