import { resolve } from 'node:path';
import type { PlanRequest } from '../../../pipeline/prepare/index.js';
import type { Arguments, Command } from '../command.js';
import { EXIT_OF_RUN } from '../exit-codes.js';
import { LOCKED_OPTION } from '../locked-option.js';
import { memoryOf, RUN_MACHINE_OPTIONS, runtimeOf, threadsOf } from '../machine-options.js';
import { PARAM_OPTION, paramsOf } from '../params.js';
import { UsageError } from '../usage-error.js';
import { lineWidth, type World } from '../world.js';

export const run: Command = {
  name: 'run',
  doc: 'Runs a pipeline: completed stages are not run again, and interrupted ones resume from their checkpoint.',
  positionals: [{ name: 'file', doc: 'The pipeline, or a plan that `ftpc plan --out` saved.' }],
  options: {
    ...PARAM_OPTION,
    ...RUN_MACHINE_OPTIONS,
    ...LOCKED_OPTION,
    verify: { type: 'boolean', doc: 'Check the digests of every stored output, however large.' },
    json: { type: 'boolean', doc: 'Print every event as a JSON object on one line.' },
  },
  examples: [
    ['ftpc run pipelines/legal.ftp', 'with progress bars on a terminal, lines in a log'],
    ['ftpc run pipelines/legal.ftp -p smoke=true', 'with a parameter'],
    ['ftpc run pipelines/legal.ftp --json | jq .loss', 'for programs'],
    ['ftpc run pipelines/legal.ftp --locked', 'only with exactly what the lock file records'],
    ['ftpc run legal.plan', 'a saved plan, as it was reviewed'],
  ],
  run: async (args, world) => {
    const { execute } = await import('../execute.js');
    const { runView } = await import('../progress/index.js');
    const { writeReport } = await import('../write-report.js');
    const json = args.flag('json');
    const view = await runView(world, json);
    const outcome = await execute(
      world,
      { ...(await planRequestOf(args, world)), verify: args.flag('verify') },
      view,
    );
    // A pipeline that could not be read has nothing to show but what was said.
    const report = outcome.stages.length > 0 ? writeReport(world.host, outcome) : undefined;
    if (!json) {
      const { summaryLines } = await import('../summary.js');
      if (outcome.stages.length > 0) {
        world.err('');
        for (const line of summaryLines(outcome.stages, world.colours.err, lineWidth(world, 'err')))
          world.err(line);
      }
      if (report !== undefined) world.err(`\nreport: ${report}`);
    }
    return EXIT_OF_RUN[outcome.status];
  },
};

/** A saved plan says all of it itself. */
async function planRequestOf(args: Arguments, world: World): Promise<PlanRequest> {
  const file = args.positional('file');
  const { isSavedPlan } = await import('../../../pipeline/planner/saved/read.js');
  if (!isSavedPlan(world.host, resolve(world.host.cwd, file)))
    return {
      file,
      params: paramsOf(args),
      memoryBytes: memoryOf(args),
      runtime: runtimeOf(args),
      threads: threadsOf(args),
      locked: args.flag('locked'),
    };
  const given = ['param', 'params', 'memory', 'runtime', 'threads', 'locked'].find(
    (name) => args.texts(name).length > 0,
  );
  if (given !== undefined)
    throw new UsageError(
      `a saved plan runs unchanged; leave \`--${given}\` out, or plan again with it`,
      'run',
    );
  const { openSavedPlan } = await import('../../../pipeline/prepare/index.js');
  return openSavedPlan(world.host, file);
}
