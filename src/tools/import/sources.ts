/** Where the rows of a data set are: a function of `std/data` with its arguments. */
import { extname, join, relative, resolve, sep } from 'node:path';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { HostError } from '../../language/host/host.js';
import { PACKED, SOURCE_BY_ENDING } from '../../language/schemas/functions/source.js';
import { isRepositoryId, isRevision } from '../../language/schemas/repositories.js';
import { lookUp } from '../../language/source/look-up.js';
import { quoted } from '../../language/source/quoted.js';
import { wrongValue } from './import-diagnostics.js';
import type { Dataset } from './recipe.js';
import type { ImportContext } from './translation.js';

type SourceCall = (typeof SOURCE_BY_ENDING)[keyof typeof SOURCE_BY_ENDING] | 'hub';

export interface Source {
  readonly call: SourceCall;
  /** `hub("org/name", split: "test")` */
  readonly text: string;
}

const CALLS: Readonly<Record<string, SourceCall>> = SOURCE_BY_ENDING;

/** Readers of the library `datasets`, which a file has in the place of a path: `path: json`, `data_files: rows.jsonl`. */
const READERS = new Set(['json', 'csv', 'parquet', 'text', 'arrow']);

const kindOf = (path: string): string => extname(path.replace(PACKED, '')).toLowerCase();

const looksLocal = (path: string): boolean =>
  /^(\.{1,2}([/\\]|$)|[/\\~]|[A-Za-z]:[/\\])/.test(path) || lookUp(CALLS, kindOf(path)) !== undefined;

/** Whether a name is that of something on this disk, and not of a repository. */
export const isLocal = (path: string, { host, folder }: ImportContext): boolean =>
  looksLocal(path) || host.stat(resolve(folder, path)) !== undefined;

/** A path of the file, as the pipeline in `output` has to write it. */
export function pathFrom(output: string, folder: string, path: string): string {
  const found = relative(output, resolve(folder, path));
  // A path that leaves through the root is better said as what it is.
  return (/^(\.\.[/\\]){4}/.test(found) ? resolve(folder, path) : found || '.').split(sep).join('/');
}

/** The call for a data set, or why there is none. `output`: the folder of the pipeline. */
export function sourceOf(dataset: Dataset, output: string, context: ImportContext): Source | Diagnostic {
  const { path = '', at } = dataset;
  if (READERS.has(path) && dataset.files !== undefined)
    return local(
      { ...dataset, path: dataset.files[0], files: undefined, fileType: dataset.fileType ?? path },
      output,
      context,
    );
  if (isLocal(path, context)) return local(dataset, output, context);
  if (!isRepositoryId(path))
    return wrongValue(
      at,
      'a data set',
      'a file or a folder, or `org/name` of the Hub',
      quoted(path.slice(0, 60)),
    );
  const { name: split } = splitOf(dataset.split);
  const files = patternOf(dataset.files);
  const args = [
    ...(files !== undefined
      ? [`files: ${quoted(files)}`]
      : split === undefined || split === 'train'
        ? []
        : [`split: ${quoted(split)}`]),
    ...(dataset.revision !== undefined && isRevision(dataset.revision)
      ? [`revision: ${quoted(dataset.revision)}`]
      : []),
    ...columnsOf(dataset),
  ];
  return { call: 'hub', text: `hub(${[quoted(path), ...args].join(', ')})` };
}

/** Several names as one pattern. */
const patternOf = (files: readonly string[] | undefined): string | undefined =>
  files === undefined || files.length < 2 ? files?.[0] : `{${files.join(',')}}`;

function local(dataset: Dataset, output: string, context: ImportContext): Source {
  const { host, folder } = context;
  const given = dataset.path ?? '';
  const named = patternOf(dataset.files);
  const path = named === undefined ? given : join(given, named);
  const stat = host.stat(resolve(folder, path));
  const found = stat?.isFolder === true ? filesIn(resolve(folder, path), context) : undefined;
  const kind = found?.kind ?? kindOf(path);
  const call = callOf(kind, resolve(folder, path), dataset, context);
  const pattern = found === undefined ? path : join(path, found.name);
  const args = [
    ...(kind === '.tsv' ? ['delimiter: tab'] : []),
    ...(call === 'text' ? [] : columnsOf(dataset)),
  ];
  return { call, text: `${call}(${[quoted(pathFrom(output, folder, pattern)), ...args].join(', ')})` };
}

/** The data files of a folder: those of the kind that most are of. */
function filesIn(
  path: string,
  { host }: ImportContext,
): { readonly kind: string; readonly name: string } | undefined {
  const names = host.list(path).filter((name) => lookUp(CALLS, kindOf(name)) !== undefined);
  const counts = new Map<string, number>();
  for (const name of names) counts.set(kindOf(name), (counts.get(kindOf(name)) ?? 0) + 1);
  const [kind] = [...counts].sort(([, left], [, right]) => right - left)[0] ?? [];
  return kind === undefined ? undefined : { kind, name: names.length === 1 ? (names[0] ?? '') : `*${kind}` };
}

/** Of a `.json`, only its beginning tells whether it has one list or a row on each line. */
function callOf(kind: string, path: string, { fileType }: Dataset, context: ImportContext): SourceCall {
  const call = lookUp(CALLS, kind) ?? lookUp(CALLS, `.${fileType ?? 'jsonl'}`) ?? 'jsonl';
  if (call !== 'json') return call;
  const beginning = beginningOf(path, context)?.trimStart();
  return beginning?.startsWith('{') === true ? 'jsonl' : 'json';
}

function beginningOf(path: string, { host }: ImportContext): string | undefined {
  try {
    return new TextDecoder().decode(host.readBytes(path, 0, 1 << 16));
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** Names of the columns in the first row of a file of JSON; `undefined` if it cannot be told. */
export function columnsIn(path: string, context: ImportContext): readonly string[] | undefined {
  const text = beginningOf(resolve(context.folder, path), context);
  const [row] = text?.split('\n') ?? [];
  try {
    const value: unknown = JSON.parse(row ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.keys(value)
      : undefined;
  } catch {
    return undefined;
  }
}

function columnsOf({ columns }: Dataset): readonly string[] {
  const pairs = Object.entries(columns).map(([column, name]) => `${column}: ${quoted(name)}`);
  return pairs.length === 0 ? [] : [`columns: { ${pairs.join(', ')} }`];
}

/** `train[:20%]` → its name and the share or the number of rows that are read. */
export function splitOf(split: string | undefined): {
  readonly name?: string;
  readonly share?: number;
  readonly rows?: number;
  /** The part of it that is asked for in a way that is not understood. */
  readonly part?: string;
} {
  const [, name, part] = /^([\w.-]+)(?:\[(.*)\])?$/.exec(split ?? '') ?? [];
  if (name === undefined) return split === undefined ? {} : { part: split };
  if (part === undefined) return { name };
  const [, amount, percent] = /^:(\d+)(%?)$/.exec(part) ?? [];
  if (amount === undefined) return { name, part: split };
  return percent === '%'
    ? { name, share: Math.min(Number(amount) / 100, 1) }
    : { name, rows: Number(amount) };
}
