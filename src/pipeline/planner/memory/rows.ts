/** Memory of the stages that rows pass through: what their tables and batches take is counted, what their code takes was measured. */
import type { TokenizerMemory } from '../../../compute/models/tokenizer/memory.js';
import { BATCH } from '../../stages/data/data-rows.js';
import { bandsFor, REMEMBERED } from '../../stages/data/dedupe/near-copies.js';
import { blockBytes, blockRows } from '../../stages/data/dedupe/row-block.js';
import { LEAK_SIMILARITY } from '../../stages/data/leaks.js';
import { SPOOL_BYTES } from '../../stages/data/row-reader.js';
import { RECORD_FILE_BYTES, recordsBytes } from '../../stages/data/row-records.js';
import { columnBytes } from '../../stages/data/row-table.js';
import { ROW_MEMORY } from '../../stages/data/scratch.js';
import { batchesAtOnce } from '../../stages/format/encoding.js';
import type { SourceSize } from '../expected-rows.js';
import type { Peak } from '../plan-json.js';
import {
  COMPARING,
  DATA_PROCESS,
  ENCODER_PROCESS,
  FORMAT_PROCESS,
  PARQUET,
  ROW_SPREAD,
  type Warming,
} from './calibration.js';
import { nodeBytes } from './node-process.js';
import { peakOf } from './peaks.js';

/** What a data stage looks for. */
export interface DataSearch {
  /** Least overlap of rows that are near copies of each other; left out where they are not looked for. */
  readonly near?: number | undefined;
  /** Share of the rows that is held out, of which none may be one of training. */
  readonly heldOut: number;
  /** Version of the Node that computes; left out: the one that all was measured with. */
  readonly node?: string | undefined;
}

/** A part of the work of a stage: what its code takes beyond the process, and what is held of rows. */
interface Phase {
  readonly code: number;
  readonly held: number;
}

const sumOf = ({ code, held }: Phase): number => code + held;

export function dataPeak(size: SourceSize, search: DataSearch): Peak {
  const { process, reading, compilers, writing } = DATA_PROCESS;
  const { rows, parquet } = size;
  const duckdb = parquet > 0 ? PARQUET.duckdb : 0;
  const read = duckdb + warmed(reading, rows);
  const phases: readonly Phase[] = [
    // compilers give their memory back before there are many rows
    {
      code: read + warmed(compilers, rows),
      held: readBytes(size, search, Math.min(rows, compilers.until)),
    },
    { code: read, held: readBytes(size, search, rows) },
    ...(search.heldOut > 0 ? [comparing(size, search, duckdb)] : []),
    { code: duckdb + warmed(writing, rows), held: columnBytes(rows) },
  ];
  const fullest = phases.reduce((most, phase) => (sumOf(phase) > sumOf(most) ? phase : most));
  const above = parquet > 0 ? ROW_SPREAD.fromParquet : ROW_SPREAD.above;
  return rowPeak(process + nodeBytes(search.node, 'data') + fullest.code, fullest.held, above);
}

/** When so many of the rows have been read: what they are told apart by. */
function readBytes(size: SourceSize, { near }: DataSearch, rows: number): number {
  const keys = near === undefined ? 0 : bandsFor(near).count;
  const most = blockRows(ROW_MEMORY, keys);
  const compared = near === undefined ? 0 : COMPARING.begun + setBytes(size, rows);
  const block = blockBytes(Math.min(rows, most), keys);
  // when a further block is full, what the first one outgrew was collected long ago
  const later = rows > most ? RECORD_FILE_BYTES - recordsBytes(most, keys).outgrown : 0;
  return (
    columnBytes(rows) + block + later + compared + Math.min(SPOOL_BYTES, size.spooled) + parquetBytes(size)
  );
}

/** When rows that are held out are compared with those of training. */
function comparing(size: SourceSize, { near, heldOut }: DataSearch, duckdb: number): Phase {
  const { rows } = size;
  const keys = near === undefined ? bandsFor(LEAK_SIMILARITY).count : 0;
  const block = blockBytes(Math.min(Math.ceil(heldOut * rows), blockRows(ROW_MEMORY, keys)), keys, 0);
  const orders = 8 * Math.min(rows, ROW_MEMORY.groups);
  return {
    code: duckdb + COMPARING.begun + warmed(COMPARING, rows),
    held: columnBytes(rows) + orders + block + (keys === 0 ? 0 : setBytes(size, rows)),
  };
}

/** Of sets of word triples. */
const setBytes = ({ rows, bytes }: SourceSize, compared: number): number =>
  rows === 0 ? 0 : Math.min(compared, REMEMBERED) * (COMPARING.set + (COMPARING.byte * bytes) / rows);

/** `rows` may be from other files too. */
function parquetBytes({ parquet, rows }: SourceSize): number {
  if (parquet === 0) return 0;
  const { ofFile, chunks } = PARQUET;
  const passing = parquet * Math.min(1, chunks.rows / rows);
  return Math.min(ofFile.most, ofFile.byte * parquet) + chunks.byte * passing;
}

/** What a format stage has to do. */
export interface FormattedRows {
  readonly rows: number;
  /** Of all rows. */
  readonly bytes: number;
  readonly tokens: number;
  readonly isInJinja: boolean;
  readonly tokenizer: TokenizerMemory;
  /** Version of the Node that computes; left out: the one that all was measured with. */
  readonly node?: string | undefined;
}

/** `encoders`: threads besides the stage's own. */
export function formatPeak(size: FormattedRows, encoders: number): Peak {
  const { tokens, isInJinja, tokenizer, node } = size;
  const process = isInJinja ? FORMAT_PROCESS.inJinja : FORMAT_PROCESS.plain;
  const own = process + warmed(FORMAT_PROCESS, tokens) + nodeBytes(node, 'format');
  const batches = encoders === 0 ? 0 : batchBytes(size, encoders);
  return rowPeak(own + encoders * ENCODER_PROCESS, batches + tokenizer.made + encoders * tokenizer.kept);
}

/** Of the batches that are there at once next to threads: their lines, and their ids, labels and texts. */
function batchBytes({ rows, bytes, tokens }: FormattedRows, encoders: number): number {
  if (rows === 0) return 0;
  const share = Math.min(rows, BATCH.rows, (BATCH.bytes * rows) / bytes) / rows;
  return batchesAtOnce(encoders) * share * (bytes + 8 * tokens + bytes);
}

/** What code takes that has seen so much. */
const warmed = ({ from, to, doubling }: Warming, seen: number): number =>
  doubling * Math.log2(Math.min(to, Math.max(from, seen)) / from);

function rowPeak(runtime: number, workspace: number, above: number = ROW_SPREAD.above): Peak {
  const sum = runtime + workspace;
  return peakOf({ runtime, workspace }, { below: ROW_SPREAD.below * sum, above: above * sum });
}
