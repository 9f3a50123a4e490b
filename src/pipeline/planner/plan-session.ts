/** Opens everything that a plan looks at, once. */

import { resolve } from 'node:path';
import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import { planDecoder } from '../../compute/models/decoder/plan.js';
import { requireGraph } from '../../compute/models/foreign.js';
import type { ModelConfig } from '../../compute/models/types.js';
import { userProblem } from '../../compute/models/user-problem.js';
import { chooseRuntime } from '../../compute/tensor/runtimes/choice.js';
import { isRuntime, type RuntimeIdentity } from '../../compute/tensor/runtimes/index.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { DigestTable } from '../../language/host/digests.js';
import { type Host, HostError } from '../../language/host/host.js';
import { EMBEDDED, type EngineOptions, type RunEngine } from '../../language/ir/engines.js';
import type { Machine } from '../../language/ir/machine.js';
import type { Program } from '../../language/ir/program.js';
import type { RuntimeChoice } from '../../language/ir/runtimes.js';
import type { Span } from '../../language/source/span.js';
import { positionAt, sourceText } from '../../language/source/text.js';
import type { LengthSurvey } from '../stages/format/survey.js';
import { checkedAdapter } from '../stages/train/adapters/checked-adapter.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { askedDeviceMemory, askedRuntime, computedBy } from './budget.js';
import { canonical } from './canonical.js';
import type { TensorCounter } from './counted-training.js';
import {
  countedLengths,
  type Lengths,
  limitedSize,
  type SourceSize,
  type Survey,
  sampledLengths,
  sourceSize,
  worstLengths,
} from './expected-rows.js';
import { latestKeys, readRecords } from './history.js';
import { runtimeName, type StageKey } from './keys.js';
import {
  availableBytes,
  findMachine,
  hasCores,
  knownMachines,
  nearestMachine,
  type PlanMachine,
  planMachine,
  thisMachine,
} from './machines.js';
import type { PlanDecoder } from './memory/plan-decoder.js';
import { openPlanCache } from './plan-cache.js';
import type { PlanContext, PlanStore } from './plan-context.js';
import { deviceNotRun, lengthsAssumed, severalMachines, unknownMachine } from './plan-diagnostics.js';
import type { PlannedDevice } from './plan-json.js';
import { pricingOf } from './price.js';
import { measureSpeed, type Speed, speedKey } from './speed.js';
import { type Models, openModels, stageNamed } from './stage-models.js';
import { networkOf } from './time/network.js';

export interface PlanOptions {
  readonly memoryBytes?: number;
  /** Name in the catalogue; default: the machine that plans. */
  readonly machine?: string;
  /** A GPU of this machine, where the runtime computes on one, or a limit of its tensors. */
  readonly device?: PlannedDevice;
  /** Bytes of the largest tensor that the GPU of this machine takes in one piece, where it has a limit. */
  readonly largestTensor?: number;
  readonly devices?: number;
  /** US dollars per hour of a machine, in place of its own price. */
  readonly price?: number;
  /** What computes; default: this process. */
  readonly engine?: RunEngine;
  readonly threads?: number;
  /** Stages at once, at most; default: as many as are quickest. */
  readonly parallel?: number;
  /** Seconds in which a run that is told to end has to save its progress. */
  readonly notice?: number;
  /** Digests that need not be computed, such as those of files that are still to be fetched. */
  readonly digests?: DigestTable;
  /** Choices that a saved plan made, by stage: they are kept wherever they still fit. */
  readonly savedPlans?: Readonly<Record<string, TrainPlan>>;
  /** What the command line asks for, if anything; it takes precedence over the pipeline. */
  readonly runtimeOption?: RuntimeChoice;
  readonly engineOptions?: EngineOptions;
  /** By default, the real ones, and the requested runtime. */
  readonly store?: PlanStore;
  readonly runtime?: RuntimeIdentity;
  readonly survey?: Survey;
  readonly planDecoder?: PlanDecoder;
  /** Default: plans have recorded tables. */
  readonly count?: TensorCounter;
  /** Models that are open, where several plans of one program are made. */
  readonly models?: Models;
  /** Whether to search for what would help a stage that does not fit; default: yes. */
  readonly advises?: boolean;
  readonly speed?: () => Promise<Speed | undefined>;
  /** What this machine was found to do in a second, where several plans are made. */
  readonly speeds?: Map<string, Speed>;
  /**
   * Times are estimated with this speed, also for a machine that is not here, and nothing is measured: so that plans compare.
   */
  readonly nominal?: Speed;
}

interface PlanSession {
  readonly context: PlanContext;
  /** Grows while stages are planned. */
  readonly diagnostics: readonly Diagnostic[];
  /** Keeps for the next plan what this one found out. */
  readonly keep: () => void;
}

/**
 * Finds out machine, runtime, engine and models of a program; what is wrong with them is in `diagnostics`, said once.
 */
export function openPlanSession(
  program: Program,
  host: Host,
  options: PlanOptions,
  store: PlanStore,
): PlanSession {
  const diagnostics: Diagnostic[] = [];
  const said = new Set<string>();
  const report = (diagnostic: Diagnostic): void => {
    if (said.has(diagnostic.message)) return;
    said.add(diagnostic.message);
    diagnostics.push(diagnostic);
  };
  const { nominal, engine = EMBEDDED } = options;
  const asked = machineOf(program, host, options, report);
  const machine = nominal === undefined ? asked : { ...asked, here: true };
  const known = knownMachines(host, program);
  const declared = machine.declared ?? machineOfDevice(known, options.device);
  const network = networkOf(engine, declared, known);
  const memo = openPlanCache(host, options.digests, options.speeds);
  const askedFor = askedRuntime(options.runtimeOption, program);
  const runtime = options.runtime ?? computedBy(host, engine, chooseRuntime(host, askedFor));
  const hardware = hardwareOf(host, options, machine);
  const { threads } = hardware;
  const keys = new Map<string, StageKey>();
  const found = options.store ?? store;
  const measure = options.speed ?? (() => measured());
  // what the accelerate engine does in a second is not measured
  const measured = async (): Promise<Speed | undefined> =>
    engine.name === 'accelerate'
      ? undefined
      : memo.speed(speedKey(host, threads, runtimeName(runtime)), () =>
          measureSpeed(host, isRuntime(runtime.name) ? runtime.name : chooseRuntime(host), threads, 1),
        );
  return {
    diagnostics,
    keep: memo.keep,
    context: {
      program,
      host,
      store: found,
      digests: memo.digests,
      engine,
      runtime,
      machine,
      declared,
      network,
      pricing: pricingOf(machine.declared ?? ownDevice(program, options.device), engine, options),
      availableBytes: availableBytes(machine, askedDeviceMemory(program)),
      ...hardware,
      largestTensor: options.machine === undefined ? options.largestTensor : undefined,
      count: options.count,
      planDecoder: options.planDecoder ?? rememberedPlans(planDecoder),
      models: options.models ?? openModels(program, host),
      advises: options.advises ?? true,
      keys,
      trainPlans: new Map<string, TrainPlan>(),
      savedPlans: options.savedPlans ?? {},
      records: once(() => readRecords(host)),
      latest: once(() => latestKeys(host, program.file)),
      lengths: lengthLookup(program, host, found, keys, options.survey ?? surveyRows, report),
      adapter: adapterLookup(program, host),
      sources: (name) => sizeOf(program, host, name, false),
      limited: (name) => sizeOf(program, host, name, true),
      speed: once(async () => nominal ?? (machine.here ? await measure() : declaredSpeed(declared))),
      place: (span) => placeText(host, span),
      report,
    },
  };
}

/** What stages compute with, and how many at once. */
function hardwareOf(
  host: Host,
  options: PlanOptions,
  machine: PlanMachine,
): Pick<PlanContext, 'device' | 'cores' | 'threads' | 'hasDevice' | 'parallel' | 'isNominal' | 'node'> {
  // a limit holds wherever the plan is for
  const device = options.machine === undefined || options.device?.isShared ? options.device : undefined;
  const cores = machine.declared?.cores ?? host.machine().cores;
  return {
    device,
    cores,
    threads: options.threads ?? cores,
    hasDevice: device !== undefined || machine.devices.length > 0,
    parallel: options.parallel,
    isNominal: options.nominal !== undefined,
    node: options.nominal === undefined ? process.versions.node : undefined,
  };
}

function placeText(host: Host, { file, start }: Span): string {
  try {
    return `${file}:${positionAt(sourceText(file, host.readText(resolve(host.cwd, file))), start).line}`;
  } catch (error) {
    if (error instanceof HostError) return file;
    throw error;
  }
}

function sizeOf(program: Program, host: Host, name: string, limited: boolean): SourceSize {
  const data = stageNamed(program, name);
  if (data === undefined) return { bytes: 0, rows: 0, parquet: 0, spooled: 0 };
  const size = sourceSize(program, host, data);
  return limited ? limitedSize(size, data) : size;
}

/** The adapter of each train stage, checked once. */
function adapterLookup(program: Program, host: Host): PlanContext['adapter'] {
  const adapters = new Map<string, AdapterConfig>();
  return (stage, { config, root }, labels) => {
    const known = adapters.get(stage.name);
    if (known !== undefined) return known;
    const base = { config, label: root.model.label };
    const adapter = checkedAdapter(stage, base, { folder: program.folder, host }, labels);
    adapters.set(stage.name, adapter);
    return adapter;
  };
}

/** Operations per second of one core in products of float32: two units of 8 numbers at 2 to 4 GHz, as far as they are fed. */
const CORE = 60e9;

/** Of a machine that computes with its processor, where it says how many cores that has. */
const declaredSpeed = (machine: Machine | undefined): Speed | undefined =>
  hasCores(machine) ? { flopsPerSecond: machine.cores * CORE } : undefined;

/** What a cloud asks for such a GPU is not what one that is here costs: that, the pipeline says. */
const ownDevice = ({ machines = [] }: Program, device: PlannedDevice | undefined): Machine | undefined =>
  machineOfDevice(machines, device);

/** A GPU of this machine, by what its driver calls it. */
const machineOfDevice = (
  machines: readonly Machine[],
  device: PlannedDevice | undefined,
): Machine | undefined => device && machines.find((machine) => machine.device === device.name);

function machineOf(
  program: Program,
  host: Host,
  { machine: name, memoryBytes, devices, engine = EMBEDDED }: PlanOptions,
  report: (diagnostic: Diagnostic) => void,
): PlanMachine {
  const here = thisMachine(host, memoryBytes);
  if (name === undefined) return here;
  const machines = knownMachines(host, program);
  const match = findMachine(name, machines);
  if (match === undefined) {
    report(unknownMachine(name, nearestMachine(name, machines)));
    return here;
  }
  if (match.others.length > 0) report(severalMachines(name, match));
  const machine = planMachine(match, memoryBytes, devices);
  if (machine.devices.length > 0 && engine.name === 'embedded') report(deviceNotRun(machine));
  return machine;
}

const NO_ROW_FITS = 'FTP0622';

/** Rows tokenized for a plan: enough to see the longest, few enough not to be waited for. */
const SURVEYED = 4000;

const surveyRows: Survey = async (program, host, format) => {
  const { surveyLengths } = await import('../stages/format/survey.js');
  return surveyLengths(program, host, format, SURVEYED);
};

/** A survey whose results several plans of one program share. */
export function surveyOnce(): Survey {
  const known = new Map<string, ReturnType<Survey>>();
  return (program, host, format) => {
    const found = known.get(format.name) ?? surveyRows(program, host, format);
    known.set(format.name, found);
    return found;
  };
}

function lengthLookup(
  program: Program,
  host: Host,
  store: PlanStore,
  keys: ReadonlyMap<string, StageKey>,
  survey: Survey,
  report: (diagnostic: Diagnostic) => void,
): PlanContext['lengths'] {
  const surveys = new Map<string, Promise<LengthSurvey | undefined>>();
  return async (name, split, look): Promise<Lengths | undefined> => {
    const format = stageNamed(program, name);
    if (format === undefined) return undefined;
    const entry = store.find(keys.get(name)?.key ?? '-');
    const counted = entry === undefined ? undefined : countedLengths(host, entry.path, split);
    if (counted !== undefined || !look) return counted;
    const surveyed =
      surveys.get(name) ??
      survey(program, host, format).catch((error: unknown) => {
        const problem = userProblem(error);
        if (problem === undefined) throw error;
        // if no row can be used, their lengths do not matter: the run would fail
        report(problem.code === NO_ROW_FITS ? problem : lengthsAssumed(format, problem.message));
        return undefined;
      });
    surveys.set(name, surveyed);
    const sample = await surveyed;
    return sample === undefined || sample.sampled === 0
      ? worstLengths(program, host, format, split)
      : sampledLengths(sample, split);
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The same shape is asked for many times while a choice is looked for. */
export function rememberedPlans(plan: PlanDecoder): PlanDecoder {
  const models = new WeakMap<ModelConfig, Map<string, ReturnType<PlanDecoder>>>();
  return (options) => {
    const { config, ...choice } = options;
    requireGraph(config);
    const known = models.get(config) ?? new Map<string, ReturnType<PlanDecoder>>();
    models.set(config, known);
    const key = canonical(choice);
    const made = known.get(key) ?? plan(options);
    known.set(key, made);
    return made;
  };
}
