/** From a pipeline's file to its plan: `plan`, `run`, `test`, reviews and editors find the same wrong with the same file. */

import { join, sep } from 'node:path';
import { type CompileResult, compile } from '../../language/compile.js';
import { nothingToPlan } from '../../language/diagnostics/catalogue/wiring.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import type { Program } from '../../language/ir/program.js';
import { lintReport } from '../../language/lint/index.js';
import { hubCalls } from '../hub/calls.js';
import { withLocalShapes } from '../hub/local-shapes.js';
import { firstPlace, type LockResolveOptions, type PinnedPipeline, resolveProgram } from '../lock/index.js';
import { askedEngine } from '../planner/budget.js';
import { decidedProgram, type PlanOptions, plan } from '../planner/plan.js';
import { neverResumable } from '../planner/plan-context.js';
import type { Plan } from '../planner/plan-json.js';
import { between } from '../planner/time/train-time.js';
import { DOWNLOAD, FETCHED } from '../planner/time/utilisation.js';
import { withPrecision } from '../stages/train/precision.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { checkAnswerSchemas } from './check-answer-schemas.js';
import { checkLicences } from './check-licences.js';
import { checkModels } from './check-models.js';
import { engineRefusals } from './refusals.js';
import type { PlanRequest, PlanScope, PlanTarget, Preparation, SavedPlanFile } from './request.js';
import { computing } from './runtime.js';
import { movedInPlan, movedSince } from './saved-plan.js';
import { tensorCounter } from './tensor-counter.js';

/** Floating-point operations per second of the machine whose times are compared: about two desktop cores. */
export const NOMINAL_SPEED = 100e9;

export const prepare = (host: Host, request: PlanRequest, scope: PlanScope = {}): Promise<Preparation> =>
  prepareCompiled(host, compile(host, request.file, { params: request.params }), request, scope);

/** Never throws for what a user can cause: the first step that finds an error is the last. */
export async function prepareCompiled(
  disk: Host,
  compiled: CompileResult,
  target: PlanTarget = {},
  scope: PlanScope = {},
): Promise<Preparation> {
  const { unplanned, ready } = await readyToPlan(disk, compiled, target, scope);
  if (ready === undefined) return unplanned;
  const { program, host, options, fetch } = ready;
  const planned = await plan(program, host, options);
  const { saved } = target;
  const moved = saved === undefined ? [] : movedInPlan(saved, compiled, planned);
  const diagnostics = [...unplanned.diagnostics, ...moved];
  if (moved.some(isError)) return { ...unplanned, diagnostics };
  return {
    ...unplanned,
    diagnostics,
    program: decidedProgram(program, planned.search),
    plan: {
      ...planned,
      ...downloadOf(fetch, program.shapes ?? []),
      ...(fetch.length === 0 ? {} : { fetch }),
      ...(program.shapes === undefined ? {} : { shapes: program.shapes }),
    },
  };
}

/** Files of the Hub, and weights that were planned by their shape. */
function downloadOf(
  fetch: PinnedPipeline['fetch'],
  shapes: NonNullable<Program['shapes']>,
): Pick<Plan, 'download'> {
  const sizes = [...fetch, ...shapes.map(({ bytes, stored }) => stored ?? { bytes })];
  const bytes = sizes.reduce((sum, one) => sum + one.bytes, 0);
  return bytes === 0 ? {} : { download: { bytes, seconds: between(bytes / DOWNLOAD, FETCHED) } };
}

/** A program with everything that its plan needs. */
interface ReadyProgram {
  readonly program: Program;
  readonly host: Host;
  readonly options: PlanOptions;
  readonly fetch: PinnedPipeline['fetch'];
}

interface Readiness {
  readonly unplanned: Preparation;
  /** Absent if anything is wrong. */
  readonly ready?: ReadyProgram;
}

/** All that precedes a plan. */
export async function readyToPlan(
  disk: Host,
  compiled: CompileResult,
  target: PlanTarget,
  { hub = 'always', speed = 'measured', runs, shapes }: PlanScope,
): Promise<Readiness> {
  const host = runs === 'none' ? withoutRuns(disk) : disk;
  const lints = lintReport(compiled, disk);
  const diagnostics = [...compiled.diagnostics];
  /** Whether what was found lets the next step begin. */
  const goesOn = (found: readonly Diagnostic[]): boolean => {
    diagnostics.push(...found);
    return !found.some(isError);
  };
  const unplanned: Preparation = { compiled, lints, diagnostics };
  const nothing: Readiness = { unplanned };
  const { program: written, analysis } = compiled;
  if (written === undefined || analysis === undefined) return nothing;
  if (!goesOn(await checkModels(compiled, host))) return nothing;
  if (!goesOn(await checkAnswerSchemas(written))) return nothing;
  if (written.stages.length === 0 && !goesOn([nothingToPlan(written.file)])) return nothing;
  const { saved } = target;
  const { options, diagnostics: ofMachine } = await computing(host, target, {
    program: written,
    analysis,
    speed,
  });
  if (ofMachine.some(isError) && !goesOn(ofMachine)) return nothing;
  const { engine } = options;
  const checked = withPrecision(written, engine);
  const isAsked = askedEngine(target, checked).by !== 'auto';
  if (!goesOn(engineRefusals({ program: checked, analysis, host, engine, isAsked }))) return nothing;
  const moved = saved && movedSince(saved, { program: checked, analysis }, host, options);
  if (moved !== undefined && !goesOn(moved)) return nothing;
  const resolved = await resolve({ program: checked, analysis }, host, hub, {
    locked: target.locked,
    shapes,
    ...(saved === undefined ? {} : { commits: commitsOf(saved) }),
  });
  goesOn([...resolved.diagnostics, ...ofMachine]);
  if (resolved.program === undefined) return nothing;
  const shaped = shapes
    ? withLocalShapes(resolved.program, resolved.host, (named) => firstPlace(analysis, named))
    : { program: resolved.program, host: resolved.host, digests: {}, diagnostics: [] };
  if (!goesOn(shaped.diagnostics)) return nothing;
  const { program } = shaped;
  if (!goesOn(await checkLicences(program, analysis, shaped.host))) return nothing;
  return {
    unplanned,
    ready: {
      program,
      host: typeof runs === 'object' ? { ...shaped.host, ...runs } : shaped.host,
      fetch: resolved.fetch,
      options: {
        ...target,
        ...options,
        ...FINDING[speed],
        ...(speed === 'measured' && {
          count: tensorCounter(host, engine, askedEngine(target, checked).python),
        }),
        ...(runs === 'none' ? { store: NO_STORE } : {}),
        digests: { ...resolved.digests, ...shaped.digests },
        savedPlans: saved && choicesOf(saved),
      },
    },
  };
}

const NO_STORE: PlanOptions['store'] = {
  find: () => undefined,
  resumable: neverResumable,
  begun: () => [],
};

const FINDING: Readonly<Record<NonNullable<PlanScope['speed']>, Pick<PlanOptions, 'speed' | 'nominal'>>> = {
  measured: {},
  unknown: { speed: async () => undefined },
  nominal: { nominal: { flopsPerSecond: NOMINAL_SPEED } },
};

async function resolve(
  compiled: Parameters<typeof resolveProgram>[0],
  host: Host,
  hub: NonNullable<PlanScope['hub']>,
  options: LockResolveOptions,
): Promise<PinnedPipeline> {
  if (hub === 'always') return resolveProgram(compiled, host, options);
  // a shape is what is left where neither the cache nor the Hub has a model
  const shapes = hub === 'never' && options.shapes;
  const cached = await resolveProgram(compiled, host, { ...options, shapes, offline: true });
  const isFinal =
    hub === 'never' || cached.program !== undefined || hubCalls(compiled.program.stages).length === 0;
  return isFinal ? cached : resolveProgram(compiled, host, options);
}

const commitsOf =
  ({ plan: { repositories } }: SavedPlanFile): LockResolveOptions['commits'] =>
  ({ kind, id, revision }) =>
    repositories.find((saved) => saved.kind === kind && saved.id === id && saved.revision === revision)
      ?.commit;

const choicesOf = ({ plan: { stages } }: SavedPlanFile): Readonly<Record<string, TrainPlan>> =>
  Object.fromEntries(stages.flatMap(({ name, chosen }) => (chosen === null ? [] : [[name, chosen]])));

/** Without what earlier runs left, but with the digests of large files: they save time and change nothing. */
function withoutRuns(host: Host): Host {
  const work = join(host.cwd, '.ftp');
  const kept = join(work, 'digests.json');
  const isHidden = (path: string): boolean => path === work || (path.startsWith(work + sep) && path !== kept);
  const shown = <T>(path: string, read: () => T): T => {
    if (isHidden(path)) throw new HostError('not_found', path, 'left out of comparisons');
    return read();
  };
  return {
    ...host,
    store: undefined,
    stat: (path) => (isHidden(path) ? undefined : host.stat(path)),
    readText: (path) => shown(path, () => host.readText(path)),
    readBytes: (path, start, length) => shown(path, () => host.readBytes(path, start, length)),
    list: (folder) => shown(folder, () => host.list(folder)),
  };
}
