/**
 * Columns of rows in files that are here, as far as a look at their bytes tells: cheap enough for every `check`, and
 * silent where it is not certain. What rows really hold is read where they are built.
 */
import { resolve } from 'node:path';
import { HostError } from '../host/host.js';
import type { Call } from '../ir/program.js';
import type { FolderAccess } from './context.js';

export interface FileColumns {
  /** As the pipeline names the files. */
  readonly files: string;
  /** Those of the first row. */
  readonly first: readonly string[];
  /** `false`: no row has it. */
  readonly has: (column: string) => boolean;
}

/** Larger files are not looked through, nor more of them. */
const MOST_BYTES = 4 << 20;
const MOST_FILES = 64;
const PACKED = /\.gz$/i;

type ColumnReader = (bytes: Uint8Array, call: Call) => Omit<FileColumns, 'files'> | undefined;

/** By source; in the others it is not the text that names the columns. */
const LOOKS: Readonly<Record<string, ColumnReader>> = { jsonl: lookAtLines, csv: lookAtHeader };

/** `undefined` if the rows are elsewhere, packed or too many, or cannot be read. */
export function fileColumns(call: Call, { host, folder }: FolderAccess): FileColumns | undefined {
  const look = Object.hasOwn(LOOKS, call.call) ? LOOKS[call.call] : undefined;
  const { files } = call.args;
  if (look === undefined || typeof files !== 'string') return undefined;
  try {
    const path = resolve(folder, files);
    const paths = host.stat(path) === undefined ? host.glob(files, folder) : [path];
    const bytes = paths.reduce((sum, file) => sum + (host.stat(file)?.size ?? 0), 0);
    if (bytes > MOST_BYTES || paths.length > MOST_FILES || paths.some((file) => PACKED.test(file)))
      return undefined;
    const found = paths.map((file) => look(host.readBytes(file), call));
    const [first] = found;
    if (first === undefined || found.includes(undefined)) return undefined;
    return {
      files,
      first: first.first,
      has: (column) => found.some((one) => one?.has(column) === true),
    };
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** Read again at every keystroke of an editor, which gets the same bytes. */
const known = new WeakMap<Uint8Array, Omit<FileColumns, 'files'> | null>();

/** The first row has the names; a name that appears in no quotes anywhere is not one of a later row either. */
function lookAtLines(bytes: Uint8Array): Omit<FileColumns, 'files'> | undefined {
  const before = known.get(bytes);
  if (before !== undefined) return before ?? undefined;
  const row = firstRow(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const asked = new Map<string, boolean>();
  const has = (column: string): boolean => {
    const found =
      asked.get(column) ?? (row?.includes(column) === true || text.includes(JSON.stringify(column)));
    asked.set(column, found);
    return found;
  };
  const made = row === undefined ? undefined : { first: row, has };
  known.set(bytes, made ?? null);
  return made;
}

/** Names of the first line that is not blank; `undefined` if it is not an object. */
function firstRow(bytes: Uint8Array): readonly string[] | undefined {
  const text = new TextDecoder();
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start);
    const line = text.decode(bytes.subarray(start, end < 0 ? bytes.length : end)).trim();
    if (line !== '') return namesIn(line);
    if (end < 0) return undefined;
    start = end + 1;
  }
  return undefined;
}

function namesIn(line: string): readonly string[] | undefined {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === 'object' && row !== null && !Array.isArray(row) ? Object.keys(row) : undefined;
  } catch {
    return undefined;
  }
}

const DELIMITERS: Readonly<Record<string, string>> = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' };

/** The header; one with quotes may continue in the next line, and is left to those who read the file. */
function lookAtHeader(bytes: Uint8Array, { args }: Call): Omit<FileColumns, 'files'> | undefined {
  const end = bytes.indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end)).trimEnd();
  const delimiter = DELIMITERS[String(args['delimiter'] ?? 'comma')];
  if (line === '' || line.includes('"') || delimiter === undefined) return undefined;
  const first = line.split(delimiter);
  return { first, has: (column) => first.includes(column) };
}
