import { join, relative, resolve } from 'node:path';
import { fileNotFound, isFolder } from '../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Call, Stage, Value } from '../../../language/ir/program.js';
import { isCall, isRecord } from '../../../language/ir/values.js';
import { isMadeUp, isShipped } from '../../../language/schemas/functions/source.js';
import { pinnedCommit, pinnedFiles, repositoryOf } from '../../../language/schemas/repositories.js';
import { type DataSettings, generalMix, mixedSources } from '../../../language/schemas/stages/data.js';
import { formatOfFile, snapshotFolder } from '../hub-repositories.js';
import { type Columns, type OwnName, ownNames } from './column-names.js';
import type { RowFile, RowFormat } from './read/read-rows.js';

/** `name` is relative to the working directory where the file lies in it: what reports and editors show. */
export interface SourceFile extends RowFile {
  readonly size: number;
  readonly columns: Columns;
  /** Mixed into the training split. */
  readonly general: boolean;
  /** Which source of a mix of several it belongs to: 0 for `source`, then in the order of the list. */
  readonly part: number;
}

/**
 * The files of a data stage in the order in which they are read: as listed, a glob's sorted, general ones last. A file
 * that two patterns name is read once, but each of the lists in it that are named. Throws a {@link UserError} if a
 * pattern names no file.
 */
export function sourceFiles(settings: DataSettings, folder: string, host: Host): readonly SourceFile[] {
  const general = generalMix(settings);
  const listed = [
    ...[settings.source].flat().map((call) => ({ call, general: false, part: 0 })),
    ...mixedSources(settings).map(({ source }, i) => ({ call: source, general: false, part: i + 1 })),
    ...(general === undefined ? [] : [{ call: general.general, general: true, part: 0 }]),
  ];
  const seen = new Set<string>();
  return listed.flatMap(({ call, general, part }) => {
    const columns = columnsOf(call.args['columns']);
    const { args } = call;
    const from = { args, columns, general, part };
    if (isMadeUp(call))
      return [{ path: '', name: 'synthetic', format: 'synthetic' as const, size: 0, ...from }];
    return sourcePaths(call, folder, host).flatMap(({ path, name }) => {
      const reading = JSON.stringify([path, args['field'] ?? null]);
      if (seen.has(reading)) return [];
      seen.add(reading);
      return [
        {
          path,
          name,
          format: formatOf(call, { path, name }, host),
          size: host.stat(path)?.size ?? 0,
          ...from,
        },
      ];
    });
  });
}

/** The call says it; of a data set of the Hub, a file's ending. */
function formatOf(call: Call, { path, name }: Pick<SourceFile, 'path' | 'name'>, host: Host): RowFormat {
  if (isShipped(call)) return 'jsonl';
  if (repositoryOf(call) === undefined) return call.call as RowFormat;
  const format = formatOfFile(name) ?? 'jsonl';
  return format === 'json' && isLined(path, host) ? 'jsonl' : format;
}

/** `.json` stands for a list as well as for one object per line. */
function isLined(path: string, host: Host): boolean {
  if (host.stat(path) === undefined) return false;
  return /^\ufeff?\s*\{/.test(Buffer.from(host.readBytes(path, 0, 256)).toString());
}

/**
 * The files that a call of the family `source` reads, in order. Throws a {@link UserError} if it names none, or a
 * data set of the Hub that nobody pinned.
 */
export function sourcePaths(
  call: Call,
  folder: string,
  host: Host,
): readonly Pick<SourceFile, 'path' | 'name'>[] {
  if (isMadeUp(call)) return [];
  if (isShipped(call)) return [shippedFile(call, host)];
  const repository = repositoryOf(call);
  if (repository === undefined)
    return localFiles(String(call.args['files']), folder, host).map((path) => ({
      path,
      name: nameOf(path, host),
    }));
  const commit = pinnedCommit(call);
  if (commit === undefined) throw new Error(`${repository.id} was never pinned`);
  const snapshot = snapshotFolder(host, repository, commit);
  return pinnedFiles(call).map((name) => ({ path: join(snapshot, name), name: `${repository.id}/${name}` }));
}

/** Every source of a data stage, and its path: `source`, `source.1`, `mix.0.source`, `mix.general`. */
export function sourceCalls(
  settings: DataSettings,
): readonly { readonly path: string; readonly call: Call }[] {
  const { source } = settings;
  const own = Array.isArray(source)
    ? [source].flat().map((call, index) => ({ path: `source.${index}`, call }))
    : [source].flat().map((call) => ({ path: 'source', call }));
  const general = generalMix(settings);
  return [
    ...own,
    ...mixedSources(settings).map(({ source: call }, index) => ({ path: `mix.${index}.source`, call })),
    ...(general === undefined ? [] : [{ path: 'mix.general', call: general.general }]),
  ];
}

/** The sources as reports name them: the pattern of files or the repository that each reads. */
export const sourceName = (calls: readonly Call[]): string =>
  calls.map(({ call, args }) => String(args['files'] ?? args['repository'] ?? call)).join(', ');

function shippedFile({ args }: Call, host: Host): Pick<SourceFile, 'path' | 'name'> {
  const name = `samples/${String(args['name'])}.jsonl`;
  return { path: join(host.packageFolder, 'stdlib', name), name: `std/${name}` };
}

function localFiles(pattern: string, folder: string, host: Host): readonly string[] {
  const path = resolve(folder, pattern);
  const stat = host.stat(path);
  if (stat?.isFolder === true) throw new UserError(isFolder(nameOf(path, host)));
  if (stat !== undefined) return [path];
  const found = host.glob(pattern, folder);
  if (found.length > 0) return found;
  throw new UserError(
    fileNotFound(nameOf(path, host), { help: 'the path is relative to the pipeline file' }),
  );
}

function nameOf(path: string, host: Host): string {
  const name = relative(host.cwd, path);
  return (name.startsWith('..') ? path : name).replaceAll('\\', '/');
}

/** What a stage's sources call a column; its usual name where they differ. General rows have names of their own. */
export function ownNamesOf({ settings }: Pick<Stage, 'settings'>): OwnName {
  const mixed = [settings['mix']].flat().map((entry) => (isRecord(entry) ? entry['source'] : undefined));
  const calls = [settings['source'], ...mixed].flat().filter(isCall);
  const [first = {}, ...others] = calls.map(({ args }) => columnsOf(args['columns']));
  return ownNames(
    Object.fromEntries(
      Object.entries(first).filter(([usual, own]) => others.every((columns) => columns[usual] === own)),
    ),
  );
}

function columnsOf(value: Value | undefined): Columns {
  return Object.fromEntries(
    Object.entries(value ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
