import { resolve } from 'node:path';
import { percentText } from '../../../language/diagnostics/make.js';
import { type Arguments, type Command, EXIT, option, UsageError } from '../command.js';

export const promote: Command = {
  name: 'promote',
  doc: 'Makes the canary of a folder of releases current, after checking its files; or gives it another share.',
  positionals: [{ name: 'folder', doc: 'The folder that a deploy stage with `canary` publishes to.' }],
  options: {
    share: option.text('PERCENT', 'Keep it a canary, with this share of the requests: `25%`.'),
    json: option.flag('Print `{ version, from, to, share }` as JSON: `share` is what it had before.'),
  },
  examples: [
    ['ftpc promote releases/legal', 'the canary gets every request'],
    ['ftpc promote releases/legal --share 25%', 'it gets a quarter of them'],
  ],
  run: async (args, context) => {
    const { promote: makeCurrent } = await import('../../../pipeline/deploy/promote.js');
    const { nodeDisk } = await import('../../../language/host/node-disk.js');
    const { host } = context;
    const share = shareOf(args);
    const folder = resolve(host.cwd, args.positional('folder'));
    const moved = makeCurrent({ host, disk: nodeDisk() }, folder, share);
    if (args.flag('json')) context.out(JSON.stringify({ version: 1, ...moved }));
    else if (share !== undefined)
      context.err(`canary: release ${moved.to} gets ${percentText(share)} (was ${percentText(moved.share)})`);
    else context.err(`current: release ${moved.to}${moved.from === null ? '' : ` (was ${moved.from})`}`);
    return EXIT.done;
  },
};

/** As the setting `canary` takes it: from 0.1% to 99%. */
function shareOf(args: Arguments): number | undefined {
  const text = args.text('share');
  if (text === undefined) return undefined;
  const share = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]) / 100;
  if (share >= 0.001 && share <= 0.99) return share;
  throw new UsageError(`\`--share\` takes a percentage from 0.1% to 99%, such as \`25%\`; got \`${text}\``);
}
