import { shareableFloats } from '../../../language/host/shareable.js';
import { sizeOf } from '../../tensor/shape.js';
import type { PackedTensor } from '../../tensor/types.js';
import { type CodedRows, ModelError, type StoredTensor, type WeightStore } from '../types.js';
import { dequantiseBlocks, floatsOf } from './dequantisation.js';
import { codeMatrix, digitsLike, isCoded } from './digits.js';
import { BLOCKS, type BlockFormat, type StoredFormat } from './formats.js';

/** A tensor in a file of any format, not yet read. */
export interface SourceTensor {
  readonly name: string;
  /** The file that holds it. */
  readonly path: string;
  readonly shape: readonly number[];
  /** The format in which it is held when it is stored as it is. Throws a {@link ModelError} for one that can't be read. */
  format(): StoredFormat;
  /** Writes its values from value `start` on, row-major, as many as `out` has room for. */
  read(start: number, out: Float32Array): void;
  /** Reads it in the format that it has in the file. */
  load(): StoredTensor;
  /** Reads rows as codes, and no others, if its values are stored so. */
  readonly coded?: CodedRows | undefined;
}

/** A model's tensors by their Hugging Face names. */
export type WeightSource = ReadonlyMap<string, SourceTensor>;

/** A float32 tensor in memory. */
export function float32Tensor(name: string, shape: readonly number[], data: Float32Array): StoredTensor {
  checkLength(name, shape, data.length);
  const row = rowElements(shape);
  return {
    name,
    shape,
    format: 'F32',
    residentBytes: data.byteLength,
    view: () => data,
    dequantise: (out) => out.set(data),
    dequantiseRows: (first, count, out) => out.set(data.subarray(first * row, (first + count) * row)),
  };
}

/** A tensor that is held in the blocks of its format. */
export function blockTensor(
  name: string,
  shape: readonly number[],
  format: BlockFormat,
  blocks: Uint8Array,
): StoredTensor {
  const { values, bytes } = BLOCKS[format];
  checkLength(name, shape, (blocks.byteLength / bytes) * values);
  if (format === 'F32') return float32Tensor(name, shape, floatsOf(format, blocks, 0, sizeOf(shape)));
  const packed = (): PackedTensor | undefined =>
    HALVES[format] && { form: HALVES[format], shape, bits: blocks };
  const coded = codedRows(format, shape, (from, length) => blocks.subarray(from, from + length));
  return encodedTensor(
    { name, shape, format, residentBytes: blocks.byteLength, packed, coded: () => coded },
    (start, out) => dequantiseBlocks(format, blocks, start, out),
  );
}

/** Rows of a matrix as codes, if it has such; `bytesOf` gives bytes of it `from … from + length`. */
export function codedRows(
  format: BlockFormat,
  [, columns = 0, ...more]: readonly number[],
  bytesOf: (from: number, length: number) => Uint8Array,
): CodedRows | undefined {
  if (!isCoded(format) || columns === 0 || more.length > 0) return undefined;
  const { values, bytes } = BLOCKS[format];
  const row = (columns / values) * bytes;
  return {
    digits: digitsLike(format).zeros.length,
    read: (first, count) => codeMatrix(format, [count, columns], bytesOf(first * row, count * row)),
  };
}

/** A tensor of which nothing is float32 yet; `dequantise` writes its values from value `start` on. */
export function encodedTensor(
  tensor: Pick<StoredTensor, 'name' | 'shape' | 'format' | 'residentBytes' | 'packed' | 'coded' | 'shared'>,
  dequantise: (start: number, out: Float32Array) => void,
): StoredTensor {
  const row = rowElements(tensor.shape);
  return {
    ...tensor,
    view: () => undefined,
    dequantise: (out) => dequantise(0, out),
    dequantiseRows: (first, count, out) => dequantise(first * row, out.subarray(0, count * row)),
  };
}

const HALVES: Readonly<Partial<Record<BlockFormat, 'f16' | 'bf16'>>> = { F16: 'f16', BF16: 'bf16' };

/** Values of one step of the first dimension. */
const rowElements = (shape: readonly number[]): number => sizeOf(shape.slice(1));

function checkLength(name: string, shape: readonly number[], length: number): void {
  if (sizeOf(shape) !== length) throw new RangeError(`${name}: ${length} values for [${shape.join(', ')}]`);
}

/** A store over tensors that are in memory; `origin` is the file or folder that an error names. */
export function weightStore(origin: string, tensors: readonly StoredTensor[]): WeightStore {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    names: () => [...byName.keys()],
    has: (name) => byName.has(name),
    get(name) {
      const tensor = byName.get(name);
      if (tensor !== undefined) return tensor;
      throw new ModelError(
        'model_weights',
        origin,
        `Tensor "${name}" is missing.`,
        'Check that the weights belong to the config.json next to them.',
      );
    },
    residentBytes: tensors.reduce((sum, tensor) => sum + tensor.residentBytes, 0),
  };
}

/** Held as it is in the file, and turned when it is dequantised. */
export function transposedSource(plain: SourceTensor): SourceTensor {
  const { name } = plain;
  const shape = [...plain.shape].reverse();
  const [, width = 1] = shape;
  return {
    ...plain,
    shape,
    coded: undefined,
    read(start, out) {
      const first = Math.floor(start / width);
      const count = Math.ceil((start + out.length) / width) - first;
      const skipped = start - first * width;
      const rows = count * width === out.length ? out : new Float32Array(count * width);
      transposedTensor(name, plain.load()).dequantiseRows(first, count, rows);
      if (rows !== out) out.set(rows.subarray(skipped, skipped + out.length));
    },
    load() {
      const found = transposedTensor(name, plain.load());
      if (found.format !== 'F32') return found;
      const values = shareableFloats(sizeOf(shape));
      found.dequantise(values);
      return float32Tensor(name, shape, values);
    },
  };
}

/** Rows that are dequantised at a time: what is written of them side by side fills a line of a processor's cache. */
const TILE = 16;

/** A matrix that is held the other way round. */
export function transposedTensor(name: string, stored: StoredTensor): StoredTensor {
  const shape = [...stored.shape].reverse();
  const [height = 0, width = 0] = shape;
  const dequantiseRows = (first: number, count: number, out: Float32Array): void => {
    const columns = new Float32Array(TILE * height);
    for (let at = 0; at < width; at += TILE) {
      const some = Math.min(TILE, width - at);
      stored.dequantiseRows(at, some, columns);
      for (let row = 0; row < count; row++)
        for (let i = 0; i < some; i++)
          out[row * width + at + i] = columns[i * height + first + row] as number;
    }
  };
  const { format, residentBytes } = stored;
  const dequantise = (out: Float32Array): void => dequantiseRows(0, height, out);
  return { name, shape, format, residentBytes, view: () => undefined, dequantise, dequantiseRows };
}

/** Values that are dequantised at a time. */
const WINDOW = 1 << 18;

/** Whether no value is NaN or infinite. */
export function areFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** The first tensor with a value that is not finite; `undefined` if there is none. */
export function tensorNotFinite(weights: WeightStore): string | undefined {
  return weights.names().find((name) => {
    const { shape, dequantiseRows } = weights.get(name);
    const [rows = 1] = shape;
    const row = rowElements(shape);
    const step = Math.max(1, Math.floor(WINDOW / row));
    for (let first = 0; first < rows; first += step) {
      const values = new Float32Array(Math.min(step, rows - first) * row);
      dequantiseRows(first, values.length / row, values);
      if (!areFinite(values)) return true;
    }
    return false;
  });
}
