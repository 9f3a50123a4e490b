import { columns } from '../../../pipeline/planner/render/columns.js';
import type { Spool, Tracking } from '../../track/index.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';

export const track: Command = {
  name: 'track',
  doc: 'Shows which trainings trackers have, and delivers those that they did not take.',
  positionals: [],
  options: {
    sync: option.flag('Deliver what is pending, now.'),
    json: option.flag('Print what each tracker has as JSON.'),
  },
  examples: [
    ['ftpc track', 'what was delivered, and what was not, and why'],
    ['ftpc track --sync', 'after a tracker was away'],
  ],
  run: async (args, context) => {
    const { deliverPending, PATIENT_LIMIT, spools, trackerText } = await import('../../track/index.js');
    const found = args.flag('sync')
      ? await deliverPending(context.host, { limit: PATIENT_LIMIT })
      : spools(context.host);
    const isPending = found.some(({ trackings }) => trackings.some(({ state }) => state === 'pending'));
    if (args.flag('json')) context.out(JSON.stringify(jsonOf(found)));
    else show(found, trackerText, context);
    return args.flag('sync') && isPending ? EXIT.error : EXIT.done;
  },
};

const jsonOf = (spools: readonly Spool[]) => ({
  version: 1,
  trainings: spools.flatMap(({ runId, pipeline, trackings }) =>
    trackings.map(({ stage, tracker, state, where, problem }) => ({
      runId,
      pipeline,
      stage,
      tracker,
      state,
      where: where ?? null,
      problem: problem ?? null,
    })),
  ),
});

function show(spools: readonly Spool[], nameOf: (tracking: Tracking) => string, context: CliContext): void {
  const { dim, yellow } = context.colours.out;
  if (spools.length === 0)
    context.out('No training names a tracker: write `track = [tensorboard("runs")]` in a `train` stage.');
  if (spools.length === 0) return;
  const rows = spools.flatMap(({ runId, trackings }) =>
    trackings.map((tracking) => [
      runId,
      tracking.stage,
      nameOf(tracking),
      tracking.state === 'pending' ? yellow('pending') : 'delivered',
      tracking.state === 'pending' ? (tracking.problem ?? '') : (tracking.where ?? ''),
    ]),
  );
  const heads = ['run', 'training', 'tracker', 'state', 'where or why not'].map((head) => dim(head));
  for (const line of columns([heads, ...rows], { width: context.width })) context.out(line);
}
