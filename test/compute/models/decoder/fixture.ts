/** Tiny models of every family and what transformers and PEFT computed for them: see test/fixtures/architectures/record.py. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseConfig } from '../../../../src/compute/models/config/index.js';
import type { Batch } from '../../../../src/compute/models/decoder/types.js';
import { f32Writable, safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import type {
  Adapter,
  ModelConfig,
  StoredTensor,
  WeightStore,
} from '../../../../src/compute/models/types.js';
import { readAdapter } from '../../../../src/compute/packaging/adapters.js';
import type { Json } from '../../../../src/language/host/json.js';
import { ofKind } from '../adapters/of-kind.js';
import { concat } from '../errors.js';
import { memoryHost } from '../memory-host.js';

export interface Packed {
  readonly shape: readonly number[];
  readonly data: string;
}

interface Recorded {
  readonly logits: Packed;
  readonly rows: readonly number[];
  readonly gradients: Readonly<Record<string, Packed>>;
}

/** A model and a batch, as every recording has them. */
export interface RecordedModel {
  /** What transformers writes as config.json. */
  readonly config: Json;
  readonly lengths: readonly number[];
  readonly rows: number;
  readonly length: number;
  readonly supervised: number;
  readonly ids: readonly number[];
  readonly labels: readonly number[];
  readonly weights: Readonly<Record<string, Packed>>;
}

interface Recording extends RecordedModel {
  readonly full: Recorded;
  readonly lora: Recorded & {
    /** What PEFT writes as adapter_config.json. */
    readonly config: Json;
    readonly tensors: Readonly<Record<string, Packed>>;
    readonly greedy: readonly (readonly number[])[];
  };
}

export function unpack({ data }: Packed): Float32Array {
  const bytes = Buffer.from(data, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

export const unpackAll = (tensors: Readonly<Record<string, Packed>>): Adapter['tensors'] =>
  new Map(
    Object.entries(tensors).map(([name, packed]) => [name, { shape: packed.shape, data: unpack(packed) }]),
  );

export const batchOf = ({ rows, length, ids, labels }: RecordedModel): Batch => ({
  rows,
  length,
  ids: Int32Array.from(ids),
  labels: Int32Array.from(labels),
});

/** The recordings in a folder of `test/fixtures`, by name. */
export function recordingsIn<Recording>(folder: string) {
  // compiled tests lie one folder deeper than the fixtures' own root
  const at = new URL(`../../../../../test/fixtures/${folder}/`, import.meta.url);
  const names: readonly string[] = readdirSync(at).flatMap((file) =>
    file.endsWith('.json') ? [file.replace('.json', '')] : [],
  );
  const read = (name: string): Recording =>
    JSON.parse(readFileSync(new URL(`${name}.json`, at), 'utf8')) as Recording;
  return { names, read };
}

const recordings = recordingsIn<Recording>('architectures');

export const FIXTURES = recordings.names;

/** Over embedding and head there are adapters; their bases are trained in full elsewhere. */
export const modesOf = (name: string): readonly ('full' | 'lora')[] =>
  name.startsWith('outer') ? ['lora'] : ['full', 'lora'];

export function fixture(name: string) {
  const read = recordings.read(name);
  const config: ModelConfig = parseConfig(read.config, `${name}.json`);
  const recording = { ...read, config };
  const { lora } = recording;
  const tensors = unpackAll(lora.tensors);
  const named = [...tensors].map(([tensor, { shape, data }]) =>
    f32Writable(`base_model.model.${tensor}`, shape, data),
  );
  const files = memoryHost({
    '/lora/adapter_config.json': JSON.stringify(lora.config),
    '/lora/adapter_model.safetensors': concat(safetensorsChunks(named)),
  });
  const adapter: Adapter<'lora'> = { config: ofKind('lora', readAdapter(files, '/lora')).config, tensors };
  return { recording, adapter, batch: batchOf(read), weights: memoryWeights(recording.weights) };
}

/** Weights in memory; `viewed: false` makes the decoder go through its decoding workspace. */
export function memoryWeights(packed: Readonly<Record<string, Packed>>, viewed = true): WeightStore {
  const tensors = new Map(
    Object.entries(packed).map(([name, tensor]): [string, StoredTensor] => [
      name,
      stored(name, tensor.shape, unpack(tensor), viewed),
    ]),
  );
  return {
    names: () => [...tensors.keys()],
    has: (name) => tensors.has(name),
    get(name) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new RangeError(`no tensor ${name}`);
      return tensor;
    },
    residentBytes: [...tensors.values()].reduce((total, { residentBytes }) => total + residentBytes, 0),
  };
}

export function stored(
  name: string,
  shape: readonly number[],
  data: Float32Array,
  viewed: boolean,
): StoredTensor {
  const width = data.length / (shape[0] ?? 1);
  return {
    name,
    shape,
    format: 'F32',
    residentBytes: data.byteLength,
    view: () => (viewed ? data : undefined),
    dequantise: (out) => out.set(data),
    dequantiseRows: (row, count, out) => out.set(data.subarray(row * width, (row + count) * width)),
  };
}

/** Largest difference over the largest magnitude of the expected tensor. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [worst, scale] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    const [a, e] = [actual[index] ?? Number.NaN, expected[index] ?? 0];
    if (!(Math.abs(a - e) <= worst)) worst = Math.abs(a - e);
    scale = Math.max(scale, Math.abs(e));
  }
  return worst / (scale || 1);
}
