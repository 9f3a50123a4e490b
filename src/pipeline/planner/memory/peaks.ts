import { NO_TORCH_PARTS } from '../../../compute/accelerate/memory/training.js';
import type { DecoderPlan } from '../../../compute/models/decoder/types.js';
import type { TokenizerMemory } from '../../../compute/models/tokenizer/memory.js';
import { refusedBytes } from '../../../compute/tensor/runtimes/tfjs/kernel-calls.js';
import { REMEMBERED } from '../../stages/data/dedupe/near-copies.js';
import type { SourceSize } from '../expected-rows.js';
import { MEMORY_PARTS, type MemoryPart, type MemoryParts, type Peak } from '../plan-json.js';
import {
  CUDA_PROCESS,
  DATA_PROCESS,
  DEVICE_CONTEXT,
  ENCODER,
  FORMAT_PROCESS,
  PARQUET,
  ROW_SPREAD,
  type RowProcess,
  SPREAD,
  type WaitingFigure,
} from './calibration.js';

export const NO_PARTS: MemoryParts = { ...NO_TORCH_PARTS, runtime: 0 };

export const sumOf = (parts: MemoryParts): number => MEMORY_PARTS.reduce((sum, part) => sum + parts[part], 0);

/** A peak whose interval is given as shares of the parts that are estimated rather than counted. */
export function peakOf(
  parts: Partial<MemoryParts>,
  spread: { readonly below: number; readonly above: number },
): Peak {
  const whole: Record<MemoryPart, number> = { ...NO_PARTS, ...parts };
  for (const part of MEMORY_PARTS) whole[part] = Math.ceil(whole[part]);
  const bytes = sumOf(whole);
  return {
    bytes,
    low: Math.max(0, Math.floor(bytes - spread.below)),
    high: Math.ceil(bytes + spread.above),
    parts: whole,
  };
}

interface Allowance {
  readonly expected: number;
  readonly spread: number;
}

const NOTHING: Allowance = { expected: 0, spread: 0 };

/** `wider`: how much wider the interval is than that of a training. */
function figures(parts: MemoryParts, wider: number, { expected, spread }: Allowance = NOTHING): Peak {
  const whole = { ...parts, runtime: parts.runtime + expected };
  return peakOf(whole, {
    below: wider * SPREAD.below * sumOf(whole) + spread,
    above: wider * SPREAD.above * sumOf(whole) + spread,
  });
}

interface GpuMemory {
  /** Tensors there; `runtime` 0. */
  readonly device: MemoryParts;
  /** What stays in the process; `runtime` is the process itself, without CUDA's libraries. */
  readonly host: MemoryParts;
  readonly wider?: number;
}

/** With a GPU's own memory. */
export const gpuPeak = ({ device, host, wider = 1 }: GpuMemory): Peak => ({
  ...figures(host, wider, CUDA_PROCESS),
  device: figures(device, wider, DEVICE_CONTEXT),
});

/** Where what lies on the device is, or may be, the process's too. */
export const sharedPeak = (process: Peak, device: MemoryParts, wider = 1): Peak => ({
  ...process,
  device: figures(device, wider),
});

/** With an interval that reaches down to that of `least`, which may be what is computed. */
export function reachingDown(peak: Peak, least: Peak | undefined): Peak {
  if (least === undefined) return peak;
  const { device } = peak;
  const lower = <P extends { readonly low: number }>(one: P, { low }: { readonly low: number } = one): P => ({
    ...one,
    low: Math.min(one.low, low),
  });
  return { ...lower(peak, least), ...(device && { device: lower(device, least.device) }) };
}

/** With an interval that reaches up to what is expected of `most`, which may be what is computed. */
export function reachingUp(peak: Peak, most: Peak): Peak {
  const { device } = peak;
  const higher = <P extends { readonly high: number }>(one: P, other?: { readonly bytes: number }): P => ({
    ...one,
    high: Math.max(one.high, other?.bytes ?? 0),
  });
  return { ...higher(peak, most), ...(device && { device: higher(device, most.device) }) };
}

/** The peak with the largest tensor that is refused; `largest`: bytes that the GPU takes in one piece, where it has a limit. */
export function inPieces(peak: Peak, graphs: DecoderPlan['graphs'], largest: number | undefined): Peak {
  if (largest === undefined) return peak;
  const sizes = graphs.map(({ graph }) => refusedBytes(graph, largest) ?? 0);
  const bytes = Math.max(0, ...sizes);
  return bytes === 0 ? peak : { ...peak, refused: { bytes, largest } };
}

/** What a data stage looks for. */
interface DataSearch {
  readonly near: boolean;
  /** Rows that are held out are compared with those of training. */
  readonly splits: boolean;
}

export function dataPeak(size: SourceSize, search: DataSearch): Peak {
  const { allocated, filled, grown, mostRows, read, survived } = DATA_PROCESS;
  const { rows, bytes } = size;
  const remembered = search.near || search.splits ? Math.min(rows, REMEMBERED) : 0;
  const ofSplits = search.splits ? survived.split * rows : 0;
  return rowPeak(Math.min(rows, mostRows), {
    ...DATA_PROCESS,
    waiting:
      waitingAfter(filled, allocated.row * rows + allocated.byte * bytes) +
      waitingAfter(grown, survived.row * rows + survived.remembered * remembered + ofSplits) +
      Math.min(read.most, read.byte * bytes),
    tables: parquetBytes(size) + searchBytes(size, search, remembered),
  });
}

/** The search for near copies, of which so many rows are remembered. */
function searchBytes({ rows, bytes }: SourceSize, search: DataSearch, remembered: number): number {
  if (remembered === 0) return 0;
  const { near, splits } = DATA_PROCESS;
  const ofRow = near.row + (near.byte * bytes) / rows;
  return (
    near.bytes * Math.min(1, rows / near.begun) +
    ofRow * remembered +
    (search.splits ? Math.min(splits.most, splits.row * rows) : 0)
  );
}

/** What DuckDB takes, and what a group of rows does on its way out of it. */
const parquetBytes = ({ parquet }: SourceSize): number =>
  parquet === 0 ? 0 : PARQUET.library + Math.min(PARQUET.most, PARQUET.perByte * parquet);

/** What a format stage has to do. */
export interface FormattedRows {
  readonly rows: number;
  readonly tokens: number;
  /** Messages that a chat template writes of each. */
  readonly messages: number;
  readonly tokenizer: TokenizerMemory;
}

/** `encoders`: threads besides the stage's own. */
export function formatPeak({ rows, tokens, messages, tokenizer }: FormattedRows, encoders: number): Peak {
  const { garbage, process, survived, mostRows } = FORMAT_PROCESS;
  return rowPeak(Math.min(rows, mostRows), {
    ...FORMAT_PROCESS,
    process: process + encoders * ENCODER.process,
    waiting: waitingAfter(
      garbage,
      (survived.row + survived.message * messages) * rows + survived.token * tokens,
    ),
    tables: tokenizer.made + encoders * tokenizer.kept,
  });
}

/** Bytes that wait for the collector after so many. */
function waitingAfter(figures: readonly WaitingFigure[], bytes: number): number {
  const after = bytes / 2 ** 20;
  const next = figures.findIndex((figure) => figure.after > after);
  const [from, to] = [figures.at(Math.max(0, next - 1)), figures.at(next)];
  if (from === undefined || to === undefined) return 0;
  const share = next <= 0 ? 1 : (after - from.after) / (to.after - from.after);
  return 2 ** 20 * (from.waiting + share * (to.waiting - from.waiting));
}

interface StreamedRows extends RowProcess {
  readonly waiting: number;
  readonly tables: number;
}

function rowPeak(rows: number, { process, waiting, row, tables }: StreamedRows): Peak {
  const runtime = process + waiting;
  const workspace = row * rows + tables;
  const sum = runtime + workspace;
  const { above, below, collected } = ROW_SPREAD;
  return peakOf(
    { runtime, workspace },
    { below: below * (sum - waiting) + collected * waiting, above: above * sum },
  );
}
