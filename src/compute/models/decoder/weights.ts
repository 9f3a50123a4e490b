/**
 * Weights as float32 graph inputs. What is stored as float32, or is trained, is passed on without a copy;
 * anything else is dequantised into one workspace that the blocks and the head share, and by threads into lanes next to it.
 */
import { onHost } from '../../tensor/memory.js';
import { GraphError, sizeOf } from '../../tensor/shape.js';
import { tiledInputs, tiledShape } from '../../tensor/tiles.js';
import type { CodeMatrix, FixedTensors, Graph, HostTensor, Tensor, Tensors } from '../../tensor/types.js';
import { magnitudeName, upName } from '../adapters/branches.js';
import type { AdapterConfig } from '../adapters/config.js';
import { adapterShapes, firstShapes } from '../adapters/kinds.js';
import { adaptedOuterOf, outerTensors } from '../adapters/outer.js';
import { wholeTensor } from '../adapters/whole.js';
import { HEAD, OUTPUT } from '../architectures/graphs/head.js';
import {
  type Blueprint,
  blockName,
  blockOf,
  blockTensors,
  blueprintOf,
  expectedTensors,
  headNormTensors,
  type NamedShape,
} from '../architectures/index.js';
import { type ModelConfig, ModelError, type StoredTensor } from '../types.js';
import { dequantisationWorkspace, dequantiseInTiles, type Tiling } from '../weights/dequantisation.js';
import type { SharedNf4 } from '../weights/nf4-quantise.js';
import { dequantiseTiledNf4 } from '../weights/nf4-tensor.js';
import type { VocabularyShard } from './chunks.js';
import { Embedding } from './embedding.js';
import { embeddingFactors } from './embedding-factors.js';
import { Lane, type LaneTensor, laneSizes, lanesOf } from './lanes.js';
import type { MatrixRows } from './matrix-rows.js';
import { floatTensor, type Parameters } from './parameters.js';
import type { DecoderResources } from './resources.js';
import type { DecoderOptions } from './types.js';

/** One group of weights that are in float32 at the same time: a block, or the head. */
interface WeightGroup {
  readonly tensors: Tensors;
  readonly dequantise: readonly (() => void)[];
  /** What each of the other threads dequantises: no heads. */
  readonly elsewhere: readonly (readonly LaneTensor[])[];
}

interface WeightInput extends NamedShape {
  /** Name of the graph input. */
  readonly input: string;
  /** It is rows of a tensor of the shape `of`, from row `first` on. */
  readonly part?: { readonly first: number; readonly of: readonly number[] };
  /** That of the base, even where the adapter brings a tensor of this name: the head that is tied to an embedding. */
  readonly ofBase?: boolean;
}

/** Rows of a tensor as it is stored: so many, from one on. */
interface FixedRows {
  /** Of a matrix of codes. */
  readonly digits?: number;
  read(first: number, count: number): HostTensor | CodeMatrix;
}

interface FixedInput {
  readonly one: WeightInput;
  readonly rows: FixedRows | undefined;
}

const isReadable = (input: FixedInput): input is FixedInput & { readonly rows: FixedRows } =>
  input.rows !== undefined;

const NONE: ReadonlyMap<string, number> = new Map();

export class Weights {
  /** Of each block, by the inputs of it that are in tiles. */
  private readonly blocks: readonly Map<string, WeightGroup>[];
  private readonly workspace: Float32Array;
  private readonly wanted: {
    readonly blocks: readonly (readonly WeightInput[])[];
    readonly head: readonly WeightInput[];
  };
  /** Of the whole vocabulary, or of each of its shards. */
  private readonly heads: readonly WeightGroup[];
  private readonly lanes: readonly Lane[];
  readonly embedding: Embedding;
  private loaded: { readonly group: WeightGroup; readonly tensors: Tensors } | undefined;
  private readonly options: DecoderOptions;
  private readonly parameters: Parameters;
  /** What lies in the memory of the runtime, by what it was made of. */
  private readonly held = new Map<Float32Array | StoredTensor, Tensor>();

  /** `shards`: those of the vocabulary that the head is computed for, one after another. */
  constructor(resources: DecoderResources, rows: MatrixRows, shards: readonly VocabularyShard[] | undefined) {
    const { options, parameters } = resources;
    this.options = options;
    this.parameters = parameters;
    const { config } = options;
    const blueprint = blueprintOf(config);
    const adapter = options.adapter?.config;
    const ofAdapter = adapter ? [...adapterShapes(config, adapter), ...firstShapes(config, adapter)] : [];
    const layers = blueprint.layers.map((_, layer) => inputsOfBlock(blueprint, options, layer, ofAdapter));
    const head = headInputs(config, adapter);
    this.wanted = { blocks: layers, head };
    const heads = shards?.map((shard) => head.map((one) => shardOf(one, shard))) ?? [head];
    const { dequantisers = [] } = options;
    const decoded = [...layers, ...heads].map((group) => this.decoded(group));
    const [own = 0, ...others] = laneSizes(decoded, 1 + dequantisers.length);
    this.workspace = dequantisationWorkspace(
      own,
      resources.graphs.tiles === undefined ? 0 : widestOf(layers),
    );
    this.lanes = dequantisers.map((thread, index) => new Lane(thread, others[index] ?? 0));
    this.heads = heads.map((group) => this.group(group));
    this.blocks = layers.map((group) => new Map([['', this.group(group)]]));
    const { embedding, positions } = blueprint;
    this.embedding = new Embedding(
      { options, parameters, rows },
      checked(options, embedding),
      positions && checked(options, positions),
      (table) => this.ready(table),
      embeddingFactors(resources, (tensor) => this.ready(tensor)),
    );
  }

  /** The tensors of a block as a graph takes them; default: row by row. */
  async block(layer: number, graph?: Graph): Promise<Tensors> {
    const group = this.blockGroup(layer, graph);
    if (this.loaded?.group === group) return this.loaded.tensors;
    if (group.elsewhere.every(({ length }) => length === 0)) return this.load(group);
    // they work while this thread does
    const elsewhere = this.lanes.map((lane, index) => lane.fill(group.elsewhere[index] ?? []));
    const own = this.load(group);
    const filled: readonly Tensors[] = await Promise.all(elsewhere);
    const tensors: Tensors = Object.assign({}, own, ...filled);
    this.loaded = { group, tensors };
    return tensors;
  }

  private blockGroup(layer: number, graph: Graph | undefined): WeightGroup {
    const [wanted, known] = [this.wanted.blocks[layer], this.blocks[layer]];
    if (wanted === undefined || known === undefined)
      throw new GraphError(`block ${layer} of ${this.blocks.length}`);
    const matrices = wanted.flatMap(({ input, shape }) => (shape.length === 2 ? [input] : []));
    const tiled = graph === undefined ? NONE : tiledInputs(graph, matrices);
    const key = [...tiled.keys()].join();
    const group = known.get(key) ?? this.group(wanted, tiled);
    known.set(key, group);
    return group;
  }

  /** The tensors of the final norm, and `output`: all of it, or the rows of a vocabulary shard. */
  head(shard = 0): Tensors {
    const group = this.heads[shard];
    if (group === undefined) throw new GraphError(`shard ${shard} of ${this.heads.length} of the head`);
    return this.load(group);
  }

  /**
   * The tensors of a block as they are stored: each matrix in codes, if all of them are, and what has one dimension, or is an
   * adapter's, in float32. `undefined` otherwise.
   */
  fixedBlock(layer: number): FixedTensors | undefined {
    const readers = this.fixed(this.wanted.blocks[layer] ?? []);
    return readers && new Map(readers.map(({ one, rows }) => [one.input, rows.read(0, one.shape[0] ?? 0)]));
  }

  /** The same of the head, all of it or a shard of the vocabulary at a time. */
  fixedHead(): ((shard?: VocabularyShard) => FixedTensors) | undefined {
    const readers = this.fixed(this.wanted.head);
    if (readers === undefined) return undefined;
    return (shard) =>
      new Map(
        readers.map(({ one, rows }) => {
          const { input, shape, part } = shard === undefined ? one : shardOf(one, shard);
          return [input, rows.read(part?.first ?? 0, shape[0] ?? 0)];
        }),
      );
  }

  /** Digits of a code, on average over the weights of the blocks, and of the head; `undefined` where not all are codes. */
  get digits(): { readonly blocks: number | undefined; readonly head: number | undefined } {
    const mean = (wanted: readonly WeightInput[]): number | undefined => {
      const matrices = this.fixed(wanted)?.filter(({ rows }) => rows.digits !== undefined);
      const sum = (of: (one: FixedInput) => number) => matrices?.reduce((all, one) => all + of(one), 0) ?? 0;
      const weights = sum(({ one }) => sizeOf(one.shape));
      return weights === 0
        ? undefined
        : sum(({ one, rows }) => (rows?.digits ?? 0) * sizeOf(one.shape)) / weights;
    };
    return { blocks: mean(this.wanted.blocks.flat()), head: mean(this.wanted.head) };
  }

  private fixed(
    wanted: readonly WeightInput[],
  ): readonly (FixedInput & { readonly rows: FixedRows })[] | undefined {
    const readers = wanted.map((one) => ({ one, rows: this.fixedRows(one) }));
    return readers.every(isReadable) ? readers : undefined;
  }

  private fixedRows({ name, shape, ofBase }: WeightInput): FixedRows | undefined {
    const own = ofBase === true ? undefined : this.options.adapter?.tensors.get(name);
    if (own !== undefined) {
      const whole = floatTensor(own.shape, own.data);
      return { read: (first, count) => rowsOf(whole, first, [count, ...own.shape.slice(1)]) };
    }
    const stored = checked(this.options, { name, shape });
    if (shape.length > 1) return stored.coded?.();
    const values = new Float32Array(sizeOf(shape));
    stored.dequantise(values);
    return { read: () => floatTensor(shape, values) };
  }

  /** Whether every pass decodes the blocks again. */
  get decodesBlocks(): boolean {
    return this.wanted.blocks.some((wanted) => this.decoded(wanted).length > 0);
  }

  private load(group: WeightGroup): Tensors {
    if (this.loaded?.group !== group && group.dequantise.length > 0) {
      for (const dequantise of group.dequantise) dequantise();
      this.loaded = { group, tensors: group.tensors };
    }
    return group.tensors;
  }

  /** `tiled`: inputs that are in tiles, with the places of these. */
  private group(wanted: readonly WeightInput[], tiled = NONE): WeightGroup {
    const tensors: Record<string, Tensor> = {};
    const dequantised: (() => void)[] = [];
    const elsewhere: LaneTensor[][] = this.lanes.map(() => []);
    const decoded = this.decoded(wanted);
    const lanes = lanesOf(decoded, 1 + this.lanes.length);
    const laneOf = new Map(decoded.map((one, index) => [one.input, lanes[index]]));
    let used = 0;
    for (const one of wanted) {
      const { name, input, part } = one;
      const known = this.ready(one);
      if (known !== undefined) {
        tensors[input] = known;
        continue;
      }
      const { shape, tiling } = laidOut(one, tiled.get(input));
      const lane = laneOf.get(input) ?? 0;
      const data = this.sharedOf(one);
      if (lane > 0 && data !== undefined) {
        elsewhere[lane - 1]?.push({ input, shape, data, tiling });
        continue;
      }
      const out = this.workspace.subarray(used, used + sizeOf(shape));
      used += out.length;
      tensors[input] = floatTensor(shape, out);
      const stored = checked(this.options, { name, shape: part?.of ?? one.shape });
      dequantised.push(() => {
        if (tiling !== undefined) dequantiseTiled(stored, data, tiling, out);
        else if (part === undefined) stored.dequantise(out);
        else stored.dequantiseRows(part.first, one.shape[0] ?? 0, out);
      });
    }
    return { tensors, dequantise: dequantised, elsewhere };
  }

  /** The tensor where it exists in float32 already. */
  private ready({ name, shape, part, ofBase }: Omit<WeightInput, 'input'>): Tensor | undefined {
    if (part !== undefined) {
      const whole = this.ready({ name, shape: part.of, ofBase });
      return whole && rowsOf(whole, part.first, shape);
    }
    const parameter = ofBase ? undefined : this.parameters.valueTensors.get(name);
    if (parameter !== undefined) return parameter;
    const adapter = ofBase ? undefined : this.options.adapter?.tensors.get(name);
    if (adapter !== undefined) return this.hold(adapter.shape, adapter.data);
    const stored = checked(this.options, { name, shape });
    const view = stored.view();
    return view === undefined ? this.packed(stored) : this.hold(shape, view);
  }

  private hold(shape: readonly number[], data: Float32Array): Tensor | undefined {
    return this.once(data, () => this.options.runtime.memory.hold(floatTensor(shape, data)));
  }

  /** A stored form that the runtime dequantises itself. */
  private packed(stored: StoredTensor): Tensor | undefined {
    return this.once(stored, () => {
      const { memory } = this.options.runtime;
      const packed = memory.isHost ? undefined : stored.packed?.();
      return packed && memory.holdPacked(packed);
    });
  }

  /** In the memory of the runtime, once, whoever asks. */
  private once(source: Float32Array | StoredTensor, make: () => Tensor | undefined): Tensor | undefined {
    const tensor = this.held.get(source) ?? make();
    if (tensor !== undefined) this.held.set(source, tensor);
    return tensor;
  }

  release(): void {
    for (const tensor of this.held.values()) this.options.runtime.memory.free(tensor);
    this.held.clear();
  }

  /** What has to be dequantised, and whether other threads can do it. */
  private decoded(wanted: readonly WeightInput[]): readonly (WeightInput & { readonly isShared: boolean })[] {
    return wanted
      .filter((one) => this.ready(one) === undefined)
      .map((one) => ({ ...one, isShared: this.sharedOf(one) !== undefined }));
  }

  private sharedOf({ name, shape, part }: WeightInput): SharedNf4 | undefined {
    return part === undefined ? checked(this.options, { name, shape }).shared?.() : undefined;
  }
}

/** The shape of a tensor as a graph takes it, and how it is laid out where it is in tiles of so many places. */
function laidOut(
  { shape }: NamedShape,
  size = 0,
): { readonly shape: readonly number[]; readonly tiling?: Tiling } {
  const tiled = size > 0 ? tiledShape(shape, size) : undefined;
  return tiled === undefined ? { shape } : { shape: tiled, tiling: { columns: tiled[1] ?? 0, size } };
}

function dequantiseTiled(
  stored: StoredTensor,
  data: SharedNf4 | undefined,
  tiling: Tiling,
  out: Float32Array,
): void {
  const { columns, size } = tiling;
  if (data !== undefined) dequantiseTiledNf4(data, tiling, out);
  else dequantiseInTiles(tiling, out, (start, rows) => stored.dequantiseRows(start / columns, size, rows));
}

/** Columns of the widest matrix of a block. */
const widestOf = (layers: readonly (readonly WeightInput[])[]): number =>
  layers.flat().reduce((widest, { shape: [, columns = 0] }) => Math.max(widest, columns), 0);

/** Whether no matrix of a block exists in float32 already: each is dequantised for the pass that reads it. */
export const decodesMatrices = (
  { trainable, weights }: DecoderOptions,
  blueprint: Blueprint,
  headDim: number,
): boolean =>
  trainable !== 'full' &&
  blueprint.layers.every((_, layer) =>
    blockTensors(blockOf(blueprint, layer), headDim).every(
      ({ name, shape }) =>
        shape.length !== 2 || weights.get(blockName(blueprint, layer, name)).view() === undefined,
    ),
  );

/** What has a row of each token. */
const BY_TOKEN: ReadonlySet<string> = new Set([OUTPUT, upName(HEAD), magnitudeName(HEAD)]);

/** The output matrix, and what is next to it, without the rows of other shards. */
function shardOf(wanted: WeightInput, { first, size }: VocabularyShard): WeightInput {
  if (!BY_TOKEN.has(wanted.input)) return wanted;
  const [, ...rest] = wanted.shape;
  return { ...wanted, shape: [size, ...rest], part: { first, of: wanted.shape } };
}

/** Rows of a tensor in memory of the host, without a copy. */
function rowsOf(whole: Tensor, first: number, shape: readonly number[]): HostTensor {
  const [count = 0] = shape;
  const width = sizeOf(shape) / count;
  const values = onHost(whole).data as Float32Array;
  return floatTensor(shape, values.subarray(first * width, (first + count) * width));
}

/** The head's tensors, by the names of its graph's inputs. */
export function headInputs(config: ModelConfig, adapter: AdapterConfig | undefined): readonly WeightInput[] {
  const blueprint = blueprintOf(config);
  const saved = wholeTensor(config, adapter, 'head');
  const output: WeightInput =
    saved === undefined
      ? { ...blueprint.head.output, input: OUTPUT, ofBase: adapter !== undefined }
      : { name: saved.name, shape: saved.shape, input: OUTPUT };
  const factors = adaptedOuterOf(config, adapter, 'head');
  const others = [...headNormTensors(blueprint), ...(factors === undefined ? [] : outerTensors(factors))];
  return [...others.map((tensor) => ({ ...tensor, input: tensor.name })), output];
}

/** `ofAdapter`: every tensor that the adapter has, by its full name. */
function inputsOfBlock(
  blueprint: Blueprint,
  options: DecoderOptions,
  layer: number,
  ofAdapter: readonly NamedShape[],
): readonly WeightInput[] {
  const path = blockName(blueprint, layer, '');
  const own = ofAdapter.filter(({ name }) => name.startsWith(path));
  for (const { name, shape } of own) checkAdapter(options, name, shape);
  const ofBase = blockTensors(blockOf(blueprint, layer), options.config.headDim).map(({ name, shape }) => ({
    input: name,
    name: `${path}${name}`,
    shape,
  }));
  // a trained bias takes the place of the base's
  const known = new Set(ofBase.map(({ name }) => name));
  const added = own.filter(({ name }) => !known.has(name));
  return [...ofBase, ...added.map(({ name, shape }) => ({ input: name.slice(path.length), name, shape }))];
}

/** The stored tensor, if it has the shape that the configuration asks for. */
function checked({ weights }: DecoderOptions, { name, shape }: NamedShape): StoredTensor {
  const stored = weights.get(name);
  if (stored.shape.join() !== shape.join())
    throw new ModelError(
      'model_weights',
      name,
      `the tensor has shape [${stored.shape.join(', ')}], the configuration asks for [${shape.join(', ')}]`,
      'use the config.json that belongs to these weights',
    );
  return stored;
}

function checkAdapter({ adapter }: DecoderOptions, name: string, shape: readonly number[]): void {
  const tensor = adapter?.tensors.get(name);
  if (tensor?.shape.join() !== shape.join())
    throw new ModelError(
      'adapter_mismatch',
      name,
      tensor === undefined
        ? 'the adapter lacks this tensor'
        : `the adapter's tensor has shape [${tensor.shape.join(', ')}], the base asks for [${shape.join(', ')}]`,
      'use an adapter that was trained on this base',
    );
}

/** Every weight of a model by its full name: what full training trains. */
export const weightNames = ({ config }: Pick<DecoderOptions, 'config'>): readonly string[] =>
  expectedTensors(config).map(({ name }) => name);
