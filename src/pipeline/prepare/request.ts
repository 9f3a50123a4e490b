import type { ParamValues } from '../../language/check/overrides.js';
import type { CompileResult } from '../../language/compile.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { EngineOptions } from '../../language/ir/engines.js';
import type { Program } from '../../language/ir/program.js';
import type { RuntimeChoice } from '../../language/ir/runtimes.js';
import type { LintReport } from '../../language/lint/index.js';
import type { PlanOptions } from '../planner/plan.js';
import type { Plan } from '../planner/plan-json.js';
import type { SavedPlan } from '../planner/saved/index.js';

/** What a pipeline is planned for; what is left out is as the pipeline says, or this machine. */
export interface PlanTarget
  extends Pick<PlanOptions, 'memoryBytes' | 'machine' | 'price' | 'threads' | 'parallel' | 'notice'>,
    EngineOptions {
  readonly runtime?: RuntimeChoice;
  /** Refuses whatever is not as the lock says. */
  readonly locked?: boolean;
  /** A saved plan, which is run as it is or not at all. */
  readonly saved?: SavedPlanFile;
}

export interface PlanRequest extends PlanTarget {
  readonly file: string;
  readonly params: ParamValues;
}

/** A saved plan, and the name of its file for messages. */
export interface SavedPlanFile {
  readonly name: string;
  readonly plan: SavedPlan;
}

/** What of its surroundings a plan may look at; left out, all that a run would. */
export interface PlanScope {
  /** When the Hub is asked for what a branch is: `uncached`, only where the cache does not know. */
  readonly hub?: 'always' | 'uncached' | 'never';
  /**
   * What times are estimated with: what is measured here, nothing (an editor measures nothing unasked), or the same as everywhere,
   * so that plans of several machines compare; then the runtime and its devices are not those of this machine either.
   */
  readonly speed?: 'measured' | 'unknown' | 'nominal';
  /** Whether a model that is not here is planned by its shape, where that is known: a plan that nobody runs needs no more. */
  readonly shapes?: boolean;
  /** The folder whose `.ftp` has the earlier runs, `undefined` for the working directory; `none`: no run counts. */
  readonly runs?: 'none' | { readonly cwd: string };
}

/** A pipeline as it was read and, where it has no errors, planned. */
export interface Preparation {
  readonly compiled: CompileResult;
  readonly lints: LintReport;
  /** With commits in place of branches; absent if anything is wrong. */
  readonly program?: Program;
  /** Of the text, the models it names, its lock and its devices; those of the lints and of the plan are theirs. */
  readonly diagnostics: readonly Diagnostic[];
  readonly plan?: Plan;
}
