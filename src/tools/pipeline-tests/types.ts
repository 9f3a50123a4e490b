/** What a test of a pipeline is made of, once it has been read, and what it came to. */
import type { ParamValues } from '../../language/check/overrides.js';
import type { CompileResult } from '../../language/compile.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { RunStatus, StageSummary } from '../../language/ir/events.js';
import type { Quantity, Unit } from '../../language/ir/types.js';
import type { Span } from '../../language/source/span.js';
import type { Plan } from '../../pipeline/planner/types.js';

/** `any`: known only when the value is there. */
export type Kind = Unit | 'number' | 'boolean' | 'text' | 'any';

/** `null` is the language's `none`; numbers are in base units. */
export type Scalar = number | boolean | string | null;

/** `undefined` and, but for settings, `null`: not known. */
export type Reading = Scalar | Quantity | undefined;

/** What must be known before a name has a value; each comes after the one before it. */
export type Need = 'program' | 'plan' | 'run';

/** What a test can look at. */
export interface Facts {
  readonly compiled: CompileResult;
  readonly plan?: Plan;
  readonly run?: Ran;
  /** Of the check, and of the plan and the run where there is one. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Planned {
  /** Absent where the pipeline has errors. */
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Ran {
  readonly status: RunStatus;
  readonly seconds: number;
  readonly stages: readonly StageSummary[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A condition whose names and types have been checked. */
export type Node = {
  readonly span: Span;
  /** As written, on one line. */
  readonly text: string;
  readonly kind: Kind;
} & (
  | { readonly op: 'value'; readonly value: Scalar }
  /** A name of the pipeline, its plan or its run; `undefined` where it is not known. */
  | {
      readonly op: 'field';
      readonly words?: readonly string[];
      readonly need: Need;
      readonly read: (facts: Facts) => Reading;
    }
  | { readonly op: 'not' | 'negate'; readonly operand: Node }
  | { readonly op: Operator; readonly left: Node; readonly right: Node }
  | { readonly op: 'choose'; readonly condition: Node; readonly whenTrue: Node; readonly whenFalse: Node }
);

export type Operator = '+' | '-' | '*' | '/' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or';

export interface Expected {
  readonly condition: Node;
  readonly span: Span;
}

/** What a test plans or runs with. */
export interface TestSettings {
  /** The pipeline, as the command line would name it. */
  readonly pipeline: string;
  readonly params: ParamValues;
  readonly machine?: string;
  readonly memoryBytes?: number;
  readonly devices?: number;
  readonly engine?: string;
  readonly run: boolean;
}

export interface TestCase {
  readonly file: string;
  readonly name: string;
  readonly span: Span;
  readonly settings: TestSettings;
  readonly expected: readonly Expected[];
  /** Of the pipeline with this test's parameters. */
  readonly compiled: CompileResult;
}

export type TestStatus = 'passed' | 'failed' | 'skipped';

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
