/** Runs the stages of a program one after another, each in its own process, each output kept once. */

import { UserError } from '../../language/diagnostics/types.js';
import type { RunEvent, StageAction, StageStatus, StageSummary } from '../../language/ir/events.js';
import type { StageResult } from '../../language/ir/outputs.js';
import type { Stage } from '../../language/ir/program.js';
import type { RequirementResult } from '../../language/ir/requirement-result.js';
import { requirementResults } from '../stages/requirement-results.js';
import type { Artefact } from '../stages/stage.js';
import { type Claim, type ClaimHolder, fromCwd, outputPath, type StoreEntry } from '../store/index.js';
import { produce } from './produce.js';
import { failedRequirements, type RequirementResults } from './requirements.js';
import type { RunContext, StageOutcome, StagePlan, Watcher } from './run-context.js';

export interface StagesOutcome {
  readonly summaries: readonly StageSummary[];
  /** What the requirements came to, by stage. */
  readonly findings: RequirementResults;
  readonly gateClosed: boolean;
  readonly failed: boolean;
  readonly interrupted: boolean;
}

export async function runStages(plans: readonly StagePlan[], context: RunContext): Promise<StagesOutcome> {
  const { watcher, interrupts } = context;
  const artefacts: Record<string, Artefact> = {};
  const results: Record<string, StageResult> = {};
  const summaries: StageSummary[] = [];
  const findings: Record<string, readonly RequirementResult[]> = {};
  let gateClosed = false;
  let failed = false;
  let interrupted = false;
  for (const plan of plans) {
    const { stage } = plan;
    const ready = stage.inputs.every((name) => name in artefacts);
    if (interrupts.stop.aborted) interrupted = true;
    if (!ready || interrupted) {
      summaries.push(finish(watcher, summaryOf(stage, 'blocked', context)));
      continue;
    }
    const begun = context.clock();
    const done = await settle(plan, artefacts, context);
    const seconds = done.cached ? 0 : (context.clock() - begun) / 1000;
    const { entry } = done;
    if (entry !== undefined) {
      results[stage.name] = entry.record.result;
      findings[stage.name] = requirementResults(stage, results);
    }
    const broken = entry === undefined ? [] : failedRequirements(stage, results);
    broken.forEach(watcher.diagnostic);
    const holds = entry !== undefined && broken.length === 0;
    if (holds)
      artefacts[stage.name] = { stage, path: entry.path, key: plan.key, result: entry.record.result };
    else if (done.interrupted) interrupted = true;
    else if (entry !== undefined && stage.kind === 'eval') gateClosed = true;
    else failed = true;
    const status = !holds ? 'failed' : done.cached ? 'cached' : 'done';
    const summary = summaryOf(stage, status, context, { ...done, seconds });
    summaries.push(finish(watcher, done.interrupted ? { ...summary, interrupted: true } : summary));
  }
  return { summaries, findings, gateClosed, failed, interrupted };
}

/** Finds a stage's output in the store, waits for who makes it, or runs the stage. */
async function settle(
  plan: StagePlan,
  artefacts: Readonly<Record<string, Artefact>>,
  context: RunContext,
): Promise<StageOutcome> {
  const { store, watcher, interrupts } = context;
  const find = (): StoreEntry | undefined =>
    store.find(plan.key, {
      verify: context.verify,
      remove: watcher.diagnostic,
      report: watcher.diagnostic,
    });
  let claim: Claim | undefined;
  try {
    const found = find();
    if (found !== undefined) return cached(plan, found, context);
    const about = { runId: context.runId, stage: plan.stage.name };
    const waiting = (holder: ClaimHolder): void => watcher.event(waitingEvent(plan, holder));
    claim = await store.claim(plan.key, about, { signal: interrupts.stop, waiting });
    if (claim === undefined) return { cached: false, interrupted: true, peakMemoryBytes: 0 };
    // whoever had the claim has made it
    const made = find();
    if (made !== undefined) return cached(plan, made, context);
    tellStart(plan, store.resumable(plan.key) ? 'resume' : 'run', watcher);
    return await produce(plan, artefacts, context, claim);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    watcher.diagnostic(error.diagnostic);
    return { cached: false, interrupted: false, peakMemoryBytes: 0 };
  } finally {
    claim?.release();
  }
}

function cached(plan: StagePlan, entry: StoreEntry, { watcher }: RunContext): StageOutcome {
  tellStart(plan, 'cached', watcher);
  return { entry, cached: true, interrupted: false, peakMemoryBytes: entry.record.peakMemoryBytes };
}

function tellStart({ stage, key, parts, reasons }: StagePlan, action: StageAction, watcher: Watcher): void {
  watcher.event({ type: 'stage.started', stage: stage.name, kind: stage.kind, action, reasons, key, parts });
}

/** What others are told about who makes an output. */
function waitingEvent({ stage, key }: StagePlan, holder: ClaimHolder): RunEvent {
  const { user, host = '', pid, cwd, runId, since } = holder;
  return {
    type: 'stage.waiting',
    stage: stage.name,
    key,
    holder: { user, host, pid, cwd, runId, stage: holder.stage, since },
  };
}

interface StageCost {
  readonly entry?: StoreEntry;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
}

const NO_COST: StageCost = { seconds: 0, peakMemoryBytes: 0 };

function summaryOf(
  stage: Stage,
  status: StageStatus,
  context: RunContext,
  { entry, seconds, peakMemoryBytes }: StageCost = NO_COST,
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
    seconds,
    peakMemoryBytes,
    outputs: Object.fromEntries(outputs),
    ...(result?.dropped === undefined ? {} : { dropped: result.dropped }),
    metrics: {
      ...result?.metrics,
      ...Object.fromEntries(
        Object.entries(result?.baseline ?? {}).map(([name, value]) => [`baseline.${name}`, value]),
      ),
    },
  };
}

function finish(watcher: Watcher, summary: StageSummary): StageSummary {
  const { name, ...rest } = summary;
  watcher.event({ type: 'stage.finished', stage: name, ...rest });
  return summary;
}
