import type { Host } from '../../../language/host/host.js';
import { discarded } from '../../tensor/garbage.js';
import { sizeOf } from '../../tensor/shape.js';
import { ModelError } from '../types.js';
import { dequantiseBlocks } from '../weights/dequantisation.js';
import { BLOCKS } from '../weights/formats.js';
import {
  blockTensor,
  codedRows,
  float32Tensor,
  type SourceTensor,
  transposedSource,
  type WeightSource,
} from '../weights/stored-tensor.js';
import { readFile } from './cursor.js';
import type { GgufHeader, GgufTensor } from './header.js';
import type { Arrangement, PlacedTensor } from './layout.js';

/** Bytes that are read at a time where rows are put in order. */
const WINDOW = 1 << 20;

/** The tensors of a GGUF file under their Hugging Face names and in Hugging Face's order. */
export function ggufSource(host: Host, header: GgufHeader, layout: readonly PlacedTensor[]): WeightSource {
  const source = new Map<string, SourceTensor>();
  for (const placed of layout) {
    const { name, ggufName, arrangement } = placed;
    const found = header.tensors.get(ggufName);
    if (found === undefined) continue;
    const tensor = asPlaced(found, placed);
    source.set(name, arranged({ host, header, name, tensor }, arrangement));
  }
  return source;
}

/** In its own dimensions, and of a stack of tensors the one that is meant. */
function asPlaced(found: GgufTensor, { shape, member, isReshaped }: PlacedTensor): GgufTensor {
  if (member === undefined) return isReshaped ? { ...found, shape } : found;
  const bytes = found.bytes / (found.shape[0] ?? 1);
  return { ...found, shape, bytes, start: found.start + member * bytes };
}

interface InFile {
  readonly host: Host;
  readonly header: GgufHeader;
  readonly name: string;
  readonly tensor: GgufTensor;
}

function arranged(file: InFile, arrangement: Arrangement): SourceTensor {
  if (arrangement.kind === 'rows') return inRows(file, arrangement);
  const plain = asItStands(file);
  if (arrangement.kind === 'transposed') return transposedSource(plain);
  return arrangement.kind === 'one_more' ? lessOne(plain) : plain;
}

/** Bytes `from … from + length` of a tensor. */
const bytesOf = ({ host, header, tensor }: InFile, from: number, length: number): Uint8Array =>
  readFile(host, header.path, tensor.start + from, length);

/** What is read by units of so many values, of which `unitsOf` gives some as they are stored. */
const readByUnits = (
  { name, tensor: { type, shape }, header: { path } }: InFile,
  values: number,
  unitsOf: (first: number, count: number) => Uint8Array,
): Pick<SourceTensor, 'name' | 'path' | 'shape' | 'read'> => ({
  name,
  path,
  shape,
  read(start, out) {
    const first = Math.floor(start / values);
    const end = Math.ceil((start + out.length) / values);
    dequantiseBlocks(type, unitsOf(first, end - first), start - first * values, out);
  },
});

function asItStands(file: InFile): SourceTensor {
  const { name, tensor } = file;
  const { type, shape } = tensor;
  const { values, bytes } = BLOCKS[type];
  return {
    ...readByUnits(file, values, (first, count) => bytesOf(file, first * bytes, count * bytes)),
    format: () => type,
    load: () => blockTensor(name, shape, type, bytesOf(file, 0, tensor.bytes)),
    coded: codedRows(type, shape, (from, length) => {
      // what was read before
      discarded(length);
      return bytesOf(file, from, length);
    }),
  };
}

/** Rows are whole blocks, so that they are moved as they are. */
function inRows(file: InFile, order: Extract<Arrangement, { kind: 'rows' }>): SourceTensor {
  const { name, tensor, header } = file;
  const { type, shape } = tensor;
  const [rows = 0, width = 1] = shape;
  const rowBytes = tensor.bytes / rows;
  const read = (first: number, count: number): Uint8Array => {
    const out = new Uint8Array(count * rowBytes);
    for (const { from, ours } of stretches(first, count, order.theirs)) {
      const bytes = bytesOf(file, from * rowBytes, ours.length * rowBytes);
      ours.forEach((row, i) => {
        out.set(bytes.subarray(i * rowBytes, (i + 1) * rowBytes), (row - first) * rowBytes);
      });
    }
    return out;
  };
  return {
    ...readByUnits(file, width, read),
    coded: codedRows(type, shape, (from, length) => {
      discarded(length);
      return read(from / rowBytes, length / rowBytes);
    }),
    format() {
      if (Number.isInteger(rowBytes)) return type;
      throw new ModelError(
        'gguf_unsupported',
        header.path,
        `Tensor "${tensor.name}" of type ${type} has rows that cannot be reordered.`,
        'Convert the model again; such a tensor is kept as F32.',
      );
    },
    load() {
      const blocks = new Uint8Array(tensor.bytes);
      const step = order.unit * Math.ceil(WINDOW / rowBytes / order.unit);
      for (let row = 0; row < rows; row += step)
        blocks.set(read(row, Math.min(step, rows - row)), row * rowBytes);
      return blockTensor(name, shape, type, blocks);
    },
  };
}

/** Rows of ours that are one after the other in the file, from row `from` of the file on. */
function stretches(
  first: number,
  count: number,
  theirs: (row: number) => number,
): readonly { readonly from: number; readonly ours: number[] }[] {
  const found: { from: number; ours: number[] }[] = [];
  const rows = Array.from({ length: count }, (_, i) => ({ ours: first + i, theirs: theirs(first + i) }));
  for (const row of rows.sort((a, b) => a.theirs - b.theirs)) {
    const last = found.at(-1);
    if (last !== undefined && last.from + last.ours.length === row.theirs) last.ours.push(row.ours);
    else found.push({ from: row.theirs, ours: [row.ours] });
  }
  return found;
}

function lessOne(plain: SourceTensor): SourceTensor {
  const { name, shape } = plain;
  const read = (start: number, out: Float32Array): void => {
    plain.read(start, out);
    for (let at = 0; at < out.length; at++) out[at] = (out[at] as number) - 1;
  };
  return {
    ...plain,
    format: () => 'F32',
    read,
    load() {
      const values = new Float32Array(sizeOf(shape));
      read(0, values);
      return float32Tensor(name, shape, values);
    },
  };
}
