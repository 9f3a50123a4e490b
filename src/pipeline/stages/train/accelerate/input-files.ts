/** What the ranks read: rows, steps and batches, made by the functions that the embedded engine uses. */

import type { MicroBatches, StepSpec } from '../../../../compute/accelerate/spec.js';
import { safetensorsChunks, type WritableTensor } from '../../../../compute/models/safetensors/write.js';
import {
  microBatches,
  packedBatches,
  type TokenRow,
  type TokenRows,
  validationBatches,
} from '../../../../compute/training/batch.js';
import type { TrainingSettings } from '../../../../compute/training/index.js';
import { globalBatches } from '../../../../compute/training/order.js';
import { rateOf } from '../../../../compute/training/schedule.js';
import type { OutputFolder } from '../../../../language/ir/outputs.js';

/**
 * One after another: `ids` and `labels` int32 [tokens], `weights` float32 [tokens] where tokens have some, `offsets` int64
 * [rows + 1]. Each row is read once per column, and none is held.
 */
export function writeRows(output: OutputFolder, name: string, rows: TokenRows): string {
  const offsets = new BigInt64Array(rows.count + 1);
  for (let row = 0; row < rows.count; row++)
    offsets[row + 1] = (offsets[row] ?? 0n) + BigInt(rows.lengthOf(row));
  const tokens = Number(offsets[rows.count] ?? 0n);
  const column = (field: keyof typeof COLUMNS): WritableTensor => ({
    name: field,
    dtype: COLUMNS[field].dtype,
    shape: [tokens],
    chunks: () => chunksOf(rows, field),
  });
  output.write(
    name,
    safetensorsChunks([
      column('ids'),
      column('labels'),
      ...(rows.isWeighted === true ? [column('weights')] : []),
      {
        name: 'offsets',
        dtype: 'I64',
        shape: [rows.count + 1],
        chunks: () => [new Uint8Array(offsets.buffer)],
      },
    ]),
  );
  return `${output.path}/${name}`;
}

const COLUMNS = {
  ids: { dtype: 'I32', valuesOf: ({ ids }: TokenRow) => ids },
  labels: { dtype: 'I32', valuesOf: ({ labels }: TokenRow) => labels },
  weights: {
    dtype: 'F32',
    valuesOf: ({ ids, weights = new Float32Array(ids.length).fill(1) }: TokenRow) => weights,
  },
} as const;

/** Values that are written at a time. */
const PIECE = 1 << 16;

function* chunksOf(rows: TokenRows, field: keyof typeof COLUMNS): Iterable<Uint8Array> {
  const { dtype, valuesOf } = COLUMNS[field];
  const Piece = dtype === 'I32' ? Int32Array : Float32Array;
  let piece = new Piece(PIECE);
  let filled = 0;
  const bytes = (): Uint8Array => new Uint8Array(piece.buffer, 0, filled * 4);
  for (let row = 0; row < rows.count; row++) {
    const values = valuesOf(rows.read(row));
    if (filled + values.length > piece.length) {
      yield bytes();
      filled = 0;
      if (values.length > piece.length) piece = new Piece(values.length);
    }
    piece.set(values, filled);
    filled += values.length;
  }
  if (filled > 0) yield bytes();
}

/** Line s is step s: its rate, the passes over the rows after it, and the rows of each micro batch. */
export function writeSteps(
  output: OutputFolder,
  name: string,
  { settings, rows, longest }: { settings: TrainingSettings; rows: TokenRows; longest: number },
): string {
  const lengthOf = (row: number): number => rows.lengthOf(row);
  const batches = globalBatches({ ...settings, rows: rows.count, lengthOf });
  const { packing, microBatch } = settings;
  const cut = (step: number): MicroBatches => {
    const global = batches.rowsOf(step);
    if (packing === undefined)
      return microBatches(global, microBatch, lengthOf).map((micro) => Array.from(micro, (row) => [row]));
    const packed = packedBatches(global, microBatch, Math.min(packing, longest), lengthOf);
    return packed.map((micro) => micro.map((sequence) => [...sequence]));
  };
  const file = output.open(name);
  try {
    for (let step = 1; step <= settings.totalSteps; step++) {
      const line: StepSpec = {
        rate: rateOf(settings.schedule, settings.rate, { step, total: settings.totalSteps }),
        epoch: step / batches.stepsPerEpoch,
        micro: cut(step),
      };
      file.write(`${JSON.stringify(line)}\n`);
    }
  } finally {
    file.close();
  }
  return `${output.path}/${name}`;
}

/** The rows of each batch of a validation. */
export const batchesOf = (rows: TokenRows, microBatch: number): readonly (readonly number[])[] =>
  validationBatches(rows, microBatch).map((batch) => [...batch]);
