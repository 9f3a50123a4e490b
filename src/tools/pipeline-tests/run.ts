/** Tests → what they came to. */
import type { CompileResult } from '../../language/compile.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import { namesIn } from '../../language/ir/expression.js';
import type { TestFile } from './read.js';
import type {
  Facts,
  FileOutcome,
  PlanResult,
  RunResult,
  TestCase,
  TestOutcome,
  TestSettings,
} from './types.js';
import { failureOf } from './verify.js';

/** What plans and runs for tests; the command line gives it. */
export interface TestRunner {
  /** Plans in the tests' own folder, where only tests have run. */
  plan(compiled: CompileResult, settings: TestSettings): Promise<PlanResult>;
  /** Runs there, once for all tests with the same settings. */
  run(settings: TestSettings): Promise<RunResult>;
  /** Milliseconds that only ever grow. */
  clock(): number;
  /** Someone ended a run: no further test begins. */
  stopped(): boolean;
}

interface TestOptions {
  /** Tests that run are skipped without it. */
  readonly runs: boolean;
  /** `undefined`: all. */
  readonly filter?: string;
  /** Hears of every test as it ends. */
  readonly ended?: (outcome: TestOutcome) => void;
}

export const matches = ({ file, name }: TestCase, filter: string | undefined): boolean =>
  filter === undefined || `${file}: ${name}`.toLowerCase().includes(filter.toLowerCase());

export async function runTests(
  file: TestFile,
  runner: TestRunner,
  options: TestOptions,
): Promise<FileOutcome> {
  const tests: TestOutcome[] = [];
  for (const test of file.cases.filter((one) => matches(one, options.filter))) {
    if (runner.stopped()) break;
    const begun = runner.clock();
    const { status, diagnostics } = await outcomeOf(test, runner, options);
    const { name, span, expected } = test;
    const seconds = (runner.clock() - begun) / 1000;
    const outcome = {
      file: file.file,
      name,
      span,
      status,
      seconds,
      expectations: expected.length,
      diagnostics,
    };
    tests.push(outcome);
    options.ended?.(outcome);
  }
  return { file: file.file, diagnostics: file.diagnostics, tests };
}

async function outcomeOf(
  test: TestCase,
  runner: TestRunner,
  { runs }: TestOptions,
): Promise<Pick<TestOutcome, 'status' | 'diagnostics'>> {
  if (test.settings.run && !runs) return { status: 'skipped', diagnostics: [] };
  const facts = await factsOf(test, runner);
  const failures = test.expected.flatMap((expected) => failureOf(expected, facts) ?? []);
  if (failures.length === 0) return { status: 'passed', diagnostics: [] };
  // Why the pipeline or its run failed explains an expectation that did.
  const causes = facts.diagnostics.filter(isError);
  return { status: 'failed', diagnostics: [...failures, ...causes] };
}

async function factsOf({ compiled, settings, expected }: TestCase, runner: TestRunner): Promise<Facts> {
  const { diagnostics } = compiled;
  const needed = new Set(expected.flatMap(({ condition }) => namesIn(condition).map(({ need }) => need)));
  if (settings.run) {
    const run = await runner.run(settings);
    const planned = needed.has('plan') ? await runner.plan(compiled, settings) : undefined;
    return {
      compiled,
      run,
      plan: planned?.plan,
      diagnostics: distinct([...diagnostics, ...run.diagnostics]),
    };
  }
  if (!needed.has('plan')) return { compiled, diagnostics };
  const planned = await runner.plan(compiled, settings);
  return { compiled, plan: planned.plan, diagnostics: distinct([...diagnostics, ...planned.diagnostics]) };
}

/** The check, the plan and the run may each have found the same. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ code, message }) => {
    const key = `${code} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}
