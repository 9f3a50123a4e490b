/** A model's tensors as a GGUF file has them: in its names, its order of rows and its formats. */
import { type Arrangement, ggufLayout } from '../../models/gguf/layout.js';
import type { WritableGgufTensor } from '../../models/gguf/write.js';
import type { ModelConfig } from '../../models/types.js';
import { quantiseBlocks } from '../../models/weights/quantisation.js';
import { discarded } from '../../tensor/garbage.js';
import { sizeOf } from '../../tensor/shape.js';
import { tensorFormat } from './tensor-formats.js';
import type { GgufType } from './types.js';

/** Values of a tensor under its Hugging Face name, some rows at a time. */
export interface RowSource {
  readonly shape: readonly number[];
  /**
   * `count` rows of the first dimension from `first` on, in memory that the next ones take. Throws a `UserError` for values that
   * cannot be stored.
   */
  rows(first: number, count: number): Float32Array;
}

/** Memory for so many values, which the next ones take. */
export function sharedRoom(): (length: number) => Float32Array {
  let room = new Float32Array(0);
  return (length) => {
    if (room.length < length) {
      discarded(room.byteLength);
      room = new Float32Array(length);
    }
    return room.subarray(0, length);
  };
}

export interface GgufTensorsOptions {
  readonly type: GgufType;
  readonly config: ModelConfig;
  readonly rotatesPairs: boolean;
  readonly source: (name: string) => RowSource;
  /** Called after each tensor. */
  readonly onTensor?: () => void;
}

/**
 * Values that are worked on at a time, 4 MiB of float32: writing holds about 12 MiB next to the weights, a piece, the same
 * in another order, and its blocks.
 */
const PIECE = 1 << 20;

export function ggufTensors(options: GgufTensorsOptions): readonly WritableGgufTensor[] {
  const { type, config, rotatesPairs, source } = options;
  const room = sharedRoom();
  return ggufLayout(config, rotatesPairs).map(({ name, ggufName, arrangement }) => {
    const rows = source(name);
    const shape = arrangement.kind === 'transposed' ? [...rows.shape].reverse() : rows.shape;
    const format = tensorFormat(type, { name: ggufName, shape }, config);
    return {
      name: ggufName,
      type: format,
      shape,
      *chunks() {
        for (const values of pieces(rows, arrangement, room)) {
          const blocks = ofItsOwn(quantiseBlocks(format, values), values);
          yield blocks;
          discarded(blocks.byteLength);
        }
        options.onTensor?.();
      },
    };
  });
}

/** What is written of values, apart from memory that others take. */
export const ofItsOwn = (bytes: Uint8Array, { buffer }: Float32Array): Uint8Array =>
  bytes.buffer === buffer ? bytes.slice() : bytes;

/** The values in the order of the file, whole rows of it at a time, in memory that the next ones take. */
function* pieces(
  source: RowSource,
  arrangement: Arrangement,
  room: ReturnType<typeof sharedRoom>,
): Generator<Float32Array> {
  const [count = 1, ...rest] = source.shape;
  const width = sizeOf(rest);
  if (arrangement.kind === 'transposed') {
    yield* transposed(source.rows(0, count), width, room);
    return;
  }
  const unit = arrangement.kind === 'rows' ? arrangement.unit : 1;
  const order = arrangement.kind === 'rows' ? oursInOrder(count, arrangement.theirs) : undefined;
  const step = unit * Math.max(1, Math.floor(PIECE / width / unit));
  for (let first = 0; first < count; first += step) {
    const rows = Math.min(step, count - first);
    const values =
      order === undefined
        ? source.rows(first, rows)
        : reordered(source, order.subarray(first, first + rows), { unit, room });
    if (arrangement.kind === 'one_more')
      for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + 1;
    yield values;
  }
}

/** Row of ours for each row of the file. */
function oursInOrder(count: number, theirs: (row: number) => number): Int32Array {
  const order = new Int32Array(count);
  for (let row = 0; row < count; row++) order[theirs(row)] = row;
  return order;
}

/** Rows `order` of ours, of which each `unit` are neighbours in one order or another. */
function reordered(
  source: RowSource,
  order: Int32Array,
  { unit, room }: { readonly unit: number; readonly room: ReturnType<typeof sharedRoom> },
): Float32Array {
  const width = sizeOf(source.shape.slice(1));
  const out = room(order.length * width);
  for (let at = 0; at < order.length; at += unit) {
    const some = order.subarray(at, at + unit);
    const first = Math.min(...some);
    const rows = source.rows(first, some.length);
    some.forEach((row, i) => {
      out.set(rows.subarray((row - first) * width, (row - first + 1) * width), (at + i) * width);
    });
  }
  return out;
}

function* transposed(
  values: Float32Array,
  width: number,
  room: ReturnType<typeof sharedRoom>,
): Generator<Float32Array> {
  const height = values.length / width;
  const step = Math.max(1, Math.floor(PIECE / height));
  for (let first = 0; first < width; first += step) {
    const columns = Math.min(step, width - first);
    const out = room(columns * height);
    for (let row = 0; row < height; row++)
      for (let i = 0; i < columns; i++) out[i * height + row] = values[row * width + first + i] as number;
    yield out;
  }
}
