/** A pipeline as it is → against the same pipeline at a commit. */
import { join, relative, resolve, sep } from 'node:path';
import { FILES, type ParamValues } from '../../language/check/overrides.js';
import { compile } from '../../language/compile.js';
import { brokenAtRef } from '../../language/diagnostics/catalogue/review.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { compare } from './compare.js';
import { diagnosticSummary } from './plan-outline.js';
import { type MachineChoice, machineRequest, planQuietly, type QuietPlan } from './plan-quietly.js';
import { refHost } from './ref-host.js';
import type { Repository } from './repository.js';
import type { Base, Comparison, Note, PlanOutline, StageOutline } from './types.js';

export interface CommitRequest {
  readonly host: Host;
  readonly file: string;
  readonly ref: string;
  readonly params: ParamValues;
  readonly machine: MachineChoice;
  readonly repository: Repository;
}

export interface CommitComparison {
  /** Its file, from the root of the repository. */
  readonly pipeline: string;
  readonly now: QuietPlan;
  /** Absent where the pipeline as it is has errors. */
  readonly comparison?: Comparison;
  /** Of the comparison itself; those of the pipeline are in `now`. */
  readonly diagnostics: readonly Diagnostic[];
}

interface EarlierPlan {
  readonly before: PlanOutline | undefined;
  /** The file at the commit, relative to the root; `null` if there was none. */
  readonly file: string | null;
  readonly notes: readonly Note[];
}

/** Throws a `UserError` if git cannot give what is asked for. */
export async function planAgainst(request: CommitRequest): Promise<CommitComparison> {
  const { host, file, ref, params, machine, repository } = request;
  const name = pathInRepository(repository, resolve(host.cwd, file));
  const now = await planQuietly(host, file, params, machine);
  if (now.outline === undefined) return { pipeline: name, now, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const report = (found: Diagnostic): void => {
    if (!diagnostics.some(({ message }) => message === found.message)) diagnostics.push(found);
  };
  const { before, file: earlierFile, notes } = await earlier(request, name, report);
  const base: Base = { kind: 'ref', ref, file: earlierFile };
  const comparison = compare({
    pipeline: name,
    base,
    machine: machineRequest(machine),
    before,
    after: withAdvice(now.outline, now),
    notes,
  });
  return { pipeline: name, now, comparison, diagnostics };
}

/** A reviewer asks which lint findings are new. */
const withAdvice = (reviewed: PlanOutline, { lints }: QuietPlan): PlanOutline => ({
  ...reviewed,
  diagnostics: [...reviewed.diagnostics, ...lints.diagnostics.map(diagnosticSummary)],
});

const pathInRepository = ({ root, realPath }: Repository, path: string): string =>
  relative(root, realPath(path)).split(sep).join('/');

async function earlier(
  { host, file, ref, params, machine, repository }: CommitRequest,
  name: string,
  report: (found: Diagnostic) => void,
): Promise<EarlierPlan> {
  const was = repository.tracked([name]).has(name) ? name : repository.renamedFrom(name);
  if (was === undefined) return { before: undefined, file: null, notes: [] };
  const world = refHost(host, repository, ref, report);
  const earlierFile = was === name ? file : relative(host.cwd, join(repository.root, was));
  const known = knownParams(world.host, earlierFile, params);
  const planned = await planQuietly(world.host, earlierFile, known, machine);
  const { compiled } = planned;
  const errors = planned.diagnostics.filter(isError);
  const notes: readonly Note[] = [
    ...(was === name ? [] : [{ kind: 'renamed' as const, from: was }]),
    ...Object.keys(params)
      .filter((param) => !Object.hasOwn(known, param))
      .map((param) => ({ kind: 'unknown_param' as const, name: param })),
    ...untracked(world.taken(), repository),
  ];
  if (compiled.program === undefined || planned.outline === undefined) {
    report(brokenAtRef(was, ref, errors.length, errors[0]?.message ?? ''));
    return { before: undefined, file: was, notes };
  }
  return {
    before: withDigests(withAdvice(planned.outline, planned), compiled.program.folder, world.absent),
    file: was,
    notes,
  };
}

const UNKNOWN_PARAM = 'FTP0501';

/** A parameter that the commit does not know yet is left out there. */
function knownParams(host: Host, file: string, params: ParamValues): ParamValues {
  const some = (chosen: readonly (readonly [string, string])[]): ParamValues => ({
    ...Object.fromEntries(chosen),
    [FILES]: params[FILES],
  });
  const isUnknown = (values: ParamValues): boolean =>
    compile(host, file, { params: values }).diagnostics.some(({ code }) => code === UNKNOWN_PARAM);
  if (Object.keys(params).length === 0 || !isUnknown(params)) return params;
  return some(Object.entries(params).filter((entry) => !isUnknown(some([entry]))));
}

function untracked(taken: readonly string[], repository: Repository): readonly Note[] {
  const tracked = repository.tracked(taken);
  // what runs leave is no part of the pipeline, and nobody commits it
  const files = taken.filter((path) => !tracked.has(path) && !path.split('/').includes('.ftp'));
  return files.length === 0 ? [] : [{ kind: 'untracked', files }];
}

/**
 * Where a file that Git LFS keeps was not fetched: stages that read it get the digest of its content in their keys, and
 * so do those after them.
 */
function withDigests(reviewed: PlanOutline, folder: string, digests: ReadonlyMap<string, string>) {
  if (digests.size === 0) return reviewed;
  const known = new Map([...digests].map(([path, sha256]) => [`file:${relative(folder, path)}`, sha256]));
  const stages: StageOutline[] = [];
  for (const stage of reviewed.stages) {
    const found = corrected(stage, known);
    stages.push(found);
    // stages are after those that they read
    if (found.identity !== undefined && found !== stage) known.set(`stage:${stage.name}`, found.identity.key);
  }
  return { ...reviewed, stages };
}

function corrected(stage: StageOutline, known: ReadonlyMap<string, string>): StageOutline {
  const { identity } = stage;
  const parts = Object.entries(identity?.parts ?? {});
  if (identity === undefined || !parts.some(([name]) => known.has(name))) return stage;
  return {
    ...stage,
    identity: {
      key: `${identity.key} with files that are not here`,
      parts: Object.fromEntries(parts.map(([name, value]) => [name, known.get(name) ?? value])),
    },
  };
}
