/** A program whose repositories are commits: what a plan and a run start from. */
import { join } from 'node:path';
import { userProblem } from '../../compute/models/user-problem.js';
import { plannedByShape, toFetch } from '../../language/diagnostics/catalogue/hub.js';
import { type Diagnostic, isError, UserError } from '../../language/diagnostics/types.js';
import type { DigestTable, StoredDigest } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import type { Call, HubFile, PinnedRepository, Program, Value } from '../../language/ir/program.js';
import { type Repository, repositoryOf } from '../../language/schemas/repositories.js';
import type { Span } from '../../language/source/span.js';
import { snapshotFolder } from '../stages/hub-repositories.js';
import { SHAPE } from '../stages/resolve-models.js';
import { accessFrom, type HubAccess, type HubListing } from './access.js';
import { missingFiles } from './cache.js';
import { type HubCall, hubCalls, replaceCalls, secretOf } from './calls.js';
import { type FileEnds, readEnds, type VirtualFile, withVirtualFiles } from './heads.js';
import { type ShapedRepository, shapeOfRepository } from './model-shapes.js';
import { filesOfCall, pinDataSet, pinModel } from './repository-files.js';
import { resolveListing } from './resolve.js';

export interface PinOptions {
  /** The commit that a lock has for a repository. */
  readonly locked?: (repository: Repository) => string | undefined;
  /** Repositories whose revision is looked up again. */
  readonly fresh?: (repository: Repository) => boolean;
  /** Asks no server, whatever the environment says. */
  readonly offline?: boolean;
  /** Whether files that are not here are looked into, as a plan needs it; left out, they are. */
  readonly heads?: boolean;
  /** Whether a model that cannot be had is planned by its shape, where that is known. */
  readonly shapes?: boolean;
  /** Milliseconds before each further try of a request; left out, some seconds in all. */
  readonly pauses?: readonly number[];
  /** Where the calls of one repository are in the file. */
  readonly at?: (calls: readonly HubCall[]) => Span | undefined;
}

type Fetch = Omit<PinnedRepository, 'files' | 'secret'> & {
  readonly files: number;
  readonly bytes: number;
};

export interface PinnedProgram {
  /** Absent where a repository could not be resolved. */
  readonly program?: Program;
  /** Shows files that are still to be fetched as far as a plan needs them. */
  readonly host: Host;
  /** What is still to be fetched, by repository. */
  readonly fetch: readonly Fetch[];
  /** Digests of these files. */
  readonly digests: DigestTable;
  readonly diagnostics: readonly Diagnostic[];
}

/** Never throws for what a user or a server can cause. A program without repositories comes back as it is. */
export async function pinProgram(
  program: Program,
  host: Host,
  options: PinOptions = {},
): Promise<PinnedProgram> {
  const calls = hubCalls(program.stages);
  if (calls.length === 0) return { program, host, fetch: [], digests: {}, diagnostics: [] };
  const found = new Map<string, ResolvedRevision>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, group] of byRepository(calls)) {
    const at = options.at?.(group.named);
    const report = (diagnostic: Diagnostic): void =>
      void diagnostics.push({ ...diagnostic, at: at ?? diagnostic.at });
    try {
      const resolved = await resolveOrShape(group, host, options, report);
      found.set(name, resolved);
      if (resolved.shape !== undefined) continue;
      const missing = fetchOf(resolved);
      if (missing.files > 0) diagnostics.push(toFetch(missing));
    } catch (error) {
      const problem = userProblem(error);
      if (problem === undefined) throw error;
      report(problem);
    }
  }
  const virtual = virtualFiles(host, [...found.values()]);
  return {
    ...(diagnostics.some(isError) ? {} : { program: pinned(program, found) }),
    host: withVirtualFiles(host, virtual.files),
    fetch: [...found.values()]
      .filter(({ shape }) => shape === undefined)
      .map(fetchOf)
      .filter(({ files }) => files > 0),
    digests: virtual.digests,
    diagnostics,
  };
}

const fetchOf = ({ pinned: { kind, id, revision, commit }, missing }: ResolvedRevision): Fetch => ({
  kind,
  id,
  revision,
  commit,
  files: missing.length,
  bytes: missing.reduce((sum, { bytes }) => sum + bytes, 0),
});

const nameOf = ({ kind, id, revision }: Repository): string => `${kind} ${id} ${revision}`;

/** The calls that name one repository. */
interface CallGroup {
  readonly repository: Repository;
  readonly named: HubCall[];
  readonly calls: Call[];
}

function byRepository(all: readonly HubCall[]): ReadonlyMap<string, CallGroup> {
  const groups = new Map<string, CallGroup>();
  for (const one of all) {
    const repository = repositoryOf(one.call);
    if (repository === undefined) continue;
    const name = nameOf(repository);
    const group = groups.get(name) ?? { repository, named: [], calls: [] };
    group.named.push(one);
    group.calls.push(one.call);
    groups.set(name, group);
  }
  return groups;
}

interface ResolvedRevision {
  readonly repository: Repository;
  readonly listing: HubListing;
  readonly pinned: PinnedRepository;
  /** Files that are not here, and how they begin. */
  readonly missing: readonly HubFile[];
  readonly heads: ReadonlyMap<HubFile, FileEnds>;
  /** Nothing else is known of it. */
  readonly shape?: ShapedRepository;
}

/** Milliseconds that a server is waited for where a plan can do without it. */
const SHORT_PATIENCE = 2_000;
/** Codes for a model that is not to be had: no network, no access, a server that refuses. */
const NOT_TO_BE_HAD: ReadonlySet<string> = new Set(['FTP1404', 'FTP1405', 'FTP1407', 'FTP1409', 'FTP1417']);

/** Of these, the ones that another copy of its config helps with. */
const AWAY: ReadonlySet<string> = new Set(['FTP1404', 'FTP1405', 'FTP1407']);

async function resolveOrShape(
  group: CallGroup,
  host: Host,
  options: PinOptions,
  warn: (diagnostic: Diagnostic) => void,
): Promise<ResolvedRevision> {
  const { repository } = group;
  const shape =
    options.shapes === true ? shapeOfRepository(host, repository, options.locked?.(repository)) : undefined;
  try {
    return await resolve(group, host, shape === undefined ? options : { ...options, isHasty: true }, warn);
  } catch (error) {
    if (!(error instanceof UserError) || !NOT_TO_BE_HAD.has(error.diagnostic.code)) throw error;
    if (shape === undefined) {
      const isAway = options.shapes === true && AWAY.has(error.diagnostic.code);
      throw isAway && repository.kind === 'model' ? ofUnknownShape(error) : error;
    }
    warn(plannedByShape(shape.shape, error.diagnostic.message));
    const { commit, listed } = shape;
    const { kind, id, revision } = repository;
    return {
      repository,
      listing: { commit, files: listed },
      pinned: { kind, id, revision, commit, files: listed },
      missing: [],
      heads: new Map(),
      shape,
    };
  }
}

/** A plan does with less than a run. */
const ofUnknownShape = ({ diagnostic }: UserError): UserError =>
  new UserError({
    ...diagnostic,
    help: [diagnostic.help, 'a plan alone needs its `config.json`, in a folder that `local("…")` names']
      .filter((text) => text !== undefined)
      .join('; '),
  });

async function resolve(
  { repository, calls }: CallGroup,
  host: Host,
  options: PinOptions & { readonly isHasty?: boolean },
  warn: (diagnostic: Diagnostic) => void,
): Promise<ResolvedRevision> {
  const secret = calls.map(secretOf).find((name) => name !== undefined);
  const real = accessFrom(host, secret);
  const access: HubAccess = {
    ...real,
    offline: real.offline || options.offline === true,
    pauses: options.isHasty ? [] : (options.pauses ?? real.pauses),
    patience: options.isHasty ? Math.min(real.patience, SHORT_PATIENCE) : real.patience,
  };
  // Without a server nothing newer than the lock can be known; the cache may be older than it.
  const fresh = options.fresh?.(repository) === true && !access.offline;
  const commit = fresh ? undefined : options.locked?.(repository);
  const listing = await resolveListing(repository, { host, access, commit, fresh, warn });
  const request = { host, access, repository, listing, secret };
  const pinned = await (repository.kind === 'model' ? pinModel(request) : pinDataSet(request, calls));
  const missing = missingFiles(host, pinned);
  const heads = new Map<HubFile, FileEnds>();
  for (const file of options.heads === false ? [] : missing)
    heads.set(file, await readEnds(access, pinned, file));
  return { repository, listing, pinned, missing, heads };
}

/** The calls say which commit they mean, and those of data sets which files. */
function pinned(program: Program, found: ReadonlyMap<string, ResolvedRevision>): Program {
  const pin = (call: Call): Call => {
    const repository = repositoryOf(call);
    const resolved = repository === undefined ? undefined : found.get(nameOf(repository));
    if (repository === undefined || resolved === undefined) return call;
    const { listing } = resolved;
    const files: Readonly<Record<string, Value>> =
      repository.kind === 'model' ? {} : { found: filesOfCall(repository, listing, call) };
    const shape: Readonly<Record<string, Value>> = resolved.shape === undefined ? {} : { [SHAPE]: true };
    return { ...call, args: { ...call.args, commit: listing.commit, ...files, ...shape } };
  };
  const all = [...found.values()];
  const shapes = all.flatMap(({ shape }) => (shape === undefined ? [] : [shape.shape]));
  return {
    ...replaceCalls(program, pin),
    repositories: all.map(({ pinned: one }) => one),
    ...(shapes.length === 0 ? {} : { shapes }),
  };
}

function virtualFiles(
  host: Host,
  all: readonly ResolvedRevision[],
): { readonly files: ReadonlyMap<string, VirtualFile>; readonly digests: DigestTable } {
  const files = new Map<string, VirtualFile>();
  const digests: Record<string, StoredDigest> = {};
  for (const { pinned: repository, heads, shape } of all) {
    if (shape !== undefined) {
      for (const [path, file] of shape.files) files.set(path, file);
      Object.assign(digests, shape.digests);
    }
    const folder = snapshotFolder(host, repository, repository.commit);
    for (const [{ name, bytes, sha256 }, ends] of heads) {
      const path = join(folder, name);
      files.set(path, { bytes, ...ends });
      if (sha256 !== undefined) digests[path] = { size: bytes, modified: 0, sha256 };
    }
  }
  return { files, digests };
}
