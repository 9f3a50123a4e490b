import { resolve } from 'node:path';
import { type Command, EXIT, UsageError, unknown } from '../command.js';

export const store: Command = {
  name: 'store',
  doc: 'Makes a folder a store of outputs, as `--store` takes it. New and empty folders become one by themselves; this is for one in which something is: that stays as it is.',
  positionals: [
    { name: 'action', doc: '`init`.', choices: ['init'] },
    { name: 'folder', doc: 'The folder; it is made where it is not there.' },
  ],
  options: {},
  examples: [['ftpc store init /mnt/store', 'next to what is in it already']],
  run: async (args, context) => {
    const action = args.positional('action');
    if (action !== 'init') throw unknown('action', action, ['init']);
    const named = args.positional('folder');
    if (named === '') throw new UsageError('`init` needs a folder');
    const { initStore } = await import('../../../pipeline/store/enter.js');
    const path = resolve(context.host.cwd, named);
    context.err(initStore(path) ? `${named} is a store now` : `${named} was a store already`);
    return EXIT.done;
  },
};
