/** The memory of each train stage over rank, length of rows or rows at a time, with everything else as it was chosen. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { hasFactors } from '../../language/schemas/methods.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { assumedLengths, type Survey } from '../planner/expected-rows.js';
import { fitsIn } from '../planner/memory-budget.js';
import type { PlanOptions } from '../planner/plan.js';
import { lengthLeftOut, nothingToSweep } from '../planner/plan-diagnostics.js';
import type { Peak, Plan, PlannedStage } from '../planner/plan-json.js';
import { surveyOnce } from '../planner/plan-session.js';
import { openModels } from '../planner/stage-models.js';
import { type TrainPlan, withMicro } from '../stages/train-plan/plan.js';
import type { PlanRequest, Preparation } from './request.js';
import { openVariants, withSettings, withStage } from './variants.js';

export const SWEPT = ['rank', 'length', 'batch'] as const;
export type Swept = (typeof SWEPT)[number];

export interface SweepAxis {
  readonly over: Swept;
  /** Left out: a usual list. */
  readonly values?: readonly number[];
}

export interface SweepPoint {
  readonly value: number;
  readonly fits: boolean;
  readonly peak: Peak;
  /** Where it does not fit as it was chosen: what would be chosen for this value, if that fits. */
  readonly otherwise: { readonly chosen: TrainPlan; readonly peak: Peak } | null;
}

export interface StageSweep {
  readonly stage: string;
  readonly over: Swept;
  /** What all points have in common, but for what is swept. */
  readonly chosen: TrainPlan;
  /** Of the machine, or of each of its devices. */
  readonly availableBytes: number;
  readonly points: readonly SweepPoint[];
}

export interface PlanSweep {
  readonly version: 1;
  readonly pipeline: string;
  readonly machine: Plan['machine'];
  readonly runtime: string;
  readonly sweeps: readonly StageSweep[];
}

interface SweptPlan {
  readonly prepared: Preparation;
  readonly diagnostics: readonly Diagnostic[];
  readonly sweep?: PlanSweep;
}

interface Change {
  readonly program: Program;
  readonly plan: TrainPlan;
  /** Where rows are not those of the data set. */
  readonly survey?: Survey;
}

interface Axis {
  readonly usual: readonly number[];
  applies(plan: TrainPlan): boolean;
  change(program: Program, stage: Stage, value: number, plan: TrainPlan): Change;
}

const AXES: Readonly<Record<Swept, Axis>> = {
  rank: {
    usual: [4, 8, 16, 32, 64, 128, 256],
    applies: ({ method }) => hasFactors(method),
    change(program, stage, rank, plan) {
      const alpha = (plan.alpha * rank) / plan.rank;
      return {
        program: withStage(program, stage.name, (one) => withSettings(one, 'lora', { rank, alpha })),
        plan: { ...plan, rank, alpha },
      };
    },
  },
  length: {
    usual: [256, 512, 1024, 2048, 4096, 8192, 16_384],
    applies: () => true,
    change(program, stage, maxLength, plan) {
      const { dataset } = settingsOf(stage, 'train');
      return {
        program: withStage(program, dataset.stage, (format) => ({
          ...format,
          settings: { ...format.settings, max_length: maxLength },
        })),
        plan: { ...plan, maxLength },
        survey: rowsOf(maxLength),
      };
    },
  },
  batch: {
    usual: [1, 2, 4, 8, 16, 32],
    applies: () => true,
    change(program, stage, micro, plan) {
      const global = Math.max(settingsOf(stage, 'train').batch.global, micro);
      return {
        program: withStage(program, stage.name, (one) => withSettings(one, 'batch', { micro, global })),
        plan: withMicro(plan, micro, global),
      };
    },
  },
};

/** Rows that are all as long as is allowed: those of a data set may be shorter, and then memory would not change. */
function rowsOf(length: number): Survey {
  const own = surveyOnce();
  return async (program, host, format) => {
    const survey = await own(program, host, format);
    const rows = Math.max(1, survey.sampled);
    const unknown = { splits: undefined, prompts: undefined, asked: undefined, inOrder: undefined };
    const known = { rows: survey.rows, labels: survey.labels };
    return { ...survey, ...assumedLengths(rows, length), ...known, ...unknown };
  };
}

/** So much that every plan fits. */
const NO_LIMIT = 2 ** 56;

export async function sweepMemory(
  host: Host,
  request: PlanRequest,
  axes: readonly SweepAxis[],
): Promise<SweptPlan> {
  const { prepared, ready } = await openVariants(host, request);
  const { diagnostics } = prepared;
  if (ready === undefined) return { prepared, diagnostics };
  const base = await ready.planOf(ready.program);
  const models = openModels(ready.program, ready.host);
  const program = { ...ready.program, budgets: [] };
  const sweeps: StageSweep[] = [];
  const left: Diagnostic[] = [];
  for (const stage of program.stages.filter(({ kind }) => kind === 'train')) {
    const planned = base.stages.find(({ name }) => name === stage.name);
    if (planned?.chosen == null) continue;
    const positions = models.of(stage.settings['base'])?.config.maxPositions;
    for (const { over, values } of axes) {
      const axis = AXES[over];
      if (!axis.applies(planned.chosen)) continue;
      const points: SweepPoint[] = [];
      for (const value of values ?? axis.usual) {
        if (over === 'length' && positions !== undefined && value > positions) {
          if (values !== undefined) left.push(lengthLeftOut(stage, value, positions));
          continue;
        }
        const change = axis.change(program, stage, value, planned.chosen);
        const point = await pointOf(stage, change, base, ready.planOf);
        if (point !== undefined) points.push({ value, ...point });
      }
      if (points.length > 0) sweeps.push(sweepOf(planned, planned.chosen, { over, points, base }));
    }
  }
  const said = [...diagnostics, ...left];
  if (sweeps.length === 0)
    return { prepared, diagnostics: [...said, ...base.diagnostics, nothingToSweep(program.file)] };
  const { pipeline, machine, runtime } = base;
  return { prepared, diagnostics: said, sweep: { version: 1, pipeline, machine, runtime, sweeps } };
}

async function pointOf(
  { name }: Stage,
  change: Change,
  base: Plan,
  planOf: (program: Program, options: Partial<PlanOptions>) => Promise<Plan>,
): Promise<Omit<SweepPoint, 'value'> | undefined> {
  const stageIn = ({ stages }: Plan): PlannedStage | undefined => stages.find((one) => one.name === name);
  const peak = stageIn(await planOf(change.program, unlimited(name, change, base)))?.peak;
  if (peak == null) return undefined;
  const fits = fitsIn(peak, budgetOf(base));
  if (fits) return { fits, peak, otherwise: null };
  const other = stageIn(await planOf(change.program, surveyIn(change)));
  const isBetter = other?.chosen != null && other.peak !== null && fitsIn(other.peak, budgetOf(base));
  return { fits, peak, otherwise: isBetter ? { chosen: other.chosen, peak: other.peak } : null };
}

const surveyIn = ({ survey }: Change): Partial<PlanOptions> => (survey === undefined ? {} : { survey });

const budgetOf = ({ machine, device }: Plan) => ({ availableBytes: machine.availableBytes, device });

const unlimited = (name: string, change: Change, { device }: Plan): Partial<PlanOptions> => ({
  memoryBytes: NO_LIMIT,
  ...(device === undefined ? {} : { device: { ...device, availableBytes: NO_LIMIT } }),
  ...surveyIn(change),
  savedPlans: { [name]: change.plan },
});

const sweepOf = (
  { name, peak }: PlannedStage,
  chosen: TrainPlan,
  {
    over,
    points,
    base: { machine, device },
  }: { readonly over: Swept; readonly points: readonly SweepPoint[]; readonly base: Plan },
): StageSweep => ({
  stage: name,
  over,
  chosen,
  availableBytes:
    peak?.device !== undefined && device !== undefined
      ? device.availableBytes
      : Math.floor(machine.availableBytes / (peak?.ranks ?? 1)),
  points,
});
