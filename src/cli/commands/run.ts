import type { Command } from '../command.js';
import { EXIT_OF_RUN } from '../exit-codes.js';
import { LOCKED_OPTION } from '../locked-option.js';
import { memoryOf, RUN_MACHINE_OPTIONS, threadsOf } from '../machine-options.js';
import { PARAM_OPTION, paramsOf } from '../params.js';

export const run: Command = {
  name: 'run',
  doc: 'Runs a pipeline: what is complete is not done again, and what was interrupted goes on from its checkpoint.',
  positionals: [{ name: 'file', doc: 'The pipeline.' }],
  options: {
    ...PARAM_OPTION,
    ...RUN_MACHINE_OPTIONS,
    ...LOCKED_OPTION,
    verify: { type: 'boolean', doc: 'Check the digests of every stored output, however large.' },
    json: { type: 'boolean', doc: 'Print every event as a JSON object on one line.' },
  },
  examples: [
    ['ftpc run pipelines/legal.ftp', 'with bars on a terminal, lines in a log'],
    ['ftpc run pipelines/legal.ftp -p smoke=true', 'with a parameter'],
    ['ftpc run pipelines/legal.ftp --json | jq .loss', 'for programs'],
  ],
  run: async (args, world) => {
    const { execute } = await import('../execute.js');
    const { runView } = await import('../progress/index.js');
    const { writeReport } = await import('../write-report.js');
    const json = args.flag('json');
    const view = await runView(world, json);
    const outcome = await execute(
      world,
      {
        file: args.positional('file'),
        params: paramsOf(args),
        memoryBytes: memoryOf(args),
        threads: threadsOf(args),
        locked: args.flag('locked'),
        verify: args.flag('verify'),
      },
      view,
    );
    const report = writeReport(world.host, outcome);
    if (!json) {
      const { summaryLines } = await import('../summary.js');
      if (outcome.stages.length > 0) {
        world.err('');
        for (const line of summaryLines(outcome.stages, world.colours.err)) world.err(line);
      }
      if (report !== undefined) world.err(`\nreport: ${report}`);
    }
    return EXIT_OF_RUN[outcome.status];
  },
};
