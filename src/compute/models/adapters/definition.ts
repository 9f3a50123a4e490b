/** What there is to say about a kind of adapter. */
import type { BlockBlueprint, NamedShape } from '../architectures/index.js';
import type { AdapterTensors, ModelConfig, WeightStore } from '../types.js';
import type { AdapterConfig, AdapterKind, BottleneckConfig, BottleneckPlace } from './config.js';

/** Low-rank factors over one linear layer. */
export interface Branch {
  readonly rank: number;
  /** What B·A·x is multiplied by: alpha ÷ rank, or alpha ÷ √rank (rsLoRA, arXiv 2312.03732). */
  readonly scale: number;
  /** Magnitude and direction are separate (DoRA, arXiv 2402.09353). */
  readonly dora: boolean;
  /** The product of the factors that training began with is subtracted from the weights (PiSSA). */
  readonly residual: boolean;
}

/** The branches of one block, by the paths of its linear layers within it. */
type Branches = Readonly<Record<string, Branch>>;

/** The adapter after one part of a block. */
export interface Bottleneck extends Pick<BottleneckConfig, 'activation' | 'reads' | 'scale'> {
  /** Width of the bottleneck. */
  readonly size: number;
}

/** The bottleneck adapters of one block, by the parts that they follow. */
export type Bottlenecks = Readonly<Partial<Record<BottleneckPlace, Bottleneck>>>;

/** What an adapter computes within one block. */
export interface BlockAdapters {
  readonly branches: Branches;
  readonly bottlenecks: Bottlenecks;
}

/** What an adapter is within one block. */
export interface InBlock extends BlockAdapters {
  /** Biases of the base that are trained, by their names within the block. */
  readonly biases: readonly string[];
}

/** One block of a model. */
interface PlacedBlock {
  readonly block: BlockBlueprint;
  readonly layer: number;
  /** The full name of what is called so within the block. */
  path(name: string): string;
}

/** A module that an adapter adds to a model, over all layers. */
export interface AddedModule {
  readonly module: string;
  /** How many layers have it, of how many that could; 1 of 1 for one that is outside of the layers. */
  readonly layers: number;
  readonly of: number;
  readonly shapes: readonly NamedShape[];
}

/** A tensor of its own, outside of the layers. */
export const outerModule = (tensor: NamedShape): AddedModule => ({
  module: tensor.name,
  layers: 1,
  of: 1,
  shapes: [tensor],
});

/** The ways in which the trained tensors of each kind may begin. */
export interface AdapterInits {
  readonly lora: 'kaiming' | 'gaussian';
  readonly prompt: 'random' | 'vocabulary';
  readonly prefix: 'random' | 'zero';
  readonly bottleneck: 'bert' | 'mam_adapter';
  readonly head: never;
}

export interface InitOptions<K extends AdapterKind> {
  readonly seed: number;
  /** Default: the first of the kind. */
  readonly init?: AdapterInits[K];
  /** The base, which DoRA, PiSSA, a prompt of its tokens and what is trained whole need. */
  readonly weights?: WeightStore;
}

export interface AdapterDefinition<K extends AdapterKind> {
  /** The trained tensors, by their full names. */
  shapes(model: ModelConfig, adapter: AdapterConfig<K>): readonly NamedShape[];
  /** A fresh adapter. Values depend on the seed, the tensor and its shape alone. */
  init(model: ModelConfig, adapter: AdapterConfig<K>, options: InitOptions<K>): AdapterTensors;
  /** What an adapter holds besides its trained tensors: those that training began with. */
  firstShapes?(model: ModelConfig, adapter: AdapterConfig<K>): readonly NamedShape[];
  /** The config of what is saved of it: an adapter over the weights as they are. */
  savedConfig?(adapter: AdapterConfig<K>): AdapterConfig<K>;
  /** Positions that it takes from every text. */
  virtualTokens?(adapter: AdapterConfig<K>): number;
  /** Why it does not fit a base whose shapes do. */
  misfit?(model: ModelConfig, adapter: AdapterConfig<K>): string | undefined;
  inBlock?(adapter: AdapterConfig<K>, placed: PlacedBlock): Partial<InBlock>;
  /** Names of trained tensors among the inputs of a block's graph. */
  readonly blockInput?: RegExp;
  /** New modules; linear layers, embedding and head are in the model anyway. */
  modules?(model: ModelConfig, adapter: AdapterConfig<K>): readonly AddedModule[];
}

export function needed<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new RangeError(`${what} needs the base`);
  return found;
}
