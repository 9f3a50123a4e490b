/** The lock's line for each thing that a pipeline reads, as it is now. */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { Analysis } from '../../language/compile.js';
import type { Digests } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import type { Call, PinnedRepository, Program } from '../../language/ir/program.js';
import type { LockedEntry, LockedFile } from '../../language/schemas/lock-file.js';
import { pinnedFiles, repositoryOf } from '../../language/schemas/repositories.js';
import { fileLines } from '../stages/data/file-lines.js';
import { licencesOf } from '../stages/data/licences.js';
import { sourcePaths } from '../stages/data/sources.js';
import { snapshotFolder } from '../stages/hub-repositories.js';
import { modelFiles, openResolved } from '../stages/open-models.js';
import { adapterPaths, resolveAdapter, resolveModelCall } from '../stages/resolve-models.js';
import type { LockItem } from './lock-items.js';

export interface LockInputs {
  /** With every repository pinned. */
  readonly program: Program;
  readonly host: Host;
  readonly digests: Digests;
  /** Counts rows, which reads every file of rows once more. */
  readonly rows: boolean;
}

/** Throws what opening models and files throws. */
export function entryOf(named: LockItem, reading: LockInputs): LockedEntry {
  const [call] = named.calls;
  if (call === undefined) throw new Error(`${named.key} has no call`);
  const repository = repositoryOf(call);
  const pinned = reading.program.repositories?.find(
    ({ kind, id, revision }) =>
      kind === repository?.kind && id === repository.id && revision === repository.revision,
  );
  const licence = named.section === 'models' ? licenceOf(call, reading) : rowsLicence(named, reading);
  return {
    ...(pinned === undefined ? {} : { commit: pinned.commit }),
    ...(licence === undefined ? {} : { licence }),
    files: pinned !== undefined ? hubFiles(named, pinned, reading) : localFiles(named, reading),
  };
}

function licenceOf(call: Call, { program, host }: LockInputs): string | undefined {
  const model = resolveModelCall(call, { folder: program.folder, host });
  return model === undefined ? undefined : openResolved(host, model).licence();
}

/** Several as one SPDX expression: all of them hold. */
function rowsLicence({ calls }: LockItem, { program, host }: LockInputs): string | undefined {
  const found = new Set(
    calls.flatMap((call) => licencesOf(call, program.folder, host).map(({ licence }) => licence)),
  );
  return found.size === 0 ? undefined : [...found].sort().join(' AND ');
}

type LockedFiles = Readonly<Record<string, LockedFile>>;

/** Large files have their digest from the Hub's list, so that nothing is fetched for a lock. */
function hubFiles(
  { calls, section }: LockItem,
  pinned: PinnedRepository,
  { host, digests, rows }: LockInputs,
): LockedFiles {
  const folder = snapshotFolder(host, pinned, pinned.commit);
  const read = section === 'models' ? undefined : new Set(calls.flatMap(pinnedFiles));
  const files = pinned.files.filter(({ name }) => read === undefined || read.has(name));
  return Object.fromEntries(
    files.map(({ name, bytes, sha256 }) => {
      const path = join(folder, name);
      const counted = rows && section === 'data' && sha256 === undefined ? { rows: rowsIn(host, path) } : {};
      return [name, { bytes, sha256: sha256 ?? digests.of(path), ...counted }];
    }),
  );
}

function localFiles(named: LockItem, reading: LockInputs): LockedFiles {
  const { program, host, digests, rows } = reading;
  const place = { folder: program.folder, host };
  if (named.section === 'models') {
    const files = named.calls.flatMap((call) => {
      const model = resolveModelCall(call, place);
      const adapter = resolveAdapter(call, place);
      return [
        ...(model === undefined ? [] : modelFiles(host, model)),
        ...(adapter === undefined
          ? []
          : named.readers.flatMap((reader) => adapterPaths(adapter, place, reader))),
      ];
    });
    return Object.fromEntries(
      files.map(({ name, path, bytes }) => [name, { bytes, sha256: digests.of(path) }]),
    );
  }
  const paths = named.calls.flatMap((call) => sourcePaths(call, program.folder, host));
  return Object.fromEntries(
    paths.map(({ path }) => [
      relative(program.folder, path).replaceAll('\\', '/'),
      { ...fileOf(path, host, digests), ...(rows ? { rows: rowsIn(host, path) } : {}) },
    ]),
  );
}

export const fileOf = (path: string, host: Host, digests: Digests): LockedFile => ({
  bytes: host.stat(path)?.size ?? 0,
  sha256: digests.of(path),
});

/** Lines that are not blank. */
function rowsIn(host: Host, path: string): number | undefined {
  if (!/\.jsonl$/i.test(path)) return undefined;
  let rows = 0;
  for (const _ of fileLines(host, path)) rows++;
  return rows;
}

/** Modules that the pipeline imports, near and far, by the name that an import has for them. */
export function modulesOf(
  analysis: Analysis,
  folder: string,
): Readonly<Record<string, { readonly sha256: string }>> {
  const modules = [...analysis.modules.values()].filter((module) => module !== analysis.main);
  return Object.fromEntries(
    modules.map(({ name, path, isLibrary, source }) => [
      isLibrary ? name : dotted(relative(folder, path).replaceAll('\\', '/')),
      { sha256: createHash('sha256').update(source.text).digest('hex') },
    ]),
  );
}

const dotted = (path: string): string => (path.startsWith('.') ? path : `./${path}`);
