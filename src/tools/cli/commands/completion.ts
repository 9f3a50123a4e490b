import { type Command, type CommandTable, EXIT, unknown } from '../command.js';

/** `commands`: those that are completed. */
export const completion = (commands: CommandTable): Command => ({
  name: 'completion',
  doc: 'Prints a script that completes commands, options, their values and pipeline files in your shell.',
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
    context.out(write(all).trimEnd());
    return EXIT.done;
  },
});
