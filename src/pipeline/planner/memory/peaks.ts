import { NO_TORCH_PARTS } from '../../../compute/accelerate/memory/training.js';
import type { DecoderPlan } from '../../../compute/models/decoder/types.js';
import type { TokenizerMemory } from '../../../compute/models/tokenizer/memory.js';
import { refusedBytes } from '../../../compute/tensor/runtimes/tfjs/kernel-calls.js';
import { BATCH } from '../../stages/data/data-rows.js';
import { indexBytes } from '../../stages/data/dedupe/band-index.js';
import { REMEMBERED } from '../../stages/data/dedupe/near-copies.js';
import { heldRows, ROW_MEMORY } from '../../stages/data/scratch.js';
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
  SPREAD,
  WARMED,
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
  /** Rows are compared: all, or those that are held out with those of training. */
  readonly compares: boolean;
  /** Keys that near copies are found by, of a row in the mean: where rows are held out, others have none. */
  readonly keys: number;
}

export function dataPeak(size: SourceSize, search: DataSearch): Peak {
  const { process, row } = DATA_PROCESS;
  const { rows } = size;
  return rowPeak(
    process + warmed(rows),
    row * heldRows(rows) + parquetBytes(size) + searchBytes(size, search),
  );
}

function searchBytes({ rows, bytes }: SourceSize, { compares, keys }: DataSearch): number {
  if (rows === 0 || !compares) return 0;
  const { begun, row, remembered } = DATA_PROCESS.compared;
  const ofRow = remembered.row + (remembered.byte * bytes) / rows;
  const most = ROW_MEMORY;
  const index = indexBytes(Math.min(keys * rows, most.keys));
  return begun + row * Math.min(rows, most.rows) + ofRow * Math.min(rows, REMEMBERED) + index;
}

/** `rows` may be from other files too. */
function parquetBytes({ parquet, rows }: SourceSize): number {
  if (parquet === 0) return 0;
  const { library, ofFile, chunks } = PARQUET;
  const passing = parquet * Math.min(1, chunks.rows / rows);
  return library + Math.min(ofFile.most, ofFile.byte * parquet) + chunks.byte * passing;
}

/** What a format stage has to do. */
export interface FormattedRows {
  readonly rows: number;
  /** What becomes of them: choices, answers, pieces. */
  readonly pieces: number;
  readonly tokens: number;
  readonly isInJinja: boolean;
  readonly tokenizer: TokenizerMemory;
}

/** `encoders`: threads besides the stage's own. */
export function formatPeak(size: FormattedRows, encoders: number): Peak {
  const { process, jinja, token } = FORMAT_PROCESS;
  const { rows, pieces, tokens, isInJinja, tokenizer } = size;
  const batch = (token * tokens * BATCH.rows) / Math.max(BATCH.rows, rows);
  const own = process + warmed(pieces) + (isInJinja ? jinja : 0);
  const encoder = ENCODER.process + Math.min(ENCODER.mostWaiting, ENCODER.token * tokens);
  return rowPeak(own + encoders * encoder, batch + tokenizer.made + encoders * tokenizer.kept);
}

/** What code takes that has seen so many rows. */
const warmed = (rows: number): number => WARMED.doubling * Math.max(0, Math.log2(rows / WARMED.from));

function rowPeak(runtime: number, workspace: number): Peak {
  const sum = runtime + workspace;
  return peakOf({ runtime, workspace }, { below: ROW_SPREAD.below * sum, above: ROW_SPREAD.above * sum });
}
