/** What `ftpc test` prints while it runs and at the end. */
import pc from 'picocolors';
import { counted } from '../../../language/diagnostics/make.js';
import { harmless } from '../../../language/diagnostics/render/index.js';
import { type Diagnostic, isError } from '../../../language/diagnostics/types.js';
import { positionAt, type SourceText } from '../../../language/source/text.js';
import { duration } from '../../../pipeline/planner/quantities.js';
import { type FileOutcome, junit, type TestFile, type TestOutcome } from '../../pipeline-tests/index.js';
import type { CliContext, Colours } from '../cli-context.js';
import { type DiagnosticsPrinter, diagnosticsPrinter } from '../diagnostics-printer.js';
import { writeFile } from '../write-file.js';

interface Reporter {
  file(file: TestFile): void;
  readonly test: (outcome: TestOutcome) => void;
  /** `problems` are of no file. */
  end(files: readonly FileOutcome[], problems: readonly Diagnostic[]): void;
}

export async function reporterOf(
  context: CliContext,
  files: readonly TestFile[],
  { json, junit: report }: { readonly json: boolean; readonly junit?: string },
): Promise<Reporter> {
  const sources = new Map(files.flatMap((file) => [...file.sources]));
  const printer = await diagnosticsPrinter(context, sources);
  const inTree = await diagnosticsPrinter(printingTo(context, context.colours.out), sources);
  const plain = await diagnosticsPrinter(printingTo(context, pc.createColors(false)), sources);
  const [began, started] = [context.host.now(), context.host.clock()];
  const say = (line: string): void => {
    if (!json) context.out(line);
  };
  return {
    file: ({ file, diagnostics }) => {
      say(harmless(file));
      for (const text of inTree.pretty(diagnostics)) say(indented(text));
    },
    test: (outcome) => {
      say(testLine(outcome, context.colours.out));
      for (const text of inTree.pretty(outcome.diagnostics)) say(indented(text));
    },
    end: (outcomes, problems) => {
      if (report !== undefined) {
        const text = (found: Diagnostic): string => plain.pretty([found]).join('\n');
        writeFile(
          context.host,
          report,
          junit(outcomes, { hostname: context.host.machine().name, began, text }),
        );
      }
      if (json) context.out(JSON.stringify(testJson(outcomes, problems, printer, sources), null, 2));
      for (const text of json ? [] : printer.pretty(problems)) context.err(text);
      if (outcomes.length > 0)
        say(`\n${sumLine(outcomes, (context.host.clock() - started) / 1000, context.colours.out)}`);
    },
  };
}

/** The tree is data: its diagnostics are where it is, not among the words for people. */
const printingTo = (context: CliContext, colours: Colours): CliContext => ({
  ...context,
  colours: { out: colours, err: colours },
  terminal: { out: context.terminal.out, err: context.terminal.out },
});

/** `ftpc test --json`. Contract: docs/schema/test.json. */
function testJson(
  files: readonly FileOutcome[],
  problems: readonly Diagnostic[],
  { fields }: DiagnosticsPrinter,
  sources: ReadonlyMap<string, SourceText>,
) {
  const failed = (diagnostics: readonly Diagnostic[]): boolean => diagnostics.some(isError);
  const line = ({ file, span }: TestOutcome): number => {
    const source = sources.get(file);
    return source === undefined ? 0 : positionAt(source, span.start).line;
  };
  return {
    version: 1,
    passed:
      !failed(problems) &&
      files.every(
        (file) => !failed(file.diagnostics) && file.tests.every(({ status }) => status !== 'failed'),
      ),
    files: files.map(({ file, diagnostics, tests }) => ({
      file,
      diagnostics: diagnostics.map(fields),
      tests: tests.map((test) => ({
        name: test.name,
        line: line(test),
        status: test.status,
        seconds: test.seconds,
        expectations: test.expectations,
        diagnostics: test.diagnostics.map(fields),
      })),
    })),
    diagnostics: problems.map(fields),
  };
}

const MARKS: Readonly<Record<TestOutcome['status'], string>> = { passed: '✓', failed: '✗', skipped: '-' };

/** A test's line. */
function testLine({ status, name, seconds, expectations }: TestOutcome, colours: Colours): string {
  const { green, red, yellow, dim } = colours;
  const colour = { passed: green, failed: red, skipped: yellow }[status];
  const mark = colour(MARKS[status]);
  const shown = harmless(name);
  if (status === 'skipped') return `  ${mark} ${shown} ${dim('(runs the pipeline: --run)')}`;
  const count = counted(expectations, 'expectation');
  return `  ${mark} ${shown} ${dim(`(${count}, ${took(seconds)})`)}`;
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '      ');

/** `3 passed, 1 failed in 13 s` */
function sumLine(files: readonly FileOutcome[], seconds: number, { green, red, yellow }: Colours): string {
  const tests = files.flatMap((file) => file.tests);
  const count = (status: TestOutcome['status']): number =>
    tests.filter((test) => test.status === status).length;
  const broken = files.filter(({ diagnostics }) => diagnostics.some(isError)).length;
  const parts = [
    [count('passed'), 'passed', green],
    [count('failed'), 'failed', red],
    [count('skipped'), 'skipped', yellow],
    [broken, broken === 1 ? 'file with errors' : 'files with errors', red],
  ] as const;
  const said = parts
    .filter(([number]) => number > 0)
    .map(([number, what, colour]) => colour(`${number} ${what}`));
  return `${said.length === 0 ? 'no tests' : said.join(', ')} in ${took(seconds)}`;
}

const took = (seconds: number): string =>
  seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds);
