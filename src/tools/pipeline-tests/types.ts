/** What a test of a pipeline is made of, once it has been read, and what it came to. */

import type { TypedExpression } from '../../language/check/expressions.js';
import type { ParamValues } from '../../language/check/overrides.js';
import type { CompileResult } from '../../language/compile.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { EngineName } from '../../language/ir/engines.js';
import type { Reading } from '../../language/ir/evaluate.js';
import type { RunStatus, StageSummary } from '../../language/ir/events.js';
import type { Span } from '../../language/source/span.js';
import type { SourceText } from '../../language/source/text.js';
import type { Plan } from '../../pipeline/planner/plan-json.js';
import type { Checklist } from '../insight/checklist/index.js';

/** What must be known before a name has a value; each comes after the one before it. */
export type Need = 'program' | 'plan' | 'run';

/** What a test can look at. */
export interface Facts {
  readonly compiled: CompileResult;
  readonly plan?: Plan;
  readonly run?: RunResult;
  readonly checklist?: Checklist;
  /** Of the check, and of the plan and the run where there is one. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface PlanResult {
  /** Absent where the pipeline has errors. */
  readonly plan?: Plan;
  /** Of the plan; absent where there is none. */
  readonly checklist?: Checklist;
  readonly diagnostics: readonly Diagnostic[];
}

export interface RunResult {
  readonly status: RunStatus;
  readonly seconds: number;
  readonly stages: readonly StageSummary[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What a dotted name in an expectation refers to: something of the pipeline, its plan or its run. */
export interface TestName {
  readonly path: readonly string[];
  /** What a text can be. */
  readonly words?: readonly string[];
  readonly need: Need;
  /** `undefined` and, except for settings, `null`: not known. */
  readonly read: (facts: Facts) => Reading;
}

/** A condition whose names and types have been checked. */
export type Condition = TypedExpression<TestName>;

export interface Expectation {
  readonly condition: Condition;
  /** The file that it is written in. */
  readonly source: SourceText;
}

/** What a test plans or runs with. */
export interface TestSettings {
  /** The pipeline, as the command line would name it. */
  readonly pipeline: string;
  readonly params: ParamValues;
  readonly machine?: string;
  readonly memoryBytes?: number;
  readonly devices?: number;
  readonly engine?: EngineName;
  readonly run: boolean;
}

export interface TestCase {
  readonly file: string;
  readonly name: string;
  readonly span: Span;
  readonly settings: TestSettings;
  readonly expected: readonly Expectation[];
  /** Of the pipeline with this test's parameters. */
  readonly compiled: CompileResult;
}

type TestStatus = 'passed' | 'failed' | 'skipped';

export interface TestOutcome {
  readonly file: string;
  readonly name: string;
  /** Where it starts. */
  readonly span: Span;
  readonly status: TestStatus;
  readonly seconds: number;
  readonly expectations: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** A file of tests: its own mistakes, and what its tests came to. */
export interface FileOutcome {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly tests: readonly TestOutcome[];
}
