/**
 * What a run would do and why, what it needs, and what was chosen: keys first (what is cached costs nothing more),
 * then choices where something is left to choose, then memory, time and disk.
 */

import { userProblem } from '../../compute/models/user-problem.js';
import { identityOf } from '../../compute/tensor/runtimes/index.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Reason, StageAction } from '../../language/ir/events.js';
import { RUNTIME_NAMES } from '../../language/ir/runtimes.js';
import type { Program, Stage, Value } from '../../language/ir/types.js';
import { takenSettings } from '../stages/train/adapters/kinds.js';
import { coverageOf } from '../stages/train/coverage.js';
import { readSummary } from '../stages/train/result-files.js';
import { withResidency } from '../stages/train-plan/fields.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { openStore } from '../store/index.js';
import { askedRuntime } from './asked-runtime.js';
import { budgetLines } from './budget.js';
import { effectiveSettings } from './effective.js';
import { estimate } from './estimate.js';
import { comparableRecord } from './history.js';
import { keyOf, runtimeName, type StageKey, stageParts } from './keys.js';
import { NO_PARTS } from './memory/parts.js';
import { decoderShape } from './memory/train.js';
import { openWorld, type PlanOptions } from './open-world.js';
import { notFit, stageTooLarge } from './problems.js';
import { reason, runReasons } from './reasons.js';
import { tighter } from './room.js';
import { scaleOf } from './scale.js';
import { missingSecrets } from './secrets.js';
import { addSeconds, NO_TIME } from './time.js';
import { decide, earlierPlan, roomOf, type TrainFacts, trainFacts } from './train-stage.js';
import type { Peak, Plan, PlannedStage, Rejected } from './types.js';
import type { PlanWorld } from './world.js';

export type { PlanOptions } from './open-world.js';

/** Never throws for what a user can cause: that is in `diagnostics`, and `valid` is false. */
export async function plan(program: Program, host: Host, options: PlanOptions = {}): Promise<Plan> {
  const { world, diagnostics, keep } = openWorld(program, host, options, openStore(host.cwd));
  const stages: PlannedStage[] = [];
  for (const stage of program.stages) {
    try {
      stages.push(await planStage(world, stage));
    } catch (error) {
      const problem = userProblem(error);
      if (problem === undefined) throw error;
      world.report(problem);
      stages.push(unknownStage(stage));
    }
  }
  keep();
  const { machine } = world;
  const figures = stages.map((stage) => peakFigure(stage));
  const peakBytes = figures.some((figure) => figure === undefined)
    ? null
    : Math.max(0, ...figures.map(Number));
  const seconds = addSeconds(stages.map((stage) => stage.seconds));
  return {
    version: 1,
    pipeline: program.name,
    engine: options.engine ?? 'embedded',
    machine: {
      name: machine.name,
      memoryBytes: machine.memoryBytes,
      availableBytes: world.availableBytes,
      devices: machine.devices,
    },
    runtime: runtimeName(world.runtime),
    runtimeSetBy: askedRuntime(options.runtimeOption, program).by,
    ...(world.device === undefined ? {} : { device: world.device }),
    valid: !diagnostics.some(isError),
    stages,
    totals: { peakBytes, seconds, diskBytes: stages.reduce((sum, { diskBytes }) => sum + diskBytes, 0) },
    budget: budgetLines(
      program,
      { peak_memory: peakBytes ?? undefined, wall_time: seconds?.expected },
      Object.fromEntries(
        stages.map((stage) => [
          stage.name,
          { peak_memory: peakFigure(stage), wall_time: stage.seconds?.expected },
        ]),
      ),
    ),
    diagnostics,
  };
}

/** What was measured takes precedence over what is predicted. */
const peakFigure = ({ peak }: PlannedStage): number | undefined => peak?.measured ?? peak?.bytes;

interface Decided {
  readonly key: StageKey;
  readonly chosen?: TrainPlan;
  readonly facts?: TrainFacts;
  readonly rejected: readonly Rejected[];
  readonly problem?: Diagnostic;
}

async function planStage(world: PlanWorld, stage: Stage): Promise<PlannedStage> {
  const decided = stage.kind === 'train' ? await decideTrain(world, stage) : decidePlain(world, stage);
  const { key, chosen, rejected, problem } = decided;
  world.keys.set(stage.name, key);
  if (chosen !== undefined) world.chosen.set(stage.name, chosen);
  const entry = world.store.find(key.key, { report: world.report });
  const cached = entry !== undefined;
  const facts = decided.facts ?? (stage.kind === 'train' ? await trainFacts(world, stage, false) : undefined);
  const found = await estimate({ world, stage, chosen, facts, look: !cached });
  const scale = await scaleOf({ world, stage, chosen, facts, look: !cached, entry });
  const { action, reasons } = whatToDo(world, stage, { key, chosen, cached });
  if (!cached) for (const missing of missingSecrets(stage, world.host)) world.report(missing);
  if (problem !== undefined && !cached) world.report(problem);
  else if (!cached && stage.kind !== 'train' && found.peak !== null && isBeyond(found.peak, world))
    world.report(stageTooLarge(stage, found.peak, roomOf(world)));
  return {
    name: stage.name,
    instance: stage.instance,
    kind: stage.kind,
    action,
    reasons,
    peak: entry === undefined ? found.peak : measuredPeak(found.peak, entry.record.peakMemoryBytes),
    seconds: cached ? NO_TIME : found.seconds,
    diskBytes: cached ? 0 : found.diskBytes,
    chosen: chosen ?? null,
    residency: found.residency,
    rejected,
    effective: effectiveSettings(stage, chosen, takenFields(world, stage)),
    scale,
    ...coverage(facts, chosen),
    ...key,
  };
}

/** A stage with nothing to choose is given the benefit of the doubt: its expected peak counts. */
function isBeyond(peak: Peak, world: PlanWorld): boolean {
  const { needs, available } = tighter(peak, roomOf(world));
  return peak.refused !== undefined || needs.bytes > available;
}

function coverage(
  facts: TrainFacts | undefined,
  chosen: TrainPlan | undefined,
): Pick<PlannedStage, 'coverage'> {
  if (facts === undefined || chosen === undefined) return {};
  const { config, adapter } = decoderShape(facts.memory, chosen);
  return { coverage: coverageOf(config, adapter).modules };
}

/** What a train stage takes from the adapter that it continues from. */
function takenFields(world: PlanWorld, stage: Stage): Readonly<Record<string, Value | undefined>> {
  const base = stage.settings['start'] == null ? undefined : world.models.of(stage.settings['base']);
  if (base === undefined) return {};
  return takenSettings(world.adapter(stage, base), base.config);
}

function decidePlain(world: PlanWorld, stage: Stage): Decided {
  return {
    key: keyOf(stageParts(world.program, stage, world.host, world, world.keys), undefined),
    rejected: [],
  };
}

/** A plan that has led to an output is kept, and how the base was held for it: nothing is measured for it. */
async function decideTrain(world: PlanWorld, stage: Stage): Promise<Decided> {
  const parts = stageParts(world.program, stage, world.host, world, world.keys);
  const earlier = world.settled[stage.name] ?? earlierPlan(world, stage, parts);
  if (earlier !== undefined) {
    const key = keyOf(parts, earlier);
    const entry = world.store.find(key.key);
    if (entry !== undefined) {
      const made = readSummary(world.host, entry.path);
      return {
        key,
        chosen: made === undefined ? earlier : withResidency(earlier, made.residency),
        rejected: [],
      };
    }
  }
  const facts = await trainFacts(world, stage, true);
  if (facts === undefined) throw new Error(`stage ${stage.name} has no model or no rows`);
  const decision = decide(world, stage, facts, parts, earlier);
  const { plan: chosen, rejected, peak, fits, wouldHelp } = decision;
  const { machine } = world;
  return {
    key: keyOf(parts, chosen),
    chosen,
    facts,
    rejected,
    problem: fits ? undefined : notFit(stage, { peak, room: roomOf(world), machine, rejected, wouldHelp }),
  };
}

function whatToDo(
  world: PlanWorld,
  stage: Stage,
  { key, chosen, cached }: Pick<Decided, 'key' | 'chosen'> & { readonly cached: boolean },
): { readonly action: StageAction; readonly reasons: readonly Reason[] } {
  if (cached) return { action: 'cached', reasons: [reason('unchanged')] };
  if (world.store.resumable(key.key))
    return { action: 'resume', reasons: [reason('checkpoint', { path: `.ftp/work/${key.key}` })] };
  const latest = world.latest().get(stage.name);
  const earlier = comparableRecord(world.records(), stage.kind, key.parts, latest, othersKeys(world, stage));
  return { action: 'run', reasons: [...checkpointsLeft(world, stage, chosen), ...runReasons(key, earlier)] };
}

/** Training does not resume from a checkpoint of another runtime; the reason is given, since hours of training may be lost. */
function checkpointsLeft(world: PlanWorld, stage: Stage, chosen: TrainPlan | undefined): readonly Reason[] {
  if (stage.kind !== 'train') return [];
  const { program, host, digests, keys, store } = world;
  return RUNTIME_NAMES.filter((name) => name !== world.runtime.name).flatMap((name) => {
    const runtime = identityOf(host, name);
    const { key } = keyOf(stageParts(program, stage, host, { digests, runtime }, keys), chosen);
    return store.resumable(key) ? [reason('checkpoint_left', { before: runtimeName(runtime) })] : [];
  });
}

/** Keys of the other stages: those of this plan, and those under which they were last completed. */
function othersKeys({ program, keys, latest }: PlanWorld, stage: Stage): ReadonlySet<string> {
  const others = program.stages.filter(({ name }) => name !== stage.name);
  const found = others.flatMap(({ name }) => [keys.get(name)?.key, latest().get(name)]);
  return new Set(found.filter((key) => key !== undefined));
}

function measuredPeak(peak: Peak | null, measured: number): Peak {
  if (peak !== null) return { ...peak, measured };
  return {
    bytes: measured,
    low: measured,
    high: measured,
    parts: { ...NO_PARTS, runtime: measured },
    measured,
  };
}

function unknownStage(stage: Stage): PlannedStage {
  return {
    name: stage.name,
    kind: stage.kind,
    action: 'run',
    reasons: [],
    peak: null,
    seconds: null,
    diskBytes: 0,
    chosen: null,
    rejected: [],
    effective: effectiveSettings(stage, undefined),
    scale: null,
    key: '',
    parts: {},
  };
}
