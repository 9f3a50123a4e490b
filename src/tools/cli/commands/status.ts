import type { ActiveRun } from '../../../pipeline/store/index.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';
import { STORE_OPTION } from '../options/common-options.js';

export const status: Command = {
  name: 'status',
  doc: 'Shows what runs where, since when, by whom, at which stage and step: in this folder, and in a store that several use.',
  positionals: [],
  options: {
    ...STORE_OPTION,
    json: option.flag('Print the runs as JSON.'),
  },
  examples: [
    ['ftpc status', 'of this folder'],
    ['ftpc status --store /mnt/store', 'and of everyone who uses the store'],
    ['watch -n 5 ftpc status', 'again and again'],
  ],
  run: async (args, context) => {
    const { activeRuns, layoutOf } = await import('../../../pipeline/store/index.js');
    const { lastRun, nowOf } = await import('../housekeeping/status.js');
    const { host } = context;
    const runs = activeRuns(layoutOf(host));
    const found = runs.map((run) => ({ run, now: nowOf(run) }));
    const last = lastRun(host, runs);
    if (args.flag('json')) {
      context.out(JSON.stringify({ version: 1, runs: found.map((one) => jsonOf(one.run, one.now)), last }));
      return EXIT.done;
    }
    await show(found, last, context);
    return EXIT.done;
  },
};

/** How a run ended, for people. */
const ENDS: Readonly<Record<string, string>> = {
  done: 'is done',
  failed: 'failed',
  gate_failed: 'ended at a closed gate',
  budget_exceeded: 'exceeded its budget',
  interrupted: 'was interrupted',
  unfinished: 'was killed',
  unreadable: 'has an unreadable journal',
};

type Now = { readonly pipeline?: string; readonly doing?: string };

const jsonOf = ({ claims, isHere, ...run }: ActiveRun, { pipeline }: Now) => ({
  ...run,
  here: isHere,
  pipeline: pipeline ?? null,
  stages: claims.map(({ key, holder, progress, state }) => ({
    stage: holder.stage,
    key,
    since: holder.since,
    state,
    progress: progress ?? null,
  })),
});

async function show(
  found: readonly { readonly run: ActiveRun; readonly now: Now }[],
  last: { readonly runId: string; readonly status: string } | null,
  context: CliContext,
): Promise<void> {
  const { wrapped } = await import('../../../pipeline/planner/render/wrapped.js');
  const { runLines } = await import('../housekeeping/active-text.js');
  const { host, out, width, colours } = context;
  for (const { run, now } of found)
    for (const line of runLines(run, now, colours.out))
      for (const [index, part] of wrapped(line, width - 4).entries()) out(index === 0 ? part : `    ${part}`);
  if (found.some(({ run }) => run.isHere)) return;
  const nothing = 'nothing runs in this folder';
  const store = found.length === 0 && host.store !== undefined ? `, nor in ${host.store}` : '';
  out(
    `${nothing}${store}${last === null ? '' : `; its last run, ${last.runId}, ${ENDS[last.status] ?? last.status}`}`,
  );
}
