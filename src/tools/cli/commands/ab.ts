import { join, resolve } from 'node:path';
import type { Comparison } from '../../../pipeline/serve/comparison/compare.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option } from '../command.js';

export const ab: Command = {
  name: 'ab',
  doc: 'Compares two releases by the requests that `ftpc serve` answered with them, and says which differences are real.',
  positionals: [{ name: 'folder', doc: 'The folder of the releases.' }],
  options: {
    a: option.number('N', 'A release; default: the current one.'),
    b: option.number('N', 'The release that is compared with it; default: the canary.'),
    journal: option.text(
      'FOLDER',
      'The journal of requests; default: `traffic` in the folder of the releases.',
    ),
    json: option.flag('Print the comparison as JSON.'),
  },
  examples: [
    ['ftpc ab releases/legal', 'the canary against the current release, since it is the canary'],
    ['ftpc ab releases/legal --a 3 --b 4', 'any two, by all of their requests'],
  ],
  run: async (args, context) => {
    const { compareFromJournal } = await import('../../../pipeline/serve/comparison/from-journal.js');
    const { host } = context;
    const pair = await pairOf(args, context);
    const journal = args.text('journal') ?? join(args.positional('folder'), 'traffic');
    const { a, b, measures } = compareFromJournal(resolve(host.cwd, journal), pair);
    if (args.flag('json')) {
      const { since, ...releases } = pair;
      const requests = { a: a.requests, b: b.requests };
      const from = since === 0 ? null : new Date(since).toISOString();
      context.out(JSON.stringify({ version: 1, ...releases, since: from, requests, measures }));
    } else await show(context, pair, [a.requests, b.requests], measures);
    return EXIT.done;
  },
};

interface Pair {
  readonly a: number;
  readonly b: number;
  readonly since: number;
}

/** The releases that were named, or the current one and its canary. */
async function pairOf(args: Arguments, { host }: CliContext): Promise<Pair> {
  const { nodeDisk } = await import('../../../language/host/node-disk.js');
  const { findRelease } = await import('../../../pipeline/deploy/releases.js');
  const { comparedPair } = await import('../../../pipeline/serve/monitoring/serving-state.js');
  const { nothingToCompare } = await import('../../../pipeline/serve/traffic-diagnostics.js');
  const access = { host, disk: nodeDisk() };
  const folder = resolve(host.cwd, args.positional('folder'));
  const found = comparedPair(access, folder);
  const [a, b] = [args.number('a') ?? found?.current, args.number('b') ?? found?.canary];
  if (a === undefined || b === undefined || a === b) throw nothingToCompare(args.positional('folder'), a, b);
  for (const number of [a, b]) findRelease(access, folder, number);
  const isCanary = a === found?.current && b === found.canary;
  return { a, b, since: isCanary ? found.since : 0 };
}

async function show(
  context: CliContext,
  { a, b, since }: Pair,
  [ofA, ofB]: readonly [number, number],
  measures: readonly Comparison[],
): Promise<void> {
  const { columns } = await import('../../../pipeline/planner/render/columns.js');
  const { differenceOf, valueText, verdictOf } = await import('../../../pipeline/serve/comparison/words.js');
  const { sinceText } = await import('../../../pipeline/store/since-text.js');
  const { countText } = await import('../../../pipeline/serve/figures.js');
  const { bold, dim, green, red } = context.colours.out;
  const from = since === 0 ? '' : `, since ${sinceText(new Date(since).toISOString())}`;
  context.out(`release ${a}: ${countText(ofA)} requests; release ${b}: ${countText(ofB)} requests${from}`);
  if (measures.length === 0) {
    context.out('too few requests to compare: either needs those of at least two users');
    return;
  }
  const coloured = (compared: Comparison): string => {
    const verdict = verdictOf(compared);
    return verdict === 'real: better' ? green(verdict) : verdict === 'real: worse' ? red(verdict) : verdict;
  };
  const [head = '', ...lines] = columns(
    [
      ['', String(a), String(b), 'difference (95 % interval)', 'verdict'],
      ...measures.map((each) => [
        bold(each.label),
        valueText(each, each.a.value),
        valueText(each, each.b.value),
        differenceOf(each),
        coloured(each),
      ]),
    ],
    { right: [1, 2], width: context.width },
  );
  context.out(dim(head));
  for (const line of lines) context.out(line);
  context.out(dim('real: found at the level of 5 % by a test that may be looked at all the time'));
}
