/**
 * What budgets say: requirements on memory and time, held against the plan before anything runs, and what is asked of
 * the machine.
 */
import { identityOf, type RuntimeIdentity } from '../../compute/tensor/runtimes/index.js';
import type { Host } from '../../language/host/host.js';
import type {
  EngineChoice,
  EngineOptions,
  EngineRequest,
  Ranks,
  RunEngine,
  ShardingChoice,
} from '../../language/ir/engines.js';
import { namesIn } from '../../language/ir/expression.js';
import type { Program, Requirement, Unit, Value } from '../../language/ir/program.js';
import { type Lookup, resultOf } from '../../language/ir/requirement-result.js';
import type { RuntimeChoice, RuntimeName, RuntimeRequest } from '../../language/ir/runtimes.js';
import type { budgetSettings } from '../../language/schemas/stages/budget.js';
import type { BudgetLine } from './plan-json.js';
import { bytes, count, duration, numberText, usd } from './quantities.js';

/** What the plan says about the run as a whole, or about a stage; `undefined` if it says nothing. */
export interface BudgetedFigures {
  /** Bytes. */
  readonly peak_memory?: number;
  /** Seconds. */
  readonly wall_time?: number;
  /** US dollars. */
  readonly cost?: number;
  readonly gpu_hours?: number;
  /** Bytes that are written. */
  readonly disk?: number;
}

/** What a limit on time says as well: they grow with it. */
export const TIMED = ['wall_time', 'cost', 'gpu_hours'] as const satisfies readonly (keyof BudgetedFigures)[];

const UNKNOWN = { value: null, limit: null, unit: undefined, holds: null };

export function budgetLines(
  program: Program,
  predicted: BudgetedFigures,
  stages: Readonly<Record<string, BudgetedFigures>> = {},
): readonly BudgetLine[] {
  const lookup = figureLookup(predicted, stages);
  return requirementsOf(program).map((requirement): BudgetLine => {
    const { value, limit, unit, holds } = resultOf(requirement, lookup) ?? UNKNOWN;
    return { require: requirement.text, value, limit, unit, holds };
  });
}

export const figureLookup =
  (whole: BudgetedFigures, stages: Readonly<Record<string, BudgetedFigures>>): Lookup =>
  ([name = '', metric]) => {
    const known: Readonly<Record<string, number | undefined>> =
      metric === undefined ? { ...whole } : { ...stages[name] };
    return known[metric ?? name];
  };

/** In the order of the lines of a plan. */
export const requirementsOf = ({ budgets }: Pick<Program, 'budgets'>): readonly Requirement[] =>
  budgets.flatMap(({ requires }) => requires);

/** Whether a requirement refers to this figure, of a stage or of the run. */
export const refersTo = ({ condition }: Requirement, metric: keyof BudgetedFigures): boolean =>
  namesIn(condition).some(({ path }) => path.at(-1) === metric);

const FIGURES: Readonly<Partial<Record<Unit, (value: number) => string>>> = {
  bytes,
  seconds: duration,
  price: usd,
};

/** One side of a requirement in the unit of what it measures. */
export const figureText = (value: number, unit: Unit | undefined): string =>
  ((unit && FIGURES[unit]) ?? numberText)(value);

const EXACT: Readonly<Partial<Record<Unit, (value: number) => string>>> = {
  bytes: (value) => `${count(value)} B`,
  seconds: (value) => `${value.toFixed(3)} s`,
  price: (value) => `${Number(value.toPrecision(6))} usd`,
};

/** What is planned, next to its limit: with all its digits where the two would read alike. */
export function plannedText({ value, limit, unit }: Pick<BudgetLine, 'value' | 'limit' | 'unit'>): string {
  const planned = value ?? 0;
  const text = figureText(planned, unit);
  const isAlike = limit !== null && planned !== limit && text === figureText(limit, unit);
  return isAlike ? ((unit && EXACT[unit]) ?? String)(planned) : text;
}

/** The command line's `option` takes precedence over the pipeline, which takes precedence over `auto`. */
export function askedRuntime(
  option: RuntimeChoice | undefined,
  program: Program | undefined,
): RuntimeRequest {
  const rounds = program?.stages.some(({ settings }) => settings['precision'] === 'bf16');
  const precision = rounds ? ({ precision: 'bf16' } as const) : {};
  if (option !== undefined)
    return { choice: option, by: option === 'auto' ? 'auto' : 'option', ...precision };
  const choice = (ofBudgets(program, 'runtime') ?? 'auto') as RuntimeChoice;
  return { choice, by: choice === 'auto' ? 'auto' : 'pipeline', ...precision };
}

/** The same for the engine; what is left out is for the machine to say. */
export function askedEngine(options: EngineOptions, program: Program | undefined): EngineRequest {
  const ofPipeline: EngineOptions = {
    engine: ofBudgets(program, 'engine') as EngineChoice | undefined,
    devices: ofBudgets(program, 'devices') as number | undefined,
    nodes: ofBudgets(program, 'nodes') as number | undefined,
    sharding: ofBudgets(program, 'sharding') as ShardingChoice | undefined,
  };
  const { engine = ofPipeline.engine ?? 'auto', devices = ofPipeline.devices } = options;
  const { nodes = ofPipeline.nodes, sharding = ofPipeline.sharding, node, rendezvous, python } = options;
  const by = engine === 'auto' ? 'auto' : options.engine === undefined ? 'pipeline' : 'option';
  return { engine, by, devices, nodes, sharding, node, rendezvous, python };
}

/** Where the ranks of an engine are, and no more of it. */
export const ranksOf = ({ device, devices, nodes, sharding }: Ranks): Ranks => ({
  device,
  devices,
  nodes,
  sharding,
});

/** What computes: the engine, whose identity takes the place of the tensor runtime's where it has none. */
export const computedBy = (host: Host, engine: RunEngine, runtime: RuntimeName): RuntimeIdentity =>
  engine.name === 'embedded' ? identityOf(host, runtime) : { name: engine.name, version: engine.version };

/** Bytes that the pipeline lets tensors take on a device; `undefined` if it does not say. */
export const askedDeviceMemory = (program: Program | undefined): number | undefined =>
  ofBudgets(program, 'device_memory') as number | undefined;

/** The check has seen to it that budgets set one value alone. */
function ofBudgets(program: Program | undefined, key: keyof typeof budgetSettings): Value | undefined {
  const [value] = (program?.budgets ?? []).flatMap(({ settings }) => settings[key] ?? []);
  return value;
}
