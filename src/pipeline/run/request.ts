/** What a run is asked for, and how it says what that was. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { RunEvent, RunStatus, StageSummary } from '../../language/ir/events.js';
import type { RuntimeName } from '../../language/ir/runtimes.js';
import { computedBy, ranksOf } from '../planner/budget.js';
import { runtimeName } from '../planner/keys.js';
import type { Preparation } from '../prepare/index.js';
import type { Store } from '../store/index.js';
import type { RequirementResults } from './requirements.js';

export interface RunRequest {
  /** The pipeline's file as asked for. */
  readonly pipeline: string;
  readonly host: Host;
  readonly engine: RunEngine;
  /** Of the embedded engine, and of what is computed next to the other. */
  readonly runtime: RuntimeName;
  readonly ftpc: string;
  /** `-p name=value` as typed. */
  readonly params?: Readonly<Record<string, string>>;
  readonly commit?: Extract<RunEvent, { type: 'run.started' }>['commit'];
  readonly threads: number;
  readonly verify: boolean;
  /** How often a stage is tried again whose fault may pass; default: not at all. */
  readonly retries?: number;
  /** Only these stages and what they need. */
  readonly only?: readonly string[];
  /** Called with the lock held and the store swept, and `again` once the winner of a search is known. */
  prepare(store: Store, again?: 'again'): Promise<Pick<Preparation, 'program' | 'plan' | 'diagnostics'>>;
  /** The fields of a `diagnostic` event. */
  describe(diagnostic: Diagnostic): Readonly<Record<string, unknown>>;
}

export interface RunOutcome {
  readonly runId: string;
  readonly status: RunStatus;
  readonly stages: readonly StageSummary[];
  /** What the requirements of this run came to: a stage that is cached may have been made under others. */
  readonly findings: RequirementResults;
}

export const startEvent = (
  { host, pipeline, engine, runtime, ftpc, params, commit }: RunRequest,
  runId: string,
): RunEvent => ({
  type: 'run.started',
  version: 1,
  runId,
  pipeline,
  engine: engine.name,
  runtime: runtimeName(computedBy(host, engine, runtime)),
  ...(engine.name === 'accelerate' ? { ranks: ranksOf(engine) } : {}),
  ftpc,
  ...(params === undefined ? {} : { params }),
  ...(commit === undefined ? {} : { commit }),
});
