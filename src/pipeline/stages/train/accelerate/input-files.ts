/** What the ranks read: rows, steps and batches, made by the functions that the embedded engine uses. */

import type { StepSpec } from '../../../../compute/accelerate/spec.js';
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

/** Rows that end in an answer. */
export interface TextRows extends TokenRows {
  /** Tokens of a row's answer, the last ones. */
  answerOf(row: number): number;
  /** Of answers that are judged alone. */
  readonly isGood?: (row: number) => boolean;
}

/**
 * One after another: `ids` and `labels` int32 [tokens], `weights` float32 [tokens] where tokens have some, `offsets`
 * int64 [rows + 1]; of texts that end in an answer, `answers` and `good` int32 [rows]. Each row is read once per
 * column, and none is held.
 */
export function writeRows(output: OutputFolder, name: string, rows: TokenRows | TextRows): string {
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
      ...('answerOf' in rows ? ofTexts(rows) : []),
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

const ofTexts = ({ count, answerOf, isGood }: TextRows): readonly WritableTensor[] => [
  numbers('answers', count, answerOf),
  ...(isGood === undefined ? [] : [numbers('good', count, (row) => Number(isGood(row)))]),
];

const numbers = (name: string, count: number, of: (row: number) => number): WritableTensor => ({
  ...{ name, dtype: 'I32', shape: [count] },
  chunks: () => [new Uint8Array(Int32Array.from({ length: count }, (_, row) => of(row)).buffer)],
});

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

/** Cuts the rows of a step into what is computed at a time. */
export type CutStep = (global: Uint32Array) => Pick<StepSpec, 'micro' | 'others'>;

/** `longest`: tokens that the model takes. */
export function rowCuts(
  { packing, microBatch }: TrainingSettings,
  { lengthOf }: TokenRows,
  longest: number,
): CutStep {
  if (packing === undefined)
    return (global) => ({
      micro: microBatches(global, microBatch, lengthOf).map((micro) => Array.from(micro, (row) => [row])),
    });
  return (global) => {
    const packed = packedBatches(global, microBatch, Math.min(packing, longest), lengthOf);
    return { micro: packed.map((micro) => micro.map((sequence) => [...sequence])) };
  };
}

/** Line s is step s: its rate, the passes over the rows after it, and the rows of each micro batch. */
export function writeSteps(
  output: OutputFolder,
  name: string,
  settings: TrainingSettings,
  {
    rows,
    cut,
  }: { readonly rows: { readonly count: number; lengthOf(row: number): number }; readonly cut: CutStep },
): string {
  const batches = globalBatches({ ...settings, rows: rows.count, lengthOf: (row) => rows.lengthOf(row) });
  const file = output.open(name);
  try {
    for (let step = 1; step <= settings.totalSteps; step++) {
      const line: StepSpec = {
        rate: rateOf(settings.schedule, settings.rate, { step, total: settings.totalSteps }),
        epoch: step / batches.stepsPerEpoch,
        ...cut(batches.rowsOf(step)),
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
