import { shareableFloats } from '../../../language/host/shareable.js';
import type { WeightResidency } from '../../../language/ir/runtimes.js';
import { discardedYoung, MOST_DISCARDED_YOUNG } from '../../tensor/garbage.js';
import { sizeOf } from '../../tensor/shape.js';
import {
  blueprintOf,
  type ExpectedTensor,
  expectedTensors,
  type NamedShape,
} from '../architectures/index.js';
import { type ModelConfig, ModelError, type StoredTensor, type WeightStore } from '../types.js';
import { type StoredFormat, storedBytes } from './formats.js';
import { type DoubleNf4, quantiseNf4 } from './nf4-quantise.js';
import { nf4Tensor } from './nf4-tensor.js';
import {
  encodedTensor,
  float32Tensor,
  type SourceTensor,
  transposedSource,
  transposedTensor,
  type WeightSource,
  weightStore,
} from './stored-tensor.js';

/**
 * How a model is held in memory: as in its files; as float32; with the projections of its blocks in NF4; as the float32
 * values that those dequantise to; or with everything large left in the files and read when it is needed.
 */
export type Storage = 'stored' | 'f32' | 'nf4' | 'nf4_materialised' | 'paged';

/** Weights that take at most this many bytes as float32 are dequantised once by default, which saves 5 % of a step's time. */
export const MOST_MATERIALISED_BYTES = 2 ** 30;

/** Forms that are dequantised in each pass, with the form that holds the same values dequantised. */
const MATERIALISED = { stored: 'f32', f32: 'f32', nf4: 'nf4_materialised' } as const satisfies Partial<
  Record<Storage, Storage>
>;

/** The form that holds the same values as float32. */
export const materialised = (storage: keyof typeof MATERIALISED): 'f32' | 'nf4_materialised' =>
  MATERIALISED[storage];

/** Tensors that are small, and read in every step. */
const HELD: ReadonlySet<ExpectedTensor['role']> = new Set(['norm', 'bias']);

/** The format in which each tensor would be held; the planner's view of a model that is not loaded. */
export function plannedFormat(
  role: ExpectedTensor['role'],
  file: StoredFormat,
  storage: Storage,
): StoredFormat {
  if (storage === 'f32' || storage === 'nf4_materialised') return 'F32';
  // what is in 4 bits already stays as it is
  return storage === 'nf4' && role === 'projection' && file !== 'NF4_SINGLE' ? 'NF4' : file;
}

/** The format of a tensor in the files, by its name. */
export type FormatOf = (name: string) => StoredFormat;

/** A model that was saved in 4 bits stays as it is, including projections that were not quantised. */
function settled(config: ModelConfig, formatOf: FormatOf, storage: Storage): Storage {
  if (storage !== 'nf4' && storage !== 'nf4_materialised') return storage;
  const quantised = expectedTensors(config).some(({ name }) => formatOf(name).startsWith('NF4'));
  if (!quantised) return storage;
  return storage === 'nf4' ? 'stored' : 'f32';
}

/** Bytes that the weights will hold: the sum of their `residentBytes` once they are loaded, all but the tensor `without`. */
export function plannedBytes(
  config: ModelConfig,
  formatOf: FormatOf,
  storage: Storage,
  without?: string,
): number {
  const held = settled(config, formatOf, storage);
  return expectedTensors(config)
    .filter(({ name }) => name !== without)
    .filter(({ role }) => held !== 'paged' || HELD.has(role))
    .reduce(
      (sum, { name, shape, role }) => sum + storedBytes(shape, plannedFormat(role, formatOf(name), held)),
      0,
    );
}

/**
 * The form that is dequantised once where that takes at most `float32Bytes`: nothing is then dequantised again for every token. The
 * answers are the same either way.
 */
export const materialisedWithin = (
  config: ModelConfig,
  storage: keyof typeof MATERIALISED,
  float32Bytes: number,
  without?: string,
): Storage =>
  plannedBytes(config, () => 'F32', 'f32', without) <= float32Bytes ? materialised(storage) : storage;

/** As float32 only where that takes at most {@link MOST_MATERIALISED_BYTES}; what is made into 4 bits is not paged. */
export function residentStorage(
  residency: WeightResidency,
  config: ModelConfig,
  storage: keyof typeof MATERIALISED,
  without?: string,
): Storage {
  if (residency === 'paged' && storage === 'stored') return 'paged';
  return materialisedWithin(config, storage, residency === 'float32' ? MOST_MATERIALISED_BYTES : 0, without);
}

/**
 * Checks that every tensor of the config is there with its shape, and in a format that can be read, and no block and no
 * parameter of a block is left out, before any data is touched. Other tensors (rotary buffers, a head that repeats tied
 * embeddings) are ignored.
 * Throws a {@link ModelError} that names the tensor, the shape expected and the shape found.
 */
export function checkTensors(origin: string, source: WeightSource, config: ModelConfig): void {
  const help = 'Check that the weights belong to the config next to them.';
  const wrong = (path: string, detail: string) => new ModelError('model_weights', path, detail, help);
  for (const expected of expectedTensors(config)) {
    const { name, shape } = expected;
    const found = foundFor(source, expected);
    if (found === undefined)
      throw wrong(origin, `Tensor "${name}" of shape [${shape.join(', ')}] is missing.`);
    if (found.shape.join() !== shape.join()) {
      throw wrong(
        found.path,
        `Tensor "${name}" has shape [${found.shape.join(', ')}]; the config asks for [${shape.join(', ')}].`,
      );
    }
    found.format();
  }
  const blueprint = blueprintOf(config);
  const expected = new Set(expectedTensors(config).map(({ name }) => name));
  const outer = blueprint.blocksAt.slice(0, blueprint.blocksAt.indexOf('.') + 1);
  for (const { name, path } of source.values()) {
    // a file may leave the first part of a name out
    const full = name.startsWith(outer) ? name : `${outer}${name}`;
    const [, block, within = ''] = blockParts(full, blueprint.blocksAt);
    if (block === undefined || expected.has(full)) continue;
    if (Number(block) >= config.layers)
      throw wrong(path, `Tensor "${name}" is of a block more than the ${config.layers} of the config.`);
    if (isParameter(within, (other) => expected.has(`${blueprint.blocksAt}.${block}.${other}`)))
      throw wrong(path, `Tensor "${name}" has no place in a model of this config.`);
  }
}

const blockParts = (name: string, blocksAt: string): readonly (string | undefined)[] =>
  name.startsWith(`${blocksAt}.`) ? (/^(\d+)\.(.*)$/.exec(name.slice(blocksAt.length + 1)) ?? []) : [];

/**
 * Whether a tensor of a block takes part in what is computed, so that the model would be another without it: every weight,
 * and the bias of a module that has one. GPT-2's mask is called `attn.bias`, and `attn` has no weight.
 */
const isParameter = (name: string, isThere: (name: string) => boolean): boolean =>
  name.endsWith('.weight') || (name.endsWith('.bias') && isThere(name.replace(/bias$/, 'weight')));

/**
 * Where the config ties head and embedding, a head in the file must repeat the embedding: transformers 4 would
 * ignore a different one, 5 would use it.
 */
function checkTied(source: WeightSource, config: ModelConfig): void {
  if (!config.tieEmbeddings || config.labels !== undefined) return;
  const { head, embedding } = blueprintOf({ ...config, tieEmbeddings: false });
  const [own, table] = [source.get(head.output.name), source.get(embedding.name)];
  if (own === undefined || table === undefined || own.shape.join() !== table.shape.join()) return;
  const elements = sizeOf(own.shape);
  const windows = [own, table].map(() => new Float32Array(Math.min(WINDOW, elements)));
  for (let start = 0; start < elements; start += WINDOW) {
    const [a, b] = windows.map((values) => values.subarray(0, elements - start)) as [
      Float32Array,
      Float32Array,
    ];
    own.read(start, a);
    table.read(start, b);
    if (a.every((value, i) => value === b[i])) continue;
    throw new ModelError(
      'model_weights',
      own.path,
      `"tie_word_embeddings" of the config makes one tensor of "${own.name}" and "${table.name}", which differ.`,
      'Write "tie_word_embeddings": false into config.json if the head is one of its own; leave its tensor out otherwise.',
    );
  }
}

export interface LoadOptions {
  /** The name of a tensor that is not read. */
  readonly without?: string;
  /** Tensors that are in NF4 already ({@link quantiseNamed}), by their names. */
  readonly quantised?: ReadonlyMap<string, DoubleNf4>;
}

/**
 * Reads the tensors that the config names, one at a time: the file's form of a tensor is released before the next one is
 * read.
 */
export function loadTensors(
  origin: string,
  source: WeightSource,
  config: ModelConfig,
  storage: Storage,
  { without, quantised: known }: LoadOptions = {},
): WeightStore {
  checkTensors(origin, source, config);
  checkTied(source, config);
  const held = settled(config, (name) => source.get(name)?.format() ?? 'F32', storage);
  const tensors: StoredTensor[] = [];
  for (const expected of expectedTensors(config)) {
    const { name, role, transposed } = expected;
    const found = foundFor(source, expected);
    if (found === undefined || name === without) continue;
    if (storage === 'paged' && !HELD.has(role)) tensors.push(pagedTensor(found));
    else if (held === 'nf4_materialised' && role === 'projection')
      tensors.push(asFloat32(quantised(found, transposed)));
    else tensors.push(loadTensor(found, plannedFormat(role, found.format(), held), { transposed, known }));
  }
  return weightStore(origin, tensors);
}

/** The tensors that {@link loadTensors} would quantise to be held in `nf4`, in their order. */
export const tensorsToQuantise = (config: ModelConfig, formatOf: FormatOf): readonly NamedShape[] =>
  settled(config, formatOf, 'nf4') === 'nf4'
    ? expectedTensors(config).filter(
        ({ name, role }) => plannedFormat(role, formatOf(name), 'nf4') !== formatOf(name),
      )
    : [];

/**
 * One of them in NF4, in memory that threads share where `shared` says so. Throws a {@link ModelError} for a value that
 * is not finite.
 */
export function quantiseNamed(
  source: WeightSource,
  config: ModelConfig,
  name: string,
  shared?: boolean,
): DoubleNf4 {
  const expected = expectedTensors(config).find((tensor) => tensor.name === name);
  const found = expected && foundFor(source, expected);
  if (found === undefined) throw new RangeError(`${name} is no tensor of this model`);
  return quantisedData(found, expected?.transposed, shared);
}

/** bitsandbytes holds every matrix as `[outputs, inputs]`, also those that are stored transposed when they are not quantised. */
function foundFor(source: WeightSource, { name, transposed }: ExpectedTensor): SourceTensor | undefined {
  const found = source.get(name);
  return transposed && found?.format().startsWith('NF4') ? transposedSource(found) : found;
}

/** Values that are dequantised at a time where a tensor is held in another format than its file's. */
const WINDOW = 1 << 18;

interface TensorOptions {
  readonly transposed?: boolean;
  readonly known?: LoadOptions['quantised'];
}

function loadTensor(
  source: SourceTensor,
  format: StoredFormat,
  { transposed, known }: TensorOptions,
): StoredTensor {
  const { name, shape } = source;
  // a file may leave the first part of a name out
  if (format === source.format()) return { ...source.load(), name };
  if (format === 'NF4') return quantised(source, transposed, known?.get(name));
  const values = asFloat32({ name, shape, dequantise: (out) => readInto(source, 0, out) });
  return { ...values, coded: () => source.coded };
}

function quantised(source: SourceTensor, transposed = false, known?: DoubleNf4): StoredTensor {
  const { name, shape } = source;
  const data = known ?? quantisedData(source, transposed);
  return transposed
    ? transposedTensor(name, nf4Tensor(name, [...shape].reverse(), data))
    : nf4Tensor(name, shape, data);
}

function quantisedData(source: SourceTensor, transposed = false, shared = false): DoubleNf4 {
  const elements = sizeOf(source.shape);
  if (!transposed) return quantiseNf4(elements, source.read, { ...refusing(source), shared });
  const turned = transposedSource(source);
  return quantiseNf4(elements, turned.read, { ...refusing(turned), window: elements, shared });
}

function asFloat32({
  name,
  shape,
  dequantise,
}: Pick<StoredTensor, 'name' | 'shape' | 'dequantise'>): StoredTensor {
  const values = shareableFloats(sizeOf(shape));
  dequantise(values);
  return float32Tensor(name, shape, values);
}

/** 4 bits have no code for a value that is not finite, and would hide it. */
const refusing = ({ name, path }: SourceTensor): { readonly notFinite: () => never } => ({
  notFinite: () => {
    throw new ModelError(
      'model_weights',
      path,
      `Tensor "${name}" has a value that is not finite, which 4 bits cannot hold.`,
      'Fetch the model again, or use one whose weights are finite.',
    );
  },
});

/** Bytes that tensors take that stay in their files: the window that is read, and those that wait for the collector. */
export function pagedBytes(config: ModelConfig, formatOf: FormatOf, without?: string): number {
  const windows = expectedTensors(config)
    .filter(({ name, role }) => name !== without && !HELD.has(role))
    .map(({ name, shape }) => {
      // they gather by the bytes of their values
      const values = 4 * sizeOf(shape);
      const share = storedBytes(shape, formatOf(name)) / values;
      return share * (MOST_DISCARDED_YOUNG + Math.min(4 * WINDOW, values));
    });
  return Math.max(0, ...windows);
}

function readInto(source: SourceTensor, from: number, out: Float32Array): void {
  for (let start = 0; start < out.length; start += WINDOW) {
    const values = out.subarray(start, start + WINDOW);
    source.read(from + start, values);
    // a window's bytes, of which there are no more than of its values
    discardedYoung(values.byteLength);
  }
}

/** A tensor that stays in its file. */
export const pagedTensor = (source: SourceTensor): StoredTensor =>
  encodedTensor(
    { name: source.name, shape: source.shape, format: source.format(), residentBytes: 0 },
    (start, out) => readInto(source, start, out),
  );
