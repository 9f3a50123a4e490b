import { join } from 'node:path';
import { unknown } from '../arguments.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';

export const explain: Command = {
  name: 'explain',
  doc: 'Explains a diagnostic: what it means, an example, and the ways to mend it.',
  positionals: [
    { name: 'code', doc: 'The code of the diagnostic, e.g. FTP0301; left out: lists all.', optional: true },
  ],
  options: { json: { type: 'boolean', doc: 'Print `{ version, code, text }` as JSON.' } },
  examples: [
    ['ftpc explain FTP0301', 'the page of that code'],
    ['ftpc explain', 'all codes'],
  ],
  run: async (args, world) => {
    const { host } = world;
    const folder = join(host.packageFolder, 'docs', 'errors');
    const codes = host
      .list(folder)
      .flatMap((name) => (/^FTP\d{4}\.md$/.test(name) ? [name.slice(0, -'.md'.length)] : []));
    const title = (code: string): string =>
      (host.readText(join(folder, `${code}.md`)).split('\n')[0] ?? '').replace(/^#\s*(FTP\d{4}:?\s*)?/, '');
    const asked = args.optionalPositional('code')?.toUpperCase();
    if (asked === undefined) {
      if (args.flag('json'))
        world.out(JSON.stringify({ version: 1, codes: codes.map((code) => ({ code, title: title(code) })) }));
      else for (const code of codes) world.out(`${code}  ${title(code)}`);
      return EXIT.done;
    }
    if (!codes.includes(asked)) throw await unknown('code', asked, codes, explain);
    const text = host.readText(join(folder, `${asked}.md`));
    world.out(args.flag('json') ? JSON.stringify({ version: 1, code: asked, text }) : text.trimEnd());
    return EXIT.done;
  },
};
