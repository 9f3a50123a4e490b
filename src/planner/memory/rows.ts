/** Stages that read rows or copy files: no tensors, only a process and what it keeps of each row. */
import type { Peak } from '../types.js';
import type { SourceSize } from '../world.js';
import {
  DATA_PROCESS,
  DEPLOY_PROCESS,
  FORMAT_PROCESS,
  ROW_SPREAD,
  type RowProcess,
  TOKENIZER_SHARE,
} from './calibration.js';
import { peakOf } from './parts.js';

export const dataPeak = (size: SourceSize): Peak => rowPeak(size, DATA_PROCESS, 0);

export const formatPeak = (size: SourceSize, tokenizerBytes: number): Peak =>
  rowPeak(size, FORMAT_PROCESS, TOKENIZER_SHARE * tokenizerBytes);

function rowPeak({ rows, bytes }: SourceSize, measured: RowProcess, tables: number): Peak {
  const runtime =
    measured.process +
    Math.min(measured.mostGarbage, measured.garbage * rows + measured.garbagePerByte * bytes);
  const workspace = measured.row * rows + tables;
  return spread(runtime, workspace);
}

export const copyPeak = (): Peak => spread(DEPLOY_PROCESS, 0);

function spread(runtime: number, workspace: number): Peak {
  const bytes = runtime + workspace;
  return peakOf({ runtime, workspace }, { below: ROW_SPREAD.below * bytes, above: ROW_SPREAD.above * bytes });
}
