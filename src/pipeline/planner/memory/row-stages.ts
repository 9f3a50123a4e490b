/** Stages that read rows: no tensors, only a process and what it keeps of each row. */

import type { SourceSize } from '../expected-rows.js';
import type { Peak } from '../types.js';
import {
  DATA_PROCESS,
  FORMAT_PROCESS,
  PARQUET,
  ROW_SPREAD,
  type RowProcess,
  TOKENIZER,
} from './calibration.js';
import { peakOf } from './peaks.js';

export const dataPeak = (size: SourceSize): Peak => rowPeak(size, DATA_PROCESS, parquetBytes(size));

/** What DuckDB takes, and what a group of rows does on its way out of it. */
const parquetBytes = ({ parquet }: SourceSize): number =>
  parquet === 0 ? 0 : PARQUET.library + Math.min(PARQUET.most, PARQUET.perByte * parquet);

export const formatPeak = (size: Pick<SourceSize, 'rows' | 'bytes'>, tokenizerBytes: number): Peak =>
  rowPeak(size, FORMAT_PROCESS, TOKENIZER.made * tokenizerBytes);

function rowPeak(
  { rows, bytes }: Pick<SourceSize, 'rows' | 'bytes'>,
  measured: RowProcess,
  tables: number,
): Peak {
  const runtime =
    measured.process +
    Math.min(measured.mostGarbage, measured.garbage * rows + measured.garbagePerByte * bytes);
  const workspace = measured.row * rows + tables;
  const sum = runtime + workspace;
  return peakOf({ runtime, workspace }, { below: ROW_SPREAD.below * sum, above: ROW_SPREAD.above * sum });
}
