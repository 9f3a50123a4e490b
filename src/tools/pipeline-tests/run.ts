/** Tests → what they came to. */

import { formatQuantity } from '../../language/check/units.js';
import type { CompileResult } from '../../language/compile.js';
import { expectationFailed, notKnown } from '../../language/diagnostics/catalogue/tests.js';
import { badOperands } from '../../language/diagnostics/catalogue/values.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import { evaluate, type Measure } from '../../language/ir/evaluate.js';
import { namesIn } from '../../language/ir/expression.js';
import { spanText } from '../../language/source/text.js';
import { openItems } from '../insight/checklist/index.js';
import type { TestFile } from './read.js';
import type {
  Condition,
  Expectation,
  Facts,
  FileOutcome,
  Need,
  PlanResult,
  RunResult,
  TestCase,
  TestOutcome,
  TestSettings,
} from './types.js';

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
      checklist: planned?.checklist,
      diagnostics: distinct([...diagnostics, ...run.diagnostics]),
    };
  }
  if (!needed.has('plan')) return { compiled, diagnostics };
  const planned = await runner.plan(compiled, settings);
  const { plan, checklist } = planned;
  return { compiled, plan, checklist, diagnostics: distinct([...diagnostics, ...planned.diagnostics]) };
}

/** The check, the plan and the run may each have found the same. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ code, message }) => {
    const key = `${code} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What is wrong; `undefined` if it holds. */
function failureOf({ condition, source }: Expectation, facts: Facts): Diagnostic | undefined {
  const textOf = ({ span }: Condition): string => spanText(source, span).replace(/\s+/g, ' ');
  /** What was looked at, in order, by its text. */
  const seen = new Map<string, string>();
  const found = evaluate(
    condition,
    (name) => name.read(facts) ?? null,
    (part, measure) => {
      const [text, value] = [textOf(part), shown(measure)];
      // Of values only a parameter's is not seen.
      if (part.op !== 'value' || (/^[A-Za-z_]/.test(text) && text !== value)) seen.set(text, value);
    },
  );
  if ('value' in found && found.value === true) return undefined;
  if ('value' in found && found.value === false) {
    const values = [...seen].filter(([text]) => text !== textOf(condition));
    return expectationFailed(condition.span, textOf(condition), [
      ...aligned(values),
      ...openOf(condition, facts),
    ]);
  }
  const part = 'unknown' in found ? found.unknown : condition;
  if ('apart' in found && found.apart !== undefined && 'left' in part) {
    const [left, right] = found.apart;
    return badOperands(part.span, part.op, `\`${shown(left)}\``, `\`${shown(right)}\``);
  }
  return notKnown(part.span, textOf(part), whyNot(part, facts), aligned([...seen]));
}

/** What is open of the checklist, where the expectation asks. */
const openOf = (condition: Condition, { checklist }: Facts): readonly string[] =>
  checklist !== undefined && namesIn(condition).some(({ path }) => path[1] === 'open_checklist_items')
    ? openItems(checklist)
    : [];

const BECAUSE: Readonly<Record<Need, (facts: Facts) => string>> = {
  program: ({ compiled }) => (compiled.program === undefined ? ERRORS : 'the pipeline does not set it'),
  plan: ({ plan, compiled }) =>
    compiled.program === undefined
      ? ERRORS
      : plan === undefined
        ? 'there is no plan'
        : 'the plan does not predict it',
  run: ({ run }) => (run === undefined ? 'nothing was run' : 'the run did not reach it'),
};
const ERRORS = 'the pipeline has errors';

const whyNot = (part: Condition, facts: Facts): string =>
  part.op === 'name' ? BECAUSE[part.need](facts) : 'a part of it is not known';

function shown({ value, unit }: Measure): string {
  if (value === null) return 'none';
  return typeof value === 'number' ? formatQuantity(value, unit) : `${value}`;
}

function aligned(values: readonly (readonly [text: string, value: string])[]): readonly string[] {
  const width = Math.max(0, ...values.map(([text]) => text.length));
  return values.map(([text, value]) => `${text.padEnd(width)} = ${value}`);
}
