import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';

export const completion: Command = {
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
  run: async (args, world) => {
    const { scripts } = await import('../completion/scripts.js');
    const { unknown } = await import('../arguments.js');
    const shell =
      args.optionalPositional('shell') ?? (world.host.env('SHELL') ?? 'bash').split('/').at(-1) ?? 'bash';
    const write = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (write === undefined) throw await unknown('shell', shell, Object.keys(scripts), completion);
    const { commands } = await import('./index.js');
    const all = await Promise.all(Object.values(commands).map((load) => load()));
    world.out(write(all).trimEnd());
    return EXIT.done;
  },
};
