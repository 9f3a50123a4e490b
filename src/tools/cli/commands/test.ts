import { isError } from '../../../language/diagnostics/types.js';
import type { FileOutcome } from '../../pipeline-tests/index.js';
import { type Command, EXIT, option } from '../command.js';
import { STORE_OPTION } from '../options/common-options.js';

export const test: Command = {
  name: 'test',
  doc: 'Tests pipelines against the expectations in NAME.test.ftp: their plans and, with --run, their runs.',
  positionals: [
    {
      name: 'file',
      doc: 'Test files, or folders (every .test.ftp in them); default: this folder.',
      optional: true,
      many: true,
    },
  ],
  options: {
    run: option.flag('Include the tests that run their pipeline; without it, they are skipped.'),
    filter: option.text('TEXT', 'Only tests whose `FILE: NAME` contains this text.'),
    ...STORE_OPTION,
    json: option.flag('Print `{ version, passed, files }` as JSON.'),
    junit: option.text('FILE', 'Also write a JUnit report.'),
  },
  examples: [
    ['ftpc test', 'every test in this folder and below'],
    ['ftpc test pipelines/legal.test.ftp --run', 'those of one pipeline, including its smoke run'],
    ['ftpc test --filter card --junit report.xml', 'a selection, with a report for CI'],
  ],
  run: async (args, context) => {
    const { noTestMatches, noTests } = await import('../../../language/diagnostics/catalogue/tests.js');
    const { matches, readTests, runTests } = await import('../../pipeline-tests/index.js');
    const { reporterOf } = await import('../testing/reporter.js');
    const { testRunner } = await import('../testing/test-runner.js');
    const { namedFiles } = await import('../named-files.js');
    const { host } = context;
    const named = args.positionals('file');
    const filter = args.text('filter');
    const found = namedFiles(host, named.length === 0 ? ['.'] : named, {
      ending: '.test.ftp',
      nothing: noTests,
    });
    const files = found.files.map(({ name }) => readTests(host, name));
    const chosen = files.filter(
      ({ cases, diagnostics }) => diagnostics.some(isError) || cases.some((test) => matches(test, filter)),
    );
    const problems = [...found.diagnostics];
    if (filter !== undefined && files.length > 0 && chosen.length === 0) problems.push(noTestMatches(filter));
    if (filter === undefined)
      for (const file of files)
        if (file.cases.length === 0 && !file.diagnostics.some(isError)) problems.push(noTests(file.file));
    const reporter = await reporterOf(context, chosen, {
      json: args.flag('json'),
      junit: args.text('junit'),
    });
    const runner = testRunner(context);
    const outcomes: FileOutcome[] = [];
    for (const file of chosen) {
      reporter.file(file);
      outcomes.push(await runTests(file, runner, { runs: args.flag('run'), filter, ended: reporter.test }));
    }
    reporter.end(outcomes, problems);
    if (runner.stopped()) return EXIT.interrupted;
    return problems.length === 0 && outcomes.every(passed) ? EXIT.done : EXIT.error;
  },
};

const passed = ({ diagnostics, tests }: FileOutcome): boolean =>
  !diagnostics.some(isError) && tests.every(({ status }) => status !== 'failed');
