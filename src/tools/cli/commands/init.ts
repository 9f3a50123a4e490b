import { join, relative, resolve } from 'node:path';
import { errorLine } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';
import { starterFiles } from '../init/files.js';

export const init: Command = {
  name: 'init',
  doc: 'Writes a small pipeline with its data into a folder, ready to check, plan and run.',
  positionals: [{ name: 'folder', doc: 'Where to write; default: here.', optional: true }],
  options: { json: option.flag('Print the paths of the files as JSON.') },
  examples: [
    ['ftpc init', 'into this folder'],
    ['ftpc init capitals && cd capitals && ftpc run capitals.ftp', 'into a new one, and run it'],
  ],
  run: async (args, context) => {
    const { writeWhole } = await import('../../../pipeline/store/index.js');
    const { host } = context;
    const folder = resolve(host.cwd, args.optionalPositional('folder') ?? '.');
    const files = Object.entries(starterFiles()).map(([name, text]) => ({ path: join(folder, name), text }));
    const standing = files.filter(({ path }) => host.stat(path) !== undefined);
    if (standing.length > 0) {
      const names = standing.map(({ path }) => `\`${relative(host.cwd, path)}\``).join(', ');
      context.err(
        errorLine(
          context,
          `${names} ${standing.length === 1 ? 'is' : 'are'} already there; nothing was written`,
        ),
      );
      context.err('choose another folder: `ftpc init FOLDER`');
      return EXIT.error;
    }
    for (const { path, text } of files) writeWhole(path, text, { sync: false });
    const paths = files.map(({ path }) => relative(host.cwd, path));
    if (args.flag('json')) context.out(JSON.stringify({ version: 1, files: paths }));
    else {
      for (const path of paths) context.out(`wrote ${path}`);
      context.out(`now: ftpc run ${paths[0] ?? ''}`);
    }
    return EXIT.done;
  },
};
