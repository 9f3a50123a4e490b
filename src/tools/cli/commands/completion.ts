import type { CliContext } from '../cli-context.js';
import {
  type Command,
  type CommandTable,
  EXIT,
  type OptionSpec,
  type PositionalSpec,
  unknown,
  type WordList,
} from '../command.js';

/** The commands with their lists of words, which are loaded only here. */
async function withWords(commands: readonly Command[], { host }: CliContext): Promise<readonly Command[]> {
  const { machineNames } = await import('../../../pipeline/planner/machines.js');
  const { errorCodes } = await import('../../insight/error-pages.js');
  const { explainedNames } = await import('../../insight/settings/setting-page.js');
  const { rules } = await import('../../../language/lint/index.js');
  const lists: Readonly<Record<WordList, readonly string[]>> = {
    machines: machineNames(host),
    explained: [...errorCodes(host), ...rules.map(({ id }) => id), ...explainedNames()],
  };
  const filled = <T extends OptionSpec | PositionalSpec>(spec: T): T =>
    spec.words === undefined ? spec : { ...spec, choices: lists[spec.words] };
  return commands.map((command) => ({
    ...command,
    positionals: command.positionals.map(filled),
    options: Object.fromEntries(Object.entries(command.options).map(([name, spec]) => [name, filled(spec)])),
  }));
}

/** `commands`: those that are completed. */
export const completion = (commands: CommandTable): Command => ({
  name: 'completion',
  doc: 'Prints a script for your shell, which completes commands, options and their values, pipelines with their stages and parameters, machines, settings and codes.',
  positionals: [
    {
      name: 'shell',
      doc: 'bash, zsh or fish; default: that of $SHELL.',
      optional: true,
      choices: ['bash', 'zsh', 'fish'],
    },
  ],
  options: {},
  examples: [
    ['ftpc completion bash >> ~/.bashrc', 'for bash'],
    ['ftpc completion zsh > ~/.zsh/completions/_ftpc', 'for zsh, where that folder is in $fpath'],
    ['ftpc completion fish > ~/.config/fish/completions/ftpc.fish', 'for fish'],
  ],
  run: async (args, context) => {
    const { scripts } = await import('../completion-scripts.js');
    const shell =
      args.optionalPositional('shell') ?? (context.host.env('SHELL') ?? 'bash').split('/').at(-1) ?? 'bash';
    const write = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (write === undefined) throw unknown('shell', shell, Object.keys(scripts));
    const all = await Promise.all(Object.values(commands).map((load) => load()));
    context.out(write(await withWords(all, context)).trimEnd());
    return EXIT.done;
  },
});
