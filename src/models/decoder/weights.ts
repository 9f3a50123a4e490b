/**
 * Weights as float32 graph inputs. What is stored as float32, or is trained, is passed on without a copy;
 * anything else is decoded into one workspace that the blocks and the head share.
 */
import { GraphError, sizeOf } from '../../tensor/shape.js';
import type { Tensor, Tensors } from '../../tensor/types.js';
import { bottleneckTensors } from '../adapters/bottleneck.js';
import { branchTensors, firstTensors, layerKind } from '../adapters/layout.js';
import { savedTensor } from '../adapters/saved.js';
import { OUTPUT } from '../architectures/graphs/head.js';
import {
  type Blueprint,
  blockName,
  blockTensors,
  blueprintOf,
  expectedTensors,
  headNormTensors,
  type NamedShape,
  projectionsOf,
} from '../architectures/index.js';
import { type LoraConfig, type ModelConfig, ModelError, type StoredTensor } from '../types.js';
import { decodingWorkspace } from '../weights/decoding.js';
import { Embedding } from './embedding.js';
import { floatTensor, type Parameters } from './parameters.js';
import type { Parts } from './parts.js';
import type { Rows } from './rows.js';
import type { DecoderOptions } from './types.js';

/** One group of weights that are in float32 at the same time: a block, or the head. */
interface Group {
  readonly tensors: Tensors;
  readonly decoded: readonly { readonly stored: StoredTensor; readonly out: Float32Array }[];
}

export interface Wanted extends NamedShape {
  /** Name of the graph input. */
  readonly input: string;
  /** That of the base, even where the adapter brings a tensor of this name: the head that is tied to an embedding. */
  readonly ofBase?: boolean;
}

export class Weights {
  readonly #blocks: readonly Group[];
  readonly #head: Group;
  readonly embedding: Embedding;
  #loaded: Group | undefined;
  private readonly options: DecoderOptions;
  private readonly parameters: Parameters;
  /** What lies in the memory of the runtime, by what it was made of. */
  readonly #held = new Map<Float32Array | StoredTensor, Tensor>();

  constructor({ options, parameters }: Pick<Parts, 'options' | 'parameters'>, rows: Rows) {
    this.options = options;
    this.parameters = parameters;
    const { config } = options;
    const blueprint = blueprintOf(config);
    const layers = blueprint.layers.map((_, layer) => wantedOfBlock(blueprint, options, layer));
    const head = headInputs(config, options.adapter?.config);
    const groups = [...layers, head];
    const workspace = decodingWorkspace(Math.max(...groups.map((group) => this.#decodedSize(group))));
    const [headGroup, ...blocks] = [head, ...layers].map((group) => this.#group(group, workspace));
    if (headGroup === undefined) throw new GraphError('a decoder has a head');
    this.#head = headGroup;
    this.#blocks = blocks;
    const { embedding, positions } = blueprint;
    this.embedding = new Embedding(
      { options, parameters, rows },
      checked(options, embedding),
      positions && checked(options, positions),
      (table) => this.#ready(table),
    );
  }

  block(layer: number): Tensors {
    const group = this.#blocks[layer];
    if (group === undefined) throw new GraphError(`block ${layer} of ${this.#blocks.length}`);
    return this.#load(group);
  }

  /** The tensors of the final norm, and `output`. */
  head(): Tensors {
    return this.#load(this.#head);
  }

  #load(group: Group): Tensors {
    if (this.#loaded !== group && group.decoded.length > 0) {
      for (const { stored, out } of group.decoded) stored.decode(out);
      this.#loaded = group;
    }
    return group.tensors;
  }

  #group(wanted: readonly Wanted[], workspace: Float32Array): Group {
    const tensors: Record<string, Tensor> = {};
    const decoded: { stored: StoredTensor; out: Float32Array }[] = [];
    let used = 0;
    for (const one of wanted) {
      const { name, input, shape } = one;
      const known = this.#ready(one);
      if (known !== undefined) {
        tensors[input] = known;
        continue;
      }
      const out = workspace.subarray(used, used + sizeOf(shape));
      used += out.length;
      tensors[input] = floatTensor(shape, out);
      decoded.push({ stored: checked(this.options, { name, shape }), out });
    }
    return { tensors, decoded };
  }

  /** The tensor where it exists in float32 already. */
  #ready({ name, shape, ofBase }: Omit<Wanted, 'input'>): Tensor | undefined {
    const parameter = ofBase ? undefined : this.parameters.valueTensors.get(name);
    if (parameter !== undefined) return parameter;
    const adapter = ofBase ? undefined : this.options.adapter?.tensors.get(name);
    if (adapter !== undefined) return this.#hold(adapter.shape, adapter.data);
    const stored = checked(this.options, { name, shape });
    const view = stored.view();
    return view === undefined ? this.#packed(stored) : this.#hold(shape, view);
  }

  /** A stored form that the runtime decodes itself. */
  #packed(stored: StoredTensor): Tensor | undefined {
    const known = this.#held.get(stored);
    if (known !== undefined) return known;
    const { memory } = this.options.runtime;
    const packed = memory.isHost ? undefined : stored.packed?.();
    const tensor = packed && memory.holdPacked(packed);
    if (tensor !== undefined) this.#held.set(stored, tensor);
    return tensor;
  }

  /** In the memory of the runtime, once, whoever asks. */
  #hold(shape: readonly number[], data: Float32Array): Tensor {
    const known = this.#held.get(data);
    if (known !== undefined) return known;
    const tensor = this.options.runtime.memory.hold(floatTensor(shape, data));
    this.#held.set(data, tensor);
    return tensor;
  }

  release(): void {
    for (const tensor of this.#held.values()) this.options.runtime.memory.free(tensor);
    this.#held.clear();
  }

  #decodedSize(wanted: readonly Wanted[]): number {
    return wanted
      .filter((one) => this.#ready(one) === undefined)
      .reduce((total, { shape }) => total + sizeOf(shape), 0);
  }
}

/** The head's tensors, by the names of its graph's inputs. */
export function headInputs(config: ModelConfig, lora: LoraConfig | undefined): readonly Wanted[] {
  const blueprint = blueprintOf(config);
  const saved = savedTensor(config, lora, 'head');
  const output: Wanted =
    saved === undefined
      ? { ...blueprint.head.output, input: OUTPUT, ofBase: lora !== undefined }
      : { name: saved.name, shape: saved.shape, input: OUTPUT };
  return [...headNormTensors(blueprint).map((tensor) => ({ ...tensor, input: tensor.name })), output];
}

function wantedOfBlock(blueprint: Blueprint, options: DecoderOptions, layer: number): readonly Wanted[] {
  const { config, adapter } = options;
  const { block, branches: laid, bottlenecks } = layerKind(blueprint, adapter?.config, layer);
  const branches: NamedShape[] = projectionsOf(block).flatMap((projection) => {
    const branch = laid[projection.module];
    if (branch === undefined) return [];
    const { module } = projection;
    return [...branchTensors(branch, projection, module), ...firstTensors(branch, projection, module)];
  });
  branches.push(...bottleneckTensors(block, bottlenecks));
  for (const { name, shape } of branches) checkAdapter(options, blockName(blueprint, layer, name), shape);
  return [...blockTensors(block, config.headDim), ...branches].map(({ name, shape }) => ({
    input: name,
    name: blockName(blueprint, layer, name),
    shape,
  }));
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
