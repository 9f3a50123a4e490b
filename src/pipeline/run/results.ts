/** What came of the stages of a run so far: outputs for those that follow, summaries, and what was taken at once. */

import type { StageStatus, StageSummary } from '../../language/ir/events.js';
import type { StageResult } from '../../language/ir/outputs.js';
import type { Stage } from '../../language/ir/program.js';
import type { RequirementResult } from '../../language/ir/requirement-result.js';
import { COMPARISONS, type ComparisonName } from '../../language/schemas/comparisons.js';
import { peakAtOnce, type Usage } from '../planner/side-by-side.js';
import { requirementResults } from '../stages/requirement-results.js';
import type { Artefact } from '../stages/stage.js';
import { fromCwd, outputPath, type StoreEntry } from '../store/index.js';
import { failedRequirements, type RequirementResults } from './requirements.js';
import type { RunContext, StageOutcome, StagePlan } from './run-context.js';
import { asTrial } from './run-diagnostics.js';

export interface StagesOutcome {
  /** In the order of the plan. */
  readonly summaries: readonly StageSummary[];
  /** What the requirements came to, by stage. */
  readonly findings: RequirementResults;
  /** The most that stages of this run took at once; what is cached took nothing. */
  readonly peakMemoryBytes: number;
  readonly gateClosed: boolean;
  readonly failed: boolean;
  readonly interrupted: boolean;
}

/** Times in milliseconds of the run's clock. */
interface StageCost {
  readonly entry?: StoreEntry;
  readonly begun: number;
  readonly ended: number;
  readonly peakMemoryBytes: number;
  readonly interrupted: boolean;
}

const NO_COST: StageCost = { begun: 0, ended: 0, peakMemoryBytes: 0, interrupted: false };

export type Results = ReturnType<typeof openResults>;

export function openResults(context: RunContext) {
  const { watcher } = context;
  const artefacts: Record<string, Artefact> = {};
  const measured: Record<string, StageResult> = {};
  const findings: Record<string, readonly RequirementResult[]> = {};
  const summaries = new Map<string, StageSummary>();
  const usages: Usage[] = [];
  const came = { gateClosed: false, failed: false, interrupted: false };
  const trialStages = new Set(context.search?.trials.flatMap(({ stages }) => Object.values(stages)) ?? []);
  /** A trial that does not end well is no failure of the run. */
  const fail = (stage: Stage, how: 'failed' | 'gateClosed'): void => {
    if (!trialStages.has(stage.name)) came[how] = true;
  };
  return {
    artefacts: artefacts as Readonly<Record<string, Artefact>>,
    /** A stage that ended without an output for others. */
    isLost: (name: string): boolean => summaries.has(name) && !(name in artefacts),
    /** A search has ended it early, or what it reads. */
    isEnded: (name: string): boolean => summaries.get(name)?.status === 'ended',
    interrupt: (): void => {
      came.interrupted = true;
    },
    wasInterrupted: (): boolean => came.interrupted,
    /** Nothing won: what waits for it is not made. */
    noWinner: (): void => {
      came.failed = true;
    },
    /** What a stage measured, and whether what is required of it holds. */
    measured(name: string, metric: string): { readonly value: number; readonly holds: boolean } | undefined {
      const value = measured[name]?.metrics[metric];
      return value === undefined ? undefined : { value, holds: name in artefacts };
    },
    /** Whether others may read the output: there is one, and what is required of it holds. */
    take({ stage, key }: StagePlan, { entry, interrupted }: StageOutcome): boolean {
      if (entry === undefined) {
        if (interrupted) came.interrupted = true;
        else fail(stage, 'failed');
        return false;
      }
      const { result } = entry.record;
      measured[stage.name] = result;
      findings[stage.name] = requirementResults(stage, measured);
      const broken = failedRequirements(stage, measured);
      for (const found of broken)
        watcher.diagnostic(trialStages.has(stage.name) ? asTrial(found, context.search?.name ?? '') : found);
      if (broken.length === 0) artefacts[stage.name] = { stage, path: entry.path, key, result };
      else fail(stage, stage.kind === 'eval' ? 'gateClosed' : 'failed');
      return broken.length === 0;
    },
    add(stage: Stage, status: StageStatus, cost: StageCost = NO_COST): void {
      const { begun: from, ended: to, peakMemoryBytes: bytes } = cost;
      if (status === 'done' || status === 'failed') usages.push({ from, to, bytes });
      const summary = summaryOf(stage, status, context, cost);
      summaries.set(stage.name, summary);
      const { name, ...rest } = summary;
      watcher.event({ type: 'stage.finished', stage: name, ...rest });
    },
    outcome: (names: readonly string[]): StagesOutcome => ({
      summaries: names.flatMap((name) => summaries.get(name) ?? []),
      findings,
      peakMemoryBytes: peakAtOnce(usages),
      ...came,
    }),
  };
}

function summaryOf(
  stage: Stage,
  status: StageStatus,
  context: RunContext,
  { entry, begun, ended, peakMemoryBytes, interrupted }: StageCost,
): StageSummary {
  const { cwd } = context.store.layout;
  const result = entry?.record.result;
  const outputs = Object.entries(result?.outputs ?? {}).map(([name, path]) => [
    name,
    fromCwd(cwd, outputPath(entry?.path ?? '', path)),
  ]);
  return {
    name: stage.name,
    kind: stage.kind,
    status,
    ...(interrupted ? { interrupted } : {}),
    seconds: (ended - begun) / 1000,
    peakMemoryBytes,
    outputs: Object.fromEntries(outputs),
    ...(result?.dropped === undefined ? {} : { dropped: result.dropped }),
    metrics: {
      ...result?.metrics,
      ...Object.fromEntries(
        (Object.keys(COMPARISONS) as ComparisonName[]).flatMap((comparison) =>
          Object.entries(result?.[comparison] ?? {}).map(([name, value]) => [`${comparison}.${name}`, value]),
        ),
      ),
    },
  };
}
