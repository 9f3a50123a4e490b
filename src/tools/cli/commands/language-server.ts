import { type Command, option, UsageError } from '../command.js';

export const languageServer: Command = {
  name: 'language-server',
  doc: 'Serves editors over the Language Server Protocol: diagnostics, completion, hovers, hints and more.',
  positionals: [],
  options: {
    stdio: option.flag('Speak over standard input and output, the only transport so far.'),
    // Its name is the protocol's.
    clientProcessId: option.text('ID', 'The process id of the editor: the server exits when it ends.'),
  },
  examples: [
    [
      'ftpc language-server --stdio',
      'how an editor starts it; docs/editors.md has the configuration for each editor',
    ],
  ],
  run: async (args, context) => {
    if (!args.flag('stdio'))
      throw new UsageError('`ftpc language-server` is started by an editor, with `--stdio`');
    const { listen } = await import('../language-server/listen.js');
    return listen(context.host.cwd, args.text('clientProcessId'));
  },
};
