import { resolve } from 'node:path';
import type { PlanRequest } from '../../../pipeline/prepare/index.js';
import { type CliContext, canOverwrite } from '../cli-context.js';
import { type Arguments, type Command, EXIT_OF_RUN, option, UsageError } from '../command.js';
import { RUN_OPTIONS, runRequest } from '../options/common-options.js';
import { runEngineOf } from '../options/engine-options.js';
import { PARALLEL, PRICE, parallelOf, priceOf } from '../options/machine-options.js';
import { noticeOf, preemptionOf, RUN_ON_OPTIONS, retriesOf } from '../options/run-options.js';
import type { RunView } from '../progress/views.js';

export const run: Command = {
  name: 'run',
  doc: 'Runs a pipeline: completed stages are not run again, and interrupted ones resume from their checkpoint.',
  positionals: [{ name: 'file', doc: 'The pipeline, or a plan that `ftpc plan --out` saved.' }],
  options: {
    ...RUN_OPTIONS,
    parallel: PARALLEL,
    price: PRICE,
    ...RUN_ON_OPTIONS,
    verify: option.flag('Read every byte of every output and release, however large, and check its digest.'),
    json: option.flag('Print every event as a JSON object on one line.'),
  },
  examples: [
    ['ftpc run pipelines/legal.ftp', 'with progress bars on a terminal, lines in a log'],
    ['ftpc run pipelines/legal.ftp -p smoke=true', 'with a parameter'],
    ['ftpc run pipelines/legal.ftp --json | jq .loss', 'for programs'],
    ['ftpc run sweep.ftp --parallel 3', 'up to three stages at once, as far as memory allows'],
    ['ftpc run pipelines/legal.ftp --notice 30s', 'on a machine that gives 30 seconds before it goes'],
    ['ftpc run pipelines/legal.ftp --locked', 'only with exactly what the lock file records'],
    ['ftpc run legal.plan', 'a saved plan, as it was reviewed'],
  ],
  run: async (args, context) => {
    const { execute } = await import('../execute.js');
    const { writeReport } = await import('../write-report.js');
    const { trackLive, trackRun } = await import('../tracking.js');
    const json = args.flag('json');
    const view = await viewOf(context, json);
    const live = trackLive(context);
    const outcome = await execute(
      context,
      {
        ...(await planRequestOf(args, context)),
        parallel: parallelOf(args),
        price: priceOf(args),
        retries: retriesOf(args),
        notice: noticeOf(args),
        preemption: preemptionOf(args),
        verify: args.flag('verify'),
        planned: live.planned,
      },
      live.watching(view),
    );
    await live.end();
    // A pipeline that could not be read has nothing to show but what was said.
    const tracked = outcome.stages.length > 0 ? await trackRun(context, outcome) : [];
    const report =
      outcome.stages.length > 0 ? await writeReport(context.host, { ...outcome, tracked }) : undefined;
    if (!json) {
      const { summaryLines } = await import('../summary.js');
      if (outcome.stages.length > 0) {
        context.err('');
        for (const line of summaryLines(outcome.stages, context.colours.err, context.width))
          context.err(line);
        const { searchLines } = await import('../../insight/search/text.js');
        if (outcome.searched !== undefined)
          for (const line of ['', ...searchLines(outcome.searched, context.colours.err.dim, context.width)])
            context.err(line);
      }
      if (report !== undefined) context.err(`\nreport: ${report}`);
    }
    return EXIT_OF_RUN[outcome.status];
  },
};

/** A saved plan says all of it itself. */
async function planRequestOf(args: Arguments, context: CliContext): Promise<PlanRequest> {
  const file = args.positional('file');
  const { isSavedPlan } = await import('../../../pipeline/planner/saved/saved-file.js');
  if (!isSavedPlan(context.host, resolve(context.host.cwd, file)))
    return { ...runRequest(file, args), locked: args.flag('locked') };
  const given = OF_PLANS.find((name) => args.texts(name).length > 0);
  if (given !== undefined)
    throw new UsageError(`a saved plan runs unchanged; leave \`--${given}\` out, or plan again with it`);
  const { openSavedPlan } = await import('../../../pipeline/prepare/index.js');
  const { node, rendezvous, python } = runEngineOf(args);
  return { ...openSavedPlan(context.host, file), node, rendezvous, python };
}

/** Options whose values a saved plan has. */
const OF_PLANS = [
  ...['param', 'params', 'memory', 'engine', 'devices', 'nodes', 'sharding'],
  ...['runtime', 'threads', 'locked'],
];

/** Events for programs, bars for a terminal, lines for everything else. */
async function viewOf(context: CliContext, json: boolean): Promise<RunView> {
  if (json) return (await import('../progress/views.js')).jsonView(context);
  if (canOverwrite(context)) return (await import('../progress/bars.js')).barsView(context, context.err);
  return (await import('../progress/views.js')).linesView(context, context.err);
}
