/** What the stages of a plan take next to each other, and how many of them run at once. */

import { namesIn } from '../../language/ir/expression.js';
import type { Program, Stage, StageKind } from '../../language/ir/program.js';
import { stages as definitions } from '../stages/index.js';
import { figureLookup } from './budget.js';
import { byName, peakFigure, wholeOf } from './budgeted-stages.js';
import { limitOf } from './limits.js';
import type { PlanContext } from './plan-context.js';
import type { ParallelPlan, Plan, PlannedStage } from './plan-json.js';
import { type PlannedLoad, quickest, scheduleOf } from './schedule.js';
import type { Capacity, StageLoad } from './side-by-side.js';

/** How a run of these stages goes, with as many at once as are asked for, or as are quickest. */
export function parallelPlan(context: PlanContext, stages: readonly PlannedStage[]): ParallelPlan {
  const { cores, parallel } = context;
  const loads = stages.map((stage) => plannedLoad(context, stage));
  const capacity = { memoryBytes: memoryTogether(context, stages), hasDevice: context.hasDevice };
  const atOnce = parallel ?? (context.isNominal ? 1 : quickest(loads, cores, capacity));
  const { seconds, peakBytes } = scheduleOf(loads, cores, { ...capacity, stages: atOnce });
  return {
    stages: atOnce,
    by: parallel === undefined ? 'auto' : 'option',
    memoryBytes: capacity.memoryBytes,
    seconds,
    // what is cached took its peak when it ran
    peakBytes: Math.max(peakBytes, ...stages.map((stage) => peakFigure(stage) ?? 0)),
  };
}

/** Bytes for all processes together: what the machine has, or what a budget allows the run. */
function memoryTogether(
  { program, availableBytes, place, pricing }: PlanContext,
  stages: readonly PlannedStage[],
) {
  const limit = limitOf({
    budgets: program.budgets,
    // of the run alone: no stage is called this
    stage: '',
    metric: 'peak_memory',
    whole: (bytes) => bytes,
    others: figureLookup(wholeOf(stages, pricing), byName(stages, pricing)),
    place,
  });
  return Math.min(availableBytes, limit?.most ?? availableBytes);
}

/** Stages that have to be over before this one begins: it reads them, or what is required of it compares with them. */
export function waitsFor({ name, inputs, requires }: Stage, { stages }: Program): readonly string[] {
  const before = stages.slice(
    0,
    stages.findIndex((stage) => stage.name === name),
  );
  const compared = requires.flatMap(({ condition }) => namesIn(condition).map(({ path }) => path[0]));
  return before
    .map((stage) => stage.name)
    .filter((other) => inputs.includes(other) || compared.includes(other));
}

/** The upper end counts, as for a stage alone: what may turn out not to fit does not fit. */
export const loadOf = ({ name, kind, key, peak }: PlannedStage, after: readonly string[]): StageLoad => ({
  name,
  key,
  after,
  memoryBytes: peak === null ? Number.POSITIVE_INFINITY : peak.high * (peak.ranks ?? 1),
  computes: computes(kind),
});

/** Whether a stage of this kind computes with tensors. */
export const computes = (kind: StageKind): boolean => definitions[kind].tensors !== 'none';

/** What a run of this plan shares among its stages. */
export const capacityOf = ({ parallel, device, machine }: Plan): Capacity => ({
  stages: parallel.stages,
  memoryBytes: parallel.memoryBytes,
  hasDevice: device !== undefined || machine.devices.length > 0,
});

function plannedLoad({ program, threads, hasDevice }: PlanContext, stage: PlannedStage): PlannedLoad {
  const { seconds, action } = stage;
  const source = program.stages.find(({ name }) => name === stage.name);
  return {
    ...loadOf(stage, source === undefined ? [] : waitsFor(source, program)),
    seconds,
    cached: action === 'cached',
    peakBytes: peakFigure(stage) ?? 0,
    cores:
      computes(stage.kind) && !hasDevice ? threads / (1 + SERIAL * (threads - 1)) : 1 + (stage.encoders ?? 0),
  };
}

/** Share of a tensor stage's work that one thread does while the others wait (Amdahl). */
const SERIAL = 0.1;
