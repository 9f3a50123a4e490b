import { resolve } from 'node:path';
import { type Host, type ServerWait, waitText } from '../../language/host/host.js';
import { isOutOfFiles, loadFailure } from '../../language/host/system-limit.js';
import { ftpcVersion } from '../../language/host/version.js';
import { type CliContext, errorLine } from './cli-context.js';
import { type Arguments, type Command, EXIT, UsageError, unknown } from './command.js';
import { COMMAND_GROUPS, commands } from './commands/index.js';
import { printDiagnostics } from './diagnostics-printer.js';
import type { HelpGroups } from './help.js';

/** Runs one command line to its end and gives its exit code; what it has to say goes through `context`. */
export async function dispatch(words: readonly string[], context: CliContext): Promise<number> {
  try {
    return await commandOf(words, context);
  } catch (error) {
    if (!(error instanceof UsageError)) await reportBug(error, context);
    else {
      const [name = ''] = words;
      const command = Object.hasOwn(commands, name) ? `${name} ` : '';
      context.err(`${context.colours.err.red('error')}: ${error.message}`);
      context.err(`run \`ftpc ${command}--help\` for what it takes`);
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
    const text = await generalHelp(await loadedGroups(), ftpcVersion(context.host), context.width);
    if (name === undefined) context.err(text);
    else context.out(text);
    return name === undefined ? EXIT.error : EXIT.done;
  }
  if (name === '--version' || name === '-v') {
    context.out(ftpcVersion(context.host));
    return EXIT.done;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) throw unknownCommand(name);
  const [command, { parseArguments }] = await Promise.all([load(), import('./arguments.js')]);
  const args = parseArguments(command, rest);
  if (args.flag('help')) {
    const { helpOf } = await import('./help.js');
    context.out(await helpOf(command, context.width));
    return EXIT.done;
  }
  const store = storeOf(command, args, context.host);
  const host = { ...context.host, waiting: showWaits(context), ...(store === undefined ? {} : { store }) };
  // a run says it among its events
  if (Object.hasOwn(command.options, 'store') && name !== 'run') {
    const { checkStores } = await import('../../pipeline/store/enter.js');
    checkStores(host);
  }
  return command.run(args, { ...context, host });
}

/** Commands, and what other tools call them, or people try first. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  run: ['apply', 'deploy', 'eval', 'evaluate', 'finetune', 'merge', 'publish', 'train'],
  check: ['lint', 'validate'],
  fmt: ['format'],
  gc: ['clean', 'prune'],
  init: ['new'],
  generate: ['ask', 'predict'],
};

function unknownCommand(name: string): UsageError {
  const meant = Object.keys(OTHER_NAMES).find((command) => OTHER_NAMES[command]?.includes(name));
  return meant === undefined
    ? unknown(name.startsWith('-') ? 'option' : 'command', name, Object.keys(commands))
    : new UsageError(`unknown command \`${name}\`: \`ftpc ${meant}\` does that`);
}

async function loadedGroups(): Promise<HelpGroups> {
  const groups = Object.entries(COMMAND_GROUPS).map(
    async ([title, table]) => [title, await Promise.all(Object.values(table).map((load) => load()))] as const,
  );
  return Object.fromEntries(await Promise.all(groups));
}

/** A line for each pause that a server asks for, and one for each server that takes long. */
function showWaits(context: CliContext): (wait: ServerWait) => void {
  const slow = new Set<string>();
  return (wait) => {
    if (wait.pause === undefined && slow.has(wait.server)) return;
    if (wait.pause === undefined) slow.add(wait.server);
    context.err(context.colours.err.dim(waitText(wait)));
  };
}

/** The store that a command line asks for: its option wins over the environment; `undefined` is that of the directory. */
function storeOf({ options }: Command, args: Arguments, host: Host): string | undefined {
  const asked = Object.hasOwn(options, 'store') ? args.text('store') : undefined;
  const folder = asked ?? host.env('FTPC_STORE');
  if (asked === '') throw new UsageError('`--store` needs a folder');
  if (folder === undefined || folder === '') return undefined;
  const path = resolve(host.cwd, folder);
  if (host.stat(path)?.isFolder === false)
    throw new UsageError(
      `${asked === undefined ? '`FTPC_STORE`' : '`--store`'} needs a folder: \`${folder}\` is a file`,
    );
  return path;
}

/** The last resort: a user's mistake is a sentence, a bug of ours is one line and a file. */
export async function reportBug(error: unknown, context: CliContext): Promise<void> {
  // under such a limit, not even what would report it can be loaded
  if (isOutOfFiles(error)) {
    for (const line of (loadFailure(error) ?? '').trimEnd().split('\n')) context.err(line);
    return;
  }
  const { userProblem } = await import('../../compute/models/user-problem.js');
  const { memoryRefused } = await import('../../language/diagnostics/catalogue/files.js');
  const { OutOfMemoryError, translateHostError } = await import('../../compute/tensor/out-of-memory.js');
  const refusal = translateHostError(error);
  const diagnostic =
    userProblem(error) ??
    (refusal instanceof OutOfMemoryError ? memoryRefused(context.host.cwd, refusal.message) : undefined);
  if (diagnostic !== undefined) {
    await printDiagnostics(context, [diagnostic]);
    return;
  }
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const where = (context.host.env('FTPC_DEBUG') ?? '') === '' ? await keep(trace, context) : undefined;
  context.err(
    errorLine(context, `this is a bug in ftpc: ${message}${where === undefined ? '' : ` (trace: ${where})`}`),
  );
  if (where === undefined) context.err(trace);
}

/** Where the trace was written; `undefined` if it could not be. */
async function keep(trace: string, { host }: CliContext): Promise<string | undefined> {
  const { layoutIn, runIdAt, runFolder, writeWhole } = await import('../../pipeline/store/index.js');
  const layout = layoutIn(host.cwd);
  const id = runIdAt(host.now(), process.pid);
  try {
    writeWhole(`${runFolder(layout, id)}/crash.txt`, `${trace}\n`, { sync: false });
    return `.ftp/runs/${id}/crash.txt`;
  } catch {
    return undefined;
  }
}
