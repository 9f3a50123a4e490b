/** One pipeline on many machines: where it fits, how it is planned there, how long it takes and what that costs. */
import { planDecoder } from '../../compute/models/decoder/plan.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Machine } from '../../language/ir/machine.js';
import { knownMachines, machinesLike } from '../planner/machines.js';
import type { PlanOptions } from '../planner/plan.js';
import { machinesUnknown } from '../planner/plan-diagnostics.js';
import type { Plan, PlannedStage, Seconds } from '../planner/plan-json.js';
import { rememberedPlans } from '../planner/plan-session.js';
import { openModels } from '../planner/stage-models.js';
import { withPrecision } from '../stages/train/precision.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { engineRefusals } from './refusals.js';
import type { PlanRequest, PlanScope, Preparation } from './request.js';
import { computing } from './runtime.js';
import { openVariants, type Variants } from './variants.js';

export interface MachineRow {
  readonly machine: string;
  readonly provider: string | null;
  readonly device: string | null;
  readonly devices: number;
  /** Of one device. */
  readonly memoryBytes: number;
  readonly engine: Plan['engine'];
  /** Whether a run of it could begin, and whether it would keep the budgets. */
  readonly fits: boolean;
  readonly withinBudget: boolean;
  /** Of the stage that needs most, on one device. */
  readonly peak: { readonly stage: string; readonly bytes: number; readonly high: number } | null;
  /** Of the training that needs most. */
  readonly chosen: TrainPlan | null;
  readonly seconds: Seconds | null;
  readonly usd: Seconds | null;
  readonly gpuHours: Seconds | null;
  readonly priced: string | null;
  /** The first error, where it does not fit. */
  readonly why: string | null;
}

export interface MachinesTable {
  readonly version: 1;
  readonly pipeline: string;
  /** Those that fit first, the cheapest of them before the others. */
  readonly machines: readonly MachineRow[];
  /** Of those that fit and keep the budgets: with the least memory, and with the least cost. */
  readonly smallest: string | null;
  readonly cheapest: string | null;
}

interface OnMachines {
  readonly prepared: Preparation;
  readonly diagnostics: readonly Diagnostic[];
  readonly table?: MachinesTable;
}

/** `pattern`: words that a machine's name, provider or device has; empty for all. */
export async function planOnMachines(
  host: Host,
  { machine: _, ...request }: PlanRequest,
  pattern: string,
  scope: PlanScope = {},
): Promise<OnMachines> {
  const { prepared, ready } = await openVariants(host, request, { ...scope, speed: 'unknown' });
  if (ready === undefined) return { prepared, diagnostics: prepared.diagnostics };
  const known = knownMachines(host, ready.program);
  const machines = machinesLike(pattern, known);
  if (machines.length === 0)
    return { prepared, diagnostics: [...prepared.diagnostics, machinesUnknown(pattern)] };
  const shared = {
    models: openModels(ready.program, ready.host),
    planDecoder: rememberedPlans(planDecoder),
    savedPlans: {},
    // a row has no room for it
    advises: false,
  };
  const groups = new Map<string, Plan>();
  const rows: MachineRow[] = [];
  const planning = { host, request, prepared, ready, shared, groups };
  const [gpus, computers] = partition(machines, ({ device }) => device !== undefined);
  for (const machine of gpus) rows.push(await rowOf(machine, planning));
  // who wants to wait for one of them asks for it
  const isSlow = pattern === '' && [...groups.values()].some(isLarge);
  for (const machine of isSlow ? [] : computers) rows.push(await rowOf(machine, planning));
  const table = tableOf(ready.program.name, rows);
  return { prepared, diagnostics: prepared.diagnostics, table };
}

/** Parameters of a model that takes days without a GPU. */
const LARGE = 1e9;

const isLarge = ({ stages }: Plan): boolean =>
  stages.some(({ scale }) => (scale?.totalParameters ?? 0) > LARGE);

function partition<T>(all: readonly T[], has: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(has), all.filter((one) => !has(one))];
}

interface Planning {
  readonly host: Host;
  readonly request: PlanRequest;
  readonly prepared: Preparation;
  readonly ready: NonNullable<Variants['ready']>;
  readonly shared: Pick<PlanOptions, 'models' | 'planDecoder' | 'savedPlans' | 'advises'>;
  /** Plans by what decides a choice: the engine, its devices and what each may take. */
  readonly groups: Map<string, Plan>;
}

async function rowOf(machine: Machine, planning: Planning): Promise<MachineRow> {
  const { host, request, prepared, ready, shared, groups } = planning;
  const { analysis } = prepared.compiled;
  const options = { ...request, machine: machine.name };
  const { options: computed, diagnostics } = await computing(host, options, {
    program: ready.program,
    analysis,
    speed: 'unknown',
  });
  const { engine } = computed;
  const program = withPrecision(ready.program, engine);
  const refusals =
    analysis === undefined ? [] : engineRefusals({ program, analysis, host, engine, isAsked: false });
  const error = [...diagnostics, ...refusals].find(isError);
  const devices = machine.device === undefined ? 0 : (request.devices ?? machine.devices);
  const base = {
    machine: machine.name,
    provider: machine.provider ?? null,
    device: machine.device ?? null,
    devices,
    memoryBytes: request.memoryBytes ?? machine.memory,
    engine: engine.name,
  };
  if (error !== undefined) return { ...base, ...NOTHING, why: error.message };
  const key = JSON.stringify([engine, machine.memory, machine.usable, devices]);
  const like = groups.get(key);
  if (like?.valid === false) return { ...base, ...figuresOf(like), seconds: null, usd: null, gpuHours: null };
  const planned = await ready.planOf(program, {
    ...computed,
    ...shared,
    machine: machine.name,
    device: undefined,
    ...(like === undefined ? {} : { savedPlans: choicesOf(like) }),
  });
  if (like === undefined) groups.set(key, planned);
  return { ...base, ...figuresOf(planned) };
}

const choicesOf = ({ stages }: Plan): Readonly<Record<string, TrainPlan>> =>
  Object.fromEntries(stages.flatMap(({ name, chosen }) => (chosen === null ? [] : [[name, chosen]])));

const NOTHING = {
  fits: false,
  withinBudget: false,
  peak: null,
  chosen: null,
  seconds: null,
  usd: null,
  gpuHours: null,
  priced: null,
} as const;

type Figures = Omit<MachineRow, 'machine' | 'provider' | 'device' | 'devices' | 'memoryBytes' | 'engine'>;

function figuresOf({ valid, stages, budget, parallel, cost, diagnostics }: Plan): Figures {
  const peaks = stages.flatMap(({ name, peak }) =>
    peak === null ? [] : [{ stage: name, bytes: peak.bytes, high: peak.high }],
  );
  const [peak = null] = peaks.sort((a, b) => b.bytes - a.bytes);
  return {
    fits: valid,
    withinBudget: budget.every(({ holds }) => holds !== false),
    peak,
    chosen: largestTraining(stages)?.chosen ?? null,
    seconds: parallel.seconds,
    usd: cost.usd,
    gpuHours: cost.gpuHours,
    priced: cost.priced,
    why: valid ? null : (diagnostics.find(isError)?.message ?? null),
  };
}

const largestTraining = (stages: readonly PlannedStage[]): PlannedStage | undefined =>
  stages
    .filter(({ chosen }) => chosen !== null)
    .sort((a, b) => (b.peak?.bytes ?? 0) - (a.peak?.bytes ?? 0))[0];

const UNKNOWN = Number.POSITIVE_INFINITY;

const memoryOf = ({ devices, memoryBytes }: MachineRow): number => Math.max(1, devices) * memoryBytes;

function tableOf(pipeline: string, rows: readonly MachineRow[]): MachinesTable {
  const rank = ({ fits, withinBudget }: MachineRow): number => (fits ? (withinBudget ? 0 : 1) : 2);
  const cost = ({ usd }: MachineRow): number => usd?.expected ?? UNKNOWN;
  const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
  const machines = [...rows].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      compare(cost(a), cost(b)) ||
      memoryOf(a) - memoryOf(b) ||
      compare(a.seconds?.expected ?? UNKNOWN, b.seconds?.expected ?? UNKNOWN),
  );
  const good = machines.filter((row) => rank(row) === 0);
  // where no time is known, nobody can say whether it ends
  const timed = good.filter(({ seconds }) => seconds !== null);
  const [smallest] = [...(timed.length > 0 ? timed : good)].sort((a, b) => memoryOf(a) - memoryOf(b));
  const cheapest = good.find(({ usd }) => usd !== null);
  return {
    version: 1,
    pipeline,
    machines,
    smallest: smallest?.machine ?? null,
    cheapest: cheapest?.machine ?? null,
  };
}
