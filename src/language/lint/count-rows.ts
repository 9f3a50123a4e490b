/** How many rows a data stage can have, by counting lines: fast enough for every `check`. */
import { resolve } from 'node:path';
import type { CheckedStage } from '../check/stages.js';
import { type Host, HostError } from '../host/host.js';
import type { Call, Value } from '../ir/program.js';
import { isCall, isRecord } from '../ir/values.js';
import { PACKED } from '../schemas/functions/source.js';
import { entryOf, rowsIn } from './lock.js';
import type { PipelineFiles, RowCount } from './rule.js';

/** Larger files are not read: they have more rows than any rule asks for. */
const MOST_BYTES = 4 << 20;

/** Sources with one row per line. */
const LINED = new Set(['jsonl']);

/** What counting needs. */
interface CountingContext {
  readonly host: Host;
  readonly folder: string;
  readonly files: PipelineFiles;
  /** Rows by source, since many stages may read the same files. */
  readonly counted: Map<string, number | undefined>;
}

/** `undefined` if the files are too large, or of another kind, or a mix of several repeats and leaves out rows. */
export function countRows({ stage }: CheckedStage, context: CountingContext): RowCount | undefined {
  const sources = callsOf(stage.settings['source'] ?? null);
  const counts = sources.map((call) => rowsOf(call, context));
  const lines = counts.reduce<number | undefined>(
    (sum, rows) => (sum === undefined || rows === undefined ? undefined : sum + rows),
    sources.length === 0 || Array.isArray(stage.settings['mix']) ? undefined : 0,
  );
  const { split } = stage.settings;
  // A limit set by a parameter is for trial runs.
  const limit = stage.origins['limit'] === 'param' ? undefined : stage.settings['limit'];
  const most = typeof limit === 'number' ? Math.min(limit, lines ?? limit) : lines;
  if (most === undefined) return undefined;
  return { most, trainShare: isRecord(split) && typeof split['train'] === 'number' ? split['train'] : 1 };
}

/** Lines of local files; for a data set of the Hub, the number in the lock file. */
function rowsOf(call: Call, context: CountingContext): number | undefined {
  const key = JSON.stringify(call);
  if (!context.counted.has(key)) context.counted.set(key, countSource(call, context));
  return context.counted.get(key);
}

function countSource(call: Call, { host, folder, files }: CountingContext): number | undefined {
  if (LINED.has(call.call)) {
    const files = filesOf(String(call.args['files']), host, folder);
    return files.some((file) => PACKED.test(file)) ? undefined : countLines(files, host);
  }
  const locked = entryOf(files.lock, call);
  return locked === undefined ? undefined : rowsIn(locked);
}

const callsOf = (value: Value): readonly Call[] =>
  Array.isArray(value) ? value.flatMap(callsOf) : isCall(value) ? [value] : [];

function filesOf(pattern: string, host: Host, folder: string): readonly string[] {
  const path = resolve(folder, pattern);
  return host.stat(path) !== undefined ? [path] : host.glob(pattern, folder);
}

function countLines(files: readonly string[], host: Host): number | undefined {
  try {
    const bytes = files.reduce((sum, file) => sum + (host.stat(file)?.size ?? 0), 0);
    if (bytes > MOST_BYTES) return undefined;
    return files.reduce((sum, file) => sum + linesIn(file, host), 0);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** By path: an editor counts at every keystroke, and the files rarely change. */
const counted = new Map<
  string,
  { readonly size: number; readonly modified: number; readonly lines: number }
>();

function linesIn(file: string, host: Host): number {
  const { size = 0, modified = 0 } = host.stat(file) ?? {};
  const known = counted.get(file);
  if (known !== undefined && known.size === size && known.modified === modified) return known.lines;
  const lines = countIn(host.readBytes(file));
  // A file that exists only in memory has no modification time.
  if (modified !== 0) counted.set(file, { size, modified, lines });
  return lines;
}

/** Lines that are not empty; the last one needs no line end. */
function countIn(bytes: Uint8Array): number {
  let count = 0;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    if (end - start > (bytes[end - 1] === CARRIAGE_RETURN ? 1 : 0)) count++;
    start = end + 1;
  }
  return count;
}
