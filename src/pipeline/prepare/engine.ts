/** What a pipeline is computed with: this process, or ranks of the accelerate engine, and on which devices. */
import { engineIdentity, type PythonEnvironment, tryPython } from '../../compute/accelerate/environment.js';
import { PACKAGE_NAMES, packageOf } from '../../compute/accelerate/packages.js';
import { deviceLimit } from '../../compute/tensor/runtimes/device-limit.js';
import { type BudgetSettingName, budgetSettingsOf } from '../../language/check/budget-settings.js';
import type { Analysis } from '../../language/compile.js';
import * as errors from '../../language/diagnostics/catalogue/engines.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import {
  type AccelerateRun,
  EMBEDDED,
  type EngineOptions,
  type EngineRequest,
  type RunEngine,
} from '../../language/ir/engines.js';
import type { Program } from '../../language/ir/program.js';
import type { RuntimeChoice } from '../../language/ir/runtimes.js';
import { budgetSettings } from '../../language/schemas/stages/budget.js';
import { askedDeviceMemory, askedEngine } from '../planner/budget.js';
import { findMachine, knownMachines, type MachineMatch } from '../planner/machines.js';
import type { PlannedDevice } from '../planner/plan-json.js';
import { findGpus, type Gpu, usedGpu, visibleGpus } from './gpus.js';
import * as nativeBf16 from './native-bf16.js';
import type { PlanScope } from './request.js';
import { plannedGpu } from './tensor-device.js';

export interface EngineInput {
  readonly options: EngineOptions & { readonly runtime?: RuntimeChoice; readonly machine?: string };
  readonly program: Program | undefined;
  /** Where settings are in the text. */
  readonly analysis?: Analysis;
  readonly speed?: PlanScope['speed'];
}

interface EngineFound {
  readonly engine: RunEngine;
  /** The smallest of the GPUs that it computes on. */
  readonly device?: PlannedDevice;
  readonly diagnostics: readonly Diagnostic[];
}

type Setting = errors.EngineSetting;
/** A setting that is asked for, by an option or the pipeline; `undefined`: by nobody. */
type Lookup = (key: Exclude<keyof EngineInput['options'], 'machine'>) => Setting | undefined;

/** Exists where the driver of an NVIDIA GPU is loaded. */
const NVIDIA_DEVICE = '/dev/nvidiactl';

const embedded = (diagnostics: readonly Diagnostic[]): EngineFound => ({ engine: EMBEDDED, diagnostics });

/** Never throws for what a user can cause. */
export async function decideEngine(host: Host, input: EngineInput): Promise<EngineFound> {
  const { options, program, speed } = input;
  const asked = askedEngine(options, program);
  const settingOf = settingLookup(input);
  const engine = settingOf('engine');
  const runtime = settingOf('runtime');
  const elsewhere = options.machine !== undefined || speed === 'nominal';
  if (runtime !== undefined && runtime.value !== 'auto')
    return asked.engine === 'accelerate' && engine !== undefined
      ? embedded([errors.runtimeWithEngine(engine, runtime)])
      : embedded(refused(input, settingOf, runtime));
  if (asked.engine === 'embedded')
    return embedded(engine === undefined ? [] : refused(input, settingOf, engine));
  if (elsewhere) {
    const match = matchOf(host, input);
    return asked.engine === 'accelerate' || match?.machine.device !== undefined
      ? planned(host, asked, match, settingOf)
      : embedded([]);
  }
  return asked.engine === 'accelerate'
    ? required(host, asked, input, settingOf)
    : offered(host, asked, input, settingOf);
}

function settingLookup({ options, program, analysis }: EngineInput): Lookup {
  return (key) => {
    const option = options[key];
    if (option !== undefined) return { key, value: String(option) };
    if (program === undefined || analysis === undefined || !isBudgetSetting(key)) return undefined;
    const [found] = budgetSettingsOf(key, program.budgets, analysis.main.tree);
    return found && { key, value: String(found.value), at: found.span };
  };
}

const isBudgetSetting = (key: string): key is BudgetSettingName => Object.hasOwn(budgetSettings, key);

/** Settings of several devices. Of a machine that is named, their number says what it has. */
function ranksAsked({ options }: EngineInput, settingOf: Lookup): readonly Setting[] {
  return [...errors.RANK_SETTINGS, ...errors.RANK_OPTIONS].flatMap((key) => {
    const setting = settingOf(key);
    const isOfMachine = key === 'devices' && setting?.at === undefined && options.machine !== undefined;
    return setting === undefined || isOfMachine || errors.isOneRank(setting) ? [] : [setting];
  });
}

const refused = (input: EngineInput, settingOf: Lookup, by: Setting): readonly Diagnostic[] =>
  ranksAsked(input, settingOf).map((setting) => errors.ranksRefused(setting, by));

/** `auto`: the engine is taken where an NVIDIA GPU and its environment are there. */
async function offered(
  host: Host,
  asked: EngineRequest,
  input: EngineInput,
  settingOf: Lookup,
): Promise<EngineFound> {
  const without = (why: string): EngineFound =>
    embedded(ranksAsked(input, settingOf).map((setting) => errors.ranksUnused(setting, why)));
  if (host.stat(NVIDIA_DEVICE) === undefined) return without('this machine has no NVIDIA GPU');
  const found = tryPython(host, asked.python);
  if ('code' in found) return without(found.message);
  const gpus = found.cuda === undefined ? [] : await gpusOf(host);
  if (gpus.length === 0) return without('its PyTorch finds no NVIDIA GPU');
  return onRanks(host, { asked, settingOf, program: input.program }, found, gpus);
}

async function required(
  host: Host,
  asked: EngineRequest,
  { program }: EngineInput,
  settingOf: Lookup,
): Promise<EngineFound> {
  const found = tryPython(host, asked.python);
  if ('code' in found) return embedded([{ ...found, at: found.at ?? settingOf('engine')?.at }]);
  const gpus = found.cuda === undefined ? [] : await gpusOf(host);
  return onRanks(host, { asked, settingOf, program }, found, gpus);
}

/** GPUs that a run may use. */
async function gpusOf(host: Host): Promise<readonly Gpu[]> {
  const path = host.env('PATH');
  const found = await findGpus(path === undefined ? {} : { PATH: path });
  return found.state === 'found' ? visibleGpus(found.gpus, host.env('CUDA_VISIBLE_DEVICES')) : [];
}

interface Request {
  readonly asked: EngineRequest;
  readonly settingOf: Lookup;
  readonly program: Program | undefined;
}

function onRanks(
  host: Host,
  { asked, settingOf, program }: Request,
  found: PythonEnvironment,
  gpus: readonly Gpu[],
): EngineFound {
  const there = gpus.length;
  const devices = asked.devices ?? Math.max(1, there);
  const setting = settingOf('devices');
  const { python, packages } = found;
  const place = { python, device: there > 0 ? 'cuda' : 'cpu', devices } as const;
  const engine = engineOf(asked, { packages, ...place, multipliesBf16: nativeBf16.onGpus(host, gpus) });
  const few =
    there > 0 && devices > there && setting !== undefined ? [errors.tooFewGpus(setting, there)] : [];
  const gpu = usedGpu(gpus, undefined);
  return {
    engine,
    ...(gpu && { device: plannedGpu(gpu, deviceLimit(host, askedDeviceMemory(program))) }),
    diagnostics: [...few, ...placeProblems(engine, settingOf)],
  };
}

/** The same for a machine that is not here, with the versions that ftpc installs. */
function planned(
  host: Host,
  asked: EngineRequest,
  match: MachineMatch | undefined,
  settingOf: Lookup,
): EngineFound {
  const machine = match?.machine;
  const device = machine?.device === undefined ? 'cpu' : 'cuda';
  const there = device === 'cpu' ? 1 : (match?.devices ?? machine?.devices);
  const multipliesBf16 = machine !== undefined && nativeBf16.onMachine(host, machine);
  const place = { device, devices: asked.devices ?? there ?? 1 } as const;
  const engine = engineOf(asked, { packages: INSTALLED, ...place, multipliesBf16 });
  return { engine, diagnostics: placeProblems(engine, settingOf) };
}

const matchOf = (host: Host, { options, program }: EngineInput): MachineMatch | undefined =>
  options.machine === undefined ? undefined : findMachine(options.machine, knownMachines(host, program));

/** What computes a file that is only checked: one that asks for the accelerate engine is for a machine that has it. */
export async function engineOfFile(
  host: Host,
  { program, analysis }: { readonly program: Program; readonly analysis: Analysis },
): Promise<{ readonly engine: RunEngine; readonly isAsked: boolean }> {
  const asked = askedEngine({}, program);
  const isAsked = asked.engine !== 'auto';
  if (asked.engine === 'accelerate')
    return {
      isAsked,
      engine: engineOf(asked, {
        ...{ packages: INSTALLED, device: 'cuda', devices: asked.devices ?? 1 },
        multipliesBf16: false,
      }),
    };
  const { engine } = await decideEngine(host, { options: {}, program, analysis });
  return { engine, isAsked };
}

/** What `ftpc runtime install accelerate` installs. */
const INSTALLED: PythonEnvironment['packages'] = Object.fromEntries(
  PACKAGE_NAMES.flatMap((name) => {
    const { tried } = packageOf(name);
    return tried === undefined ? [] : [[name, tried]];
  }),
);

type Place = Pick<AccelerateRun, 'python' | 'device' | 'devices'> &
  Pick<PythonEnvironment, 'packages'> & {
    /** `undefined`: nothing says it. */
    readonly multipliesBf16: boolean | undefined;
  };

function engineOf(
  { nodes = 1, sharding = 'auto', node, rendezvous }: EngineRequest,
  { packages, multipliesBf16, ...place }: Place,
): AccelerateRun {
  const flash = place.device === 'cuda' ? packages.flash_attn : undefined;
  const { version } = engineIdentity({ packages });
  return {
    name: 'accelerate',
    version: flash === undefined ? version : `${version}, flash_attn ${flash}`,
    versions: Object.fromEntries(Object.entries(packages)),
    ...place,
    ...{ nodes, sharding },
    attention: flash === undefined ? 'sdpa' : 'flash_attention_2',
    ...(multipliesBf16 && { multipliesBf16 }),
    ...(multipliesBf16 === undefined && { bf16Unknown: true }),
    ...(nodes > 1 && node !== undefined && { node }),
    ...(nodes > 1 && rendezvous !== undefined && { rendezvous }),
  };
}

/** What is said of several devices or nodes where there is one, and of a node that is not there. */
function placeProblems(
  { devices, nodes, sharding }: AccelerateRun,
  settingOf: Lookup,
): readonly Diagnostic[] {
  const setting = settingOf('sharding');
  return [
    ...(sharding !== 'auto' && setting !== undefined && devices * nodes === 1
      ? [errors.shardsOfOne(setting)]
      : []),
    ...(['node', 'rendezvous'] as const).flatMap((key) => {
      const place = settingOf(key);
      const isNone = nodes === 1 || (key === 'node' && Number(place?.value) >= nodes);
      return place !== undefined && isNone ? [errors.noSuchNode(place, nodes)] : [];
    }),
  ];
}
